"""Starting runs, and what status and health say about them."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agentledger import warehouse
from agentledger.cli import runs
from agentledger.errors import RunLockedError
from agentledger.ingest import plan
from agentledger.query.health import Findings, judge_health
from agentledger.settings import HOME_VARIABLE, Settings
from tests.unit.conftest import Run
from tests.unit.published_ledger import publish_ledger


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A home that is prepared, as before a run."""
    warehouse.prepare_home(settings)
    return settings


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Collects the arguments of the orchestrator instead of starting it."""
    calls: list[list[str]] = []
    monkeypatch.setattr(runs, "hand_over", lambda _settings, arguments: calls.append(arguments))
    return calls


def answer_new_work(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Let the ledger answer, or raise, as given."""

    def new_work(_settings: Settings) -> plan.NewWork:
        if isinstance(answer, Exception):
            raise answer
        return plan.NewWork(list(answer))

    monkeypatch.setattr(plan, "new_work", new_work)


def test_nothing_new_ends_without_the_orchestrator(
    run: Run, handed_over: list[list[str]], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    answer_new_work(monkeypatch, [])
    code, out, _ = run("run", "--trigger", "test")
    assert (code, handed_over) == (0, [])
    assert "Nothing is new" in out
    assert json.loads(settings.status_path.read_text())["last_check"]["trigger"] == "test"
    assert json.loads(run("run", "--json")[1])["state"] == "nothing_new"


@pytest.mark.parametrize(
    ("arguments", "work", "expected"),
    [
        ((), ["1 new file"], ["run", "--trigger=cli"]),
        (("--json", "--trigger", "-x"), ["1 new"], ["run", "--trigger=-x", "--json"]),
        (("--full-refresh",), [], ["run", "--trigger=cli", "--full-refresh"]),
        ((), RunLockedError("busy"), ["run", "--trigger=cli"]),
    ],
    ids=["new data", "options", "full refresh", "another run is writing"],
)
def test_a_run_is_handed_over(
    run: Run,
    handed_over: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    work: Any,
    expected: list[str],
) -> None:
    """While another run writes the orchestrator waits; that is no reason to say nothing is new."""
    answer_new_work(monkeypatch, work)
    assert run("run", *arguments)[0] == 0
    assert handed_over == [expected]


def test_dev_and_docs_are_handed_over(run: Run, handed_over: list[list[str]]) -> None:
    run("dev", "--port", "3333")
    run("docs", "--no-serve")
    assert handed_over == [["dev", "--port", "3333"], ["docs", "--port", "8580", "--no-serve"]]


@pytest.mark.skipif(os.name != "posix", reason="exec replaces the process on POSIX alone")
def test_the_exit_code_and_the_home_reach_and_leave_the_orchestrator(tmp_path: Path) -> None:
    """A stand-in named `orchestration` on PYTHONPATH; one in the working directory must not run."""
    for folder, code in (("stand-in", 7), ("working-directory", 99)):
        package = tmp_path / folder / "orchestration"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(
            "import os, sys\n"
            "sys.stdout.write(os.environ['AGENTLEDGER_HOME'] + ' ' + ' '.join(sys.argv[1:]))\n"
            f"sys.exit({code})\n"
        )
    environment = {
        **os.environ,  # noqa: TID251 - the child needs the rest of this one
        "PYTHONPATH": str(tmp_path / "stand-in"),
        HOME_VARIABLE: str(tmp_path / "home"),
    }
    finished = subprocess.run(
        [sys.executable, "-m", "agentledger.cli.main", "dev", "--port", "3333"],
        cwd=tmp_path / "working-directory",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 7, finished.stderr
    assert finished.stdout == f"{tmp_path / 'home'} dev --port 3333"


NOW = datetime.now(UTC)


def write_status(settings: Settings, **facts: Any) -> None:
    settings.status_path.write_text(json.dumps({"schema_version": 1, **facts}))


def a_run(state: str = "succeeded", hours_ago: float = 1, **facts: Any) -> dict[str, Any]:
    ended = NOW - timedelta(hours=hours_ago)
    return {
        "run_id": "r-1",
        "trigger": "cli",
        "started_at": ended.isoformat(),
        "ended_at": ended.isoformat(),
        "state": state,
        "step": "build",
        "error": None,
        "seconds": 1.5,
        "totals": {"files_found": 2, "records_read": 100, "accepted": 99, "rejected": 1},
        **facts,
    }


def verdict(run: Run) -> tuple[int, str, list[str]]:
    code, out, _ = run("health", "--json")
    document = json.loads(out)
    return code, document["state"], document["reasons"]


@pytest.fixture
def healthy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    publish_ledger(settings)
    write_status(settings, last_run=a_run(), last_success=a_run())
    answer_new_work(monkeypatch, [])
    return settings


def test_a_healthy_ledger_is_ok(run: Run, healthy: Settings) -> None:
    assert verdict(run) == (0, "ok", [])
    assert run("health")[1] == "ok\n"


def test_a_ledger_that_never_ran_is_empty(run: Run) -> None:
    code, state, reasons = verdict(run)
    assert (code, state) == (1, "empty")
    assert "No run has succeeded" in reasons[0]


def test_a_ledger_without_a_record_is_empty(run: Run, healthy: Settings) -> None:
    publish_ledger(healthy, uses=())
    assert verdict(run)[:2] == (1, "empty")


def test_a_ledger_of_intents_alone_is_not_empty(run: Run, healthy: Settings) -> None:
    """The freshness of projects covers records of every kind; skill aggregates know one."""
    with duckdb.connect(str(publish_ledger(healthy, uses=()))) as connection:
        connection.execute(
            "insert into marts.data_freshness (project_id, health) values ('quiet', 'empty')"
        )
    assert verdict(run)[:2] == (1, "empty")
    with duckdb.connect(str(publish_ledger(healthy, "2", uses=()))) as connection:
        connection.execute(
            "insert into marts.data_freshness (project_id, health) values ('quiet', 'empty'), "
            "('intents', 'ok')"
        )
    assert verdict(run) == (0, "ok", [])


def test_a_damaged_snapshot_is_broken_and_not_empty(run: Run, healthy: Settings) -> None:
    """The tempting change is to count zero rows where the query failed."""
    (healthy.published_dir / "ledger-1.duckdb").write_bytes(b"x" * 10_000)
    code, state, reasons = verdict(run)
    assert (code, state) == (1, "broken")
    assert "Cannot read the snapshot" in reasons[0]


def test_a_success_without_a_snapshot_is_broken(run: Run, healthy: Settings) -> None:
    healthy.published_pointer.unlink()
    assert verdict(run)[:2] == (1, "broken")


@pytest.mark.parametrize("with_success", [True, False])
def test_a_failed_run_is_broken(run: Run, healthy: Settings, with_success: bool) -> None:
    success = {"last_success": a_run(hours_ago=2)} if with_success else {}
    write_status(healthy, last_run=a_run("failed", error="test grain failed"), **success)
    code, state, reasons = verdict(run)
    assert (code, state) == (1, "broken")
    assert "'build': test grain failed" in reasons[0]


def test_a_killed_run_is_broken_and_status_stays_true(run: Run, healthy: Settings) -> None:
    write_status(healthy, current_run=a_run("running"), last_success=a_run())
    assert "was killed" in verdict(run)[2][0]
    assert "was killed" in run("status")[1]
    assert json.loads(run("status", "--json")[1])["current_run"]["state"] == "crashed"


def test_a_run_in_progress_is_no_crash(run: Run, healthy: Settings) -> None:
    write_status(healthy, current_run=a_run("running"), last_success=a_run())
    with warehouse.hold_run_lock(healthy):
        assert verdict(run) == (0, "ok", [])
        assert "A run is going on" in run("status")[1]


def test_old_is_stale_only_while_sources_are_newer(
    run: Run, healthy: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_status(healthy, last_run=a_run(hours_ago=30), last_success=a_run(hours_ago=30))
    assert verdict(run) == (0, "ok", [])
    answer_new_work(monkeypatch, ["1 new file"])
    code, state, reasons = verdict(run)
    assert (code, state) == (1, "stale")
    assert "30 hours ago" in reasons[0]


def test_a_check_that_found_nothing_new_keeps_a_ledger_fresh() -> None:
    """An idle week must not alarm anyone on its first new record."""
    old = a_run(hours_ago=200)
    for recent in (
        {"last_check": {"at": (NOW - timedelta(hours=1)).isoformat()}},
        {"last_run": a_run("nothing_new")},
    ):
        findings = Findings(
            status={"last_run": old, "last_success": old, **recent},
            snapshot_problem=None,
            is_published=True,
            holds_records=True,
            has_new_data=True,
        )
        assert judge_health(findings, NOW).state == "ok"


def test_rejects_beyond_the_limit_are_broken(run: Run, healthy: Settings) -> None:
    """Exactly one in twenty is still a few bad lines."""
    for rejected, expected in ((5, "ok"), (6, "broken")):
        latest = a_run(totals={"records_read": 100, "rejected": rejected})
        write_status(healthy, last_run=latest, last_success=latest)
        assert verdict(run)[1] == expected
    assert "6 of 100 records" in verdict(run)[2][0]


def test_a_project_that_vanished_is_broken(run: Run, healthy: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    run("register", str(folder))
    folder.rmdir()
    code, state, reasons = verdict(run)
    assert (code, state) == (1, "broken")
    assert str(folder) in reasons[0]


def test_status_names_what_could_not_be_read(run: Run, healthy: Settings) -> None:
    sources = [
        {
            "source_id": "s",
            "project_name": "shop\x1b[31m",
            "found": 2,
            "collected": 1,
            "quarantined": 1,
            "problems": [{"path": "/x/\x07y.json", "reason": "truncated", "detail": "at byte 7"}],
        }
    ]
    latest = a_run(sources=sources)
    write_status(healthy, last_run=latest, last_success=latest, recent_runs=[latest])
    code, out, _ = run("status")
    assert code == 0
    for text in ("2 found", "– read", "100 read", "/x/\\x07y.json", "truncated", "at byte 7"):
        assert text in out
    assert "\x1b" not in out
    document = json.loads(run("status", "--json")[1])
    assert document["last_run"]["sources"] == sources
    assert document["freshness"][0]["project_name"]


def test_status_works_before_the_first_run(run: Run) -> None:
    code, out, _ = run("status")
    assert code == 0
    assert "No run has ended yet" in out
    assert "Nothing is published" in out
