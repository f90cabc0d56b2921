"""The log of what is asked of the ledger: what stands in it, and that it never costs an answer."""

import inspect
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentledger import query, reads
from agentledger.cli.main import main
from agentledger.query import asked, projects, skills
from agentledger.query.scope import UnknownNameError
from agentledger.query.sql import SqlFailedError
from agentledger.settings import HOME_VARIABLE, Settings
from tests.unit.published_ledger import publish_ledger, settings_of

MARKER = "zebra-4711"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    settings = settings_of(tmp_path / "home")
    publish_ledger(settings)
    return settings


def log_of(settings: Settings) -> list[dict[str, Any]]:
    """Every line of the log; each must be JSON."""
    return [
        json.loads(line)
        for path in sorted(settings.reads_dir.glob("*"))
        for line in path.read_text("utf-8").splitlines()
    ]


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit):
        main(arguments)


def test_a_question_leaves_one_line_with_these_fields(settings: Settings) -> None:
    query.get_skill("B", settings=settings)
    [line] = log_of(settings)
    duration, event_id, ts = (line.pop(name) for name in ("duration_ms", "event_id", "ts"))
    assert line == {
        "surface": "python",
        "question": "skills show",
        "subject_kind": "skill",
        "subject_name": "B",
        "succeeded": True,
    }
    assert 0 < duration < 60_000
    assert len(event_id) == 32
    assert ts.endswith("Z")
    [path] = settings.reads_dir.iterdir()
    assert path.name == f"reads-{ts[:7]}.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.reads_dir.stat().st_mode & 0o777 == 0o700


COMMANDS = {
    "skills top": ["skills", "top"],
    "skills show": ["skills", "show", "B", "--json"],
    "skills summary": ["skills", "summary"],
    "skills insights": ["skills", "insights", "--skill", "B"],
    "projects": ["projects"],
    "sql": ["sql", "select 1"],
    "status": ["status"],
    "health": ["health"],
    "reads questions": ["reads", "questions"],
    "reads subjects": ["reads", "subjects", "--by", "needs-improvement"],
}


@pytest.mark.parametrize(("question", "command"), COMMANDS.items(), ids=COMMANDS)
def test_each_command_counts_once_and_says_it_was_the_command_line(
    settings: Settings, question: str, command: list[str]
) -> None:
    run(*command)
    assert [(line["question"], line["surface"]) for line in log_of(settings)] == [(question, "cli")]


def test_every_function_of_the_query_api_is_a_question() -> None:
    """A new function without the decorator would answer unseen."""
    # `boosts` reads a reviewed file for an orchestrator; it asks nothing of the ledger.
    functions = {name: getattr(query, name) for name in query.__all__ if name != "boosts"}
    unseen = [name for name, function in functions.items() if not hasattr(function, "question")]
    assert unseen == []
    assert all(inspect.isfunction(function) for function in functions.values())


REFUSED: dict[str, tuple[Callable[[Settings], Any], type[Exception]]] = {
    "skill": (lambda s: query.get_skill(MARKER, settings=s), UnknownNameError),
    "project": (lambda s: query.get_top_skills(project=MARKER, settings=s), UnknownNameError),
    "sql": (lambda s: query.run_sql(f"select '{MARKER}'::integer", settings=s), SqlFailedError),
}


@pytest.mark.parametrize(("ask", "error"), REFUSED.values(), ids=REFUSED)
def test_what_a_caller_typed_never_gets_in(
    settings: Settings, ask: Callable[[Settings], Any], error: type[Exception]
) -> None:
    """The tempting change is to log the argument: a misspelt name is whatever somebody typed."""
    with pytest.raises(error):
        ask(settings)
    [line] = log_of(settings)
    assert line["succeeded"] is False
    assert line["subject_name"] is None
    for file in settings.home.rglob("*"):
        assert not file.is_file() or MARKER.encode() not in file.read_bytes()


def test_the_texts_of_a_command_line_never_get_in(settings: Settings) -> None:
    run("sql", f"select '{MARKER}'")
    run("skills", "show", MARKER, "--project", MARKER)
    assert MARKER not in json.dumps(log_of(settings))
    assert len(log_of(settings)) == 2


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="Nothing is published"):
        skills.top_skills(settings=settings_of(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("config", "is_recorded"),
    [
        ("", True),
        ("[usage]\nrecord_reads = true\n", True),
        ("[usage]\nrecord_reads = false\n", False),
        ("usage.record_reads = false\n", False),
        ('[usage]\nrecord_reads = "no"\n', False),
        ("# record_reads = false would switch it off\n", True),
        ("[usage]\nrecord_reads = false\n[", False),
    ],
)
def test_the_owner_switches_it_off(settings: Settings, config: str, is_recorded: bool) -> None:
    settings.config_path.write_text(config)
    skills.top_skills(settings=settings)
    assert len(log_of(settings)) == is_recorded
    assert reads.recording_problem(settings) is None


def test_a_log_that_cannot_be_written_costs_no_answer_and_is_told(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.reads_dir.write_text("a file where the folder should be")
    assert projects.known_projects(settings=settings).rows is not None
    assert "not recorded" in (reads.recording_problem(settings) or "")
    run("status")
    assert "What is asked of this ledger is not recorded" in capsys.readouterr().out


def test_lines_of_threads_do_not_mix_and_each_counts_its_own_question(settings: Settings) -> None:
    def ask() -> None:
        for _ in range(20):
            asked.asked_questions(settings=settings)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = log_of(settings)
    assert len(lines) == 80
    assert len({line["event_id"] for line in lines}) == 80


def test_recording_costs_less_than_a_millisecond(settings: Settings) -> None:
    settings.config_path.write_text('[[projects]]\npath = "/x"\nname = "x"\n' * 50)
    costs = []
    for _ in range(50):
        started = time.perf_counter()
        with reads.asked("nothing", settings):
            pass
        costs.append(time.perf_counter() - started)
    assert sorted(costs)[25] < 0.001


def test_subjects_are_listed_in_the_order_asked_for(settings: Settings) -> None:
    def names(by: str) -> list[str]:
        return [
            row["subject_name"] for row in asked.asked_subjects(by, settings=settings).records()
        ]

    assert names("requested") == ["B", "C"]
    assert names("slow") == ["C", "B"]
    assert names("slow-answers") == ["C", "B"]
    assert names("effective") == ["B", "C"]
    assert names("needs-improvement") == ["C"]
    questions = asked.asked_questions(settings=settings).records()
    assert [row["question"] for row in questions] == ["__all__", "skills show", "sql"]
