"""What every command that answers from the snapshot keeps to, whatever it is asked.

Belongs here: claims that are the same for all families of commands, and the cases of each. Does not
belong here: what one command prints.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agentledger.settings import Settings
from tests.unit.conftest import Run
from tests.unit.published_agents import publish_agents
from tests.unit.published_ledger import UGLY_SKILL, publish_ledger
from tests.unit.published_workflows import publish_workflows

Command = tuple[str, ...]
Publish = Callable[[Settings], Path]
"""Makes a snapshot with all that the commands of a family read."""

READERS: dict[Publish, list[Command]] = {
    publish_ledger: [
        ("skills", "top"),
        ("skills", "show", "B"),
        ("skills", "summary"),
        ("skills", "insights"),
        ("sql", "select 1 as one"),
        ("reads", "questions"),
        ("reads", "subjects"),
    ],
    publish_agents: [
        ("agents", "list"),
        ("agents", "show", "a1"),
        ("agents", "show", "a1", "--size", "1d"),
        ("agents", "feedback"),
        ("agents", "evolution"),
        ("agents", "patterns"),
        ("agents", "scores"),
    ],
    publish_workflows: [
        ("workflows", "correlation"),
        ("workflows", "recommend"),
        ("workflows", "recommend", "feature-dev"),
        ("workflows", "optimize", "sure", "bad", UGLY_SKILL, "--workflow", "feature-dev"),
        ("skills", "compare", "B"),
    ],
}
ABOUT_RUNS: dict[Publish, list[Command]] = {publish_ledger: [("projects",), ("status",)]}
"""Commands that answer before the first run, too."""

BAD_INPUT: dict[Publish, list[tuple[Command, int, str]]] = {
    publish_ledger: [
        (("skills", "top", "--window", "hourly"), 2, "hourly"),
        (("skills", "top", "--since", "7d"), 2, "--since needs --window"),
        (("skills", "top", "--window", "daily", "--since", "soon"), 2, "Cannot read --since"),
        (("skills", "top", "--min-success-rate", "90"), 2, "fraction"),
        (("skills", "top", "--limit", "0"), 2, "limit"),
        (("skills", "top", "--project", "shpo"), 1, "Did you mean 'shop'"),
        (("skills", "top", "--project", "' or 1=1 --"), 1, "There is no project"),
        (("skills", "show", "b' or '1'='1"), 1, "There is no skill"),
        (("skills", "show"), 2, "NAME"),
        (("skills", "bogus"), 2, "bogus"),
        (("bogus",), 2, "bogus"),
        (("sql", "drop table marts.skill_aggregates"), 2, "Only queries"),
        (("sql", "select 1; select 2"), 2, "found 2"),
        (("sql", "from marts.nothing"), 1, "nothing"),
        (("sql", "select 1", "--format", "xml"), 2, "xml"),
        (("sql", ""), 2, "no SQL"),
        (("run", "--port", "1"), 2, "--port"),
        (("dev", "--port", "0"), 2, "--port"),
    ],
    publish_agents: [
        (("agents", "list", "--window", "daily"), 2, "daily"),
        (("agents", "show", "a1", "--size", "2h"), 2, "2h"),
        (("agents", "show", "a1", "--since", "soon"), 2, "Cannot read --since"),
        (("agents", "show"), 2, "AGENT"),
        (("agents", "declare-change", "a1", "--at", "yesterday", "--note", "x"), 2, "--at is"),
        (("agents", "declare-change", "a1", "--at", "2999-01-01", "--note", "x"), 2, "to come"),
        (("agents", "judge-pattern", "nats", "--quality", "1.01"), 2, "from 0 to 1"),
        (("agents", "judge-pattern", "nats", "--quality", "-0.1"), 2, "from 0 to 1"),
        (("agents", "judge-pattern", "nats", "--quality", "nan"), 2, "from 0 to 1"),
        (("agents", "judge-pattern", "nats", "--quality", "good"), 2, "--quality"),
        (("agents", "judge-pattern", "nats"), 2, "--quality"),
        (("agents", "judge-pattern", "two words", "--quality", "1"), 2, "no name of a pattern"),
        (("agents", "judge-pattern", "other", "--quality", "1"), 2, "no name of a pattern"),
        (("agents", "judge-pattern", "nats", "--quality", "1", "--at", "x"), 2, "--at is"),
        (("agents", "judge-pattern", "nats", "--quality", "1", "--at", "2999-01-01"), 2, "to come"),
    ],
    publish_workflows: [
        (("workflows", "optimize"), 2, "STEP"),
        (("workflows", "optimize", ""), 2, "Step 1"),
        (("workflows", "optimize", "a", "--workflow", "feature-deb"), 1, "Did you mean"),
        (("workflows", "recommend", "' or 1=1 --"), 1, "There is no workflow"),
        (("workflows", "correlation", "--project", "shpo"), 1, "Did you mean 'shop'"),
        (("skills", "compare"), 2, "NAME"),
        (("skills", "compare", "zzz"), 1, "There is no skill"),
    ],
}


def each(*families: dict[Publish, list[Command]]) -> pytest.MarkDecorator:
    """A test of every command, beside what publishes its snapshot."""
    return pytest.mark.parametrize(
        ("publish", "command"),
        [
            pytest.param(publish, command, id=ascii(" ".join(command)))
            for family in families
            for publish, commands in family.items()
            for command in commands
        ],
    )


@each(READERS)
def test_before_the_first_run_every_reader_says_what_to_type(
    run: Run, settings: Settings, publish: Publish, command: Command
) -> None:
    code, out, err = run(*command)
    assert (code, out) == (1, "")
    assert "agentledger run" in err
    assert "Traceback" not in err
    assert not settings.home.exists()


@each(READERS)
def test_json_is_json_and_nothing_else(
    run: Run, settings: Settings, publish: Publish, command: Command
) -> None:
    publish(settings)
    code, out, err = run(*command, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out, parse_constant=pytest.fail)
    if command[0] != "sql":  # the rows of a query are all that it answers
        assert (document["as_of"], document["build_id"]) == ("2026-03-12T09:00:00Z", "1")


@each(READERS, ABOUT_RUNS)
def test_no_control_character_reaches_the_terminal(
    run: Run, settings: Settings, publish: Publish, command: Command
) -> None:
    """Names are written by anyone who can write a file of metrics or of events."""
    publish(settings)
    for options in ((), ("--json",)):
        code, out, err = run(*command, *options)
        assert code == 0
        assert not set("\x1b\x07\u202e\x9b") & set(out + err)


@pytest.mark.parametrize(
    ("publish", "arguments", "code", "message"),
    [
        pytest.param(publish, *case, id=" ".join(case[0]))
        for publish, cases in BAD_INPUT.items()
        for case in cases
    ],
)
def test_bad_input_ends_with_a_message_and_writes_nothing(
    run: Run, settings: Settings, publish: Publish, arguments: Command, code: int, message: str
) -> None:
    publish(settings)
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err
    assert not settings.changes_dir.exists()
