"""`workflows …` and `skills compare`: what they print, where, and how they end."""

import json

import pytest

from agentledger.settings import Settings
from tests.unit.conftest import Run
from tests.unit.published_ledger import UGLY_SKILL
from tests.unit.published_workflows import publish_workflows

READERS = [
    ("workflows", "correlation"),
    ("workflows", "recommend"),
    ("workflows", "recommend", "feature-dev"),
    ("workflows", "optimize", "sure", "bad", UGLY_SKILL, "--workflow", "feature-dev"),
    ("skills", "compare", "B"),
]


@pytest.mark.parametrize("command", READERS, ids=lambda command: ascii(" ".join(command)))
def test_json_is_json_and_nothing_else(
    run: Run, settings: Settings, command: tuple[str, ...]
) -> None:
    publish_workflows(settings)
    code, out, err = run(*command, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out, parse_constant=pytest.fail)
    assert (document["as_of"], document["build_id"]) == ("2026-03-12T09:00:00Z", "1")


@pytest.mark.parametrize("command", READERS, ids=lambda command: ascii(" ".join(command)))
def test_no_control_character_reaches_the_terminal(
    run: Run, settings: Settings, command: tuple[str, ...]
) -> None:
    """Names of skills and workflows are written by anyone who can write a file."""
    publish_workflows(settings)
    for options in ((), ("--json",)):
        _, out, err = run(*command, *options)
        assert not set("\x1b\x07\u202e\x9b") & set(out + err)


@pytest.mark.parametrize("command", READERS, ids=lambda command: ascii(" ".join(command)))
def test_before_the_first_run_every_reader_says_what_to_type(
    run: Run, settings: Settings, command: tuple[str, ...]
) -> None:
    code, out, err = run(*command)
    assert (code, out) == (1, "")
    assert "agentledger run" in err
    assert not settings.home.exists()


@pytest.mark.parametrize("command", READERS[:3], ids=" ".join)
def test_without_a_run_of_a_workflow_it_says_so_and_ends_well(
    run: Run, settings: Settings, command: tuple[str, ...]
) -> None:
    publish_workflows(settings, is_empty=True)
    code, out, err = run(*command)
    assert (code, out) == (0, "")
    assert "No run of a workflow is known here yet" in err
    assert json.loads(run(*command, "--json")[1])["rows"] == []


def test_optimize_shows_each_step_and_both_sequences(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    code, out, err = run("workflows", "optimize", "few", "bad", "new", "--workflow", "feature-dev")
    assert code == 0
    lines = {line.split()[1]: line for line in out.splitlines() if line[:1].isdigit()}
    assert "leave out" in lines["bad"]
    assert "64.5–83.2 %" in lines["bad"]
    assert "not enough data" in lines["few"]
    assert "–" in lines["new"]
    assert "given:     few > bad > new" in out
    assert "optimized: few > new" in out
    assert "plan > implement > test" in out
    assert "As of 2026-03-12 09:00 UTC" in err
    assert "Nothing changes" in run("workflows", "optimize", "few")[1]
    assert "(no step)" in run("workflows", "optimize", "bad")[1]


def test_recommend_says_which_sequence_and_how_sure(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    _, out, _ = run("workflows", "recommend", "feature-dev")
    first, second, third = out.splitlines()[1:]
    assert "recommended" in first
    assert "14.0 min" in first
    assert "recommended" not in second + third
    assert second.endswith("not proven worse")
    assert "not enough data" in third
    assert "Nothing is recommended" in run("workflows", "recommend", "release")[2]


def test_correlation_shows_counts_beside_the_rate(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    _, out, err = run("workflows", "correlation", "--skill", "review")
    for text in ("18+2", "90.0 %", "60.0 %", "0.35", "0.0648", "1.1 s"):
        assert text in out
    assert "no cause" in err
    # 1 of C(40, 20) = 137,846,528,820 tables, twice: small, and no zero.
    assert "<0.0001" in run("workflows", "correlation", "--skill", "sure")[1]


def test_compare_says_where_a_skill_differs(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    code, out, err = run("skills", "compare", "B")
    assert code == 0
    shop, twin, blog = out.splitlines()[1:]
    assert shop.endswith("better")
    assert twin.endswith("not enough data")
    assert blog.endswith("worse")
    assert "weighs as much as 13.6 outcomes" in err
    assert "No outcome of this skill" in run("skills", "compare", "A")[2]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("workflows", "optimize"), 2, "STEP"),
        (("workflows", "optimize", ""), 2, "Step 1"),
        (("workflows", "optimize", "a", "--workflow", "feature-deb"), 1, "Did you mean"),
        (("workflows", "recommend", "' or 1=1 --"), 1, "There is no workflow"),
        (("workflows", "correlation", "--project", "shpo"), 1, "Did you mean 'shop'"),
        (("skills", "compare"), 2, "NAME"),
        (("skills", "compare", "zzz"), 1, "There is no skill"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_ends_with_a_message_and_a_code(
    run: Run, settings: Settings, arguments: tuple[str, ...], code: int, message: str
) -> None:
    publish_workflows(settings)
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "command",
    ["workflows", "workflows correlation", "workflows recommend", "workflows optimize",
     "skills compare"],
)  # fmt: skip
def test_help_shows_examples(run: Run, command: str) -> None:
    code, out, _ = run(*command.split(), "--help")
    assert code == 0
    assert f"  agentledger {command}" in out
