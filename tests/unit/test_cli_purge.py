"""`unregister --purge`: what it says, what it asks, and that nothing goes without an answer."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from agentledger import purge_requests, registry
from agentledger.cli import purging
from agentledger.cli.main import main
from agentledger.settings import HOME_VARIABLE
from tests.unit.conftest import Ledger

Run = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """Standard input of somebody who answers."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    """Run a command line in this process; runs of the orchestrator are not started."""
    monkeypatch.setenv(HOME_VARIABLE, str(ledger.settings.home))
    monkeypatch.setattr(purging, "_run", lambda settings: 1)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run_command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run_command


@pytest.fixture
def folder(ledger: Ledger, make_invocation: Callable[..., dict[str, Any]]) -> str:
    """A project that was collected."""
    ledger.write({"invocations": [make_invocation(session_id=f"s-{n}") for n in range(1234)]})
    ledger.collect()
    return str(ledger.projects / "alpha")


def names(ledger: Ledger) -> list[str]:
    return [project.name for project in registry.load_config(ledger.settings).projects]


def test_without_a_terminal_a_purge_needs_yes(run: Run, ledger: Ledger, folder: str) -> None:
    code, out, err = run("unregister", folder, "--purge")
    assert code == 2 and "cannot be undone. Add --yes" in err
    assert "1,234 of skill_usage" in out and "own files are not touched" in out
    assert names(ledger) == ["alpha"]
    assert purge_requests.pending_requests(ledger.settings) == []


def test_no_is_no(run: Run, ledger: Ledger, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    code, out, _ = run("unregister", folder, "--purge")
    assert code == 1 and "Nothing was removed." in out
    assert names(ledger) == ["alpha"]
    assert purge_requests.pending_requests(ledger.settings) == []


def test_a_run_that_fails_leaves_the_purge_written_down(
    run: Run, ledger: Ledger, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    code, _, err = run("unregister", folder, "--purge")
    assert code == 1 and "not complete yet. Type: agentledger run" in err
    assert names(ledger) == []
    [request] = purge_requests.pending_requests(ledger.settings)
    assert request.is_unregistered and request.path == folder
    code, out, _ = run("status")
    assert "Not complete yet: a purge (project)" in out


def test_a_project_that_was_never_read_is_only_unregistered(run: Run, ledger: Ledger) -> None:
    folder = ledger.project("never")
    code, out, _ = run("unregister", str(folder), "--purge")
    assert code == 0 and "Nothing of it was ever read" in out
    assert names(ledger) == [] and not ledger.settings.purges_dir.exists()


def test_what_nobody_knows_cannot_be_purged(run: Run, folder: str) -> None:
    for arguments in (
        ("unregister", "/no/such", "--purge", "--yes"),
        ("source", "remove", "events", "/no/such", "--purge", "--yes"),
    ):
        code, _, err = run(*arguments)
        assert code == 2 and "holds nothing of" in err


def test_an_outer_project_is_named(run: Run, ledger: Ledger, folder: str) -> None:
    """Its next run would read the files as its own: the owner must know."""
    registry.register_project(ledger.settings, str(ledger.projects), name="outer")
    _, _, err = run("unregister", folder, "--purge")
    assert "lies inside the registered project outer" in err
