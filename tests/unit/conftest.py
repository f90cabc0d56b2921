"""Fixtures of the unit tests: a ledger per test, ways to collect into it and to ask it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.ingest.reports import CollectionReport
from agentledger.settings import HOME_VARIABLE, Settings
from tests.unit.event_logs import Logs

Run = Callable[..., tuple[int, str, str]]
"""The fixture `run`."""

AS_OF = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


@dataclass
class Ledger:
    """A data home with projects beside it."""

    settings: Settings
    projects: Path
    runs: list[str] = field(default_factory=list)

    def project(self, name: str = "alpha", zone: str = "UTC") -> Path:
        """Make and register a project."""
        folder = self.projects / name
        (folder / ".session-buddy").mkdir(parents=True, exist_ok=True)
        registry.register_project(self.settings, str(folder), zone=zone)
        return folder

    def write(self, content: Any, project: str = "alpha", name: str = "skill_metrics.json") -> Path:
        """Write a metrics file: bytes as they are, anything else as JSON."""
        path = self.projects / project / ".session-buddy" / name
        if not path.parent.exists():
            self.project(project)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def collect(self) -> CollectionReport:
        """Run one collection."""
        self.runs.append(f"run-{len(self.runs)}")
        with warehouse.open_warehouse(self.settings) as connection:
            return collect.collect(self.settings, connection, run_id=self.runs[-1], as_of=AS_OF)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with warehouse.open_warehouse(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A data home that does not exist yet; commands of this process work on it."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Settings(home=tmp_path / "home", host_zone="UTC")


@pytest.fixture
def run(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: exit code, standard output, standard error."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        from agentledger.cli.main import main

        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run_command


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    settings = Settings(home=tmp_path / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    (tmp_path / "projects").mkdir()
    return Ledger(settings, tmp_path / "projects")


@pytest.fixture
def logs(ledger: Ledger, tmp_path: Path) -> Logs:
    """A folder of event logs that is registered as a source."""
    return Logs(ledger, tmp_path / "logs")


@pytest.fixture
def store_path(ledger: Ledger) -> Path:
    """Where tracker A keeps its store."""
    return ledger.project() / ".session-buddy" / "skills.db"


@pytest.fixture
def make_invocation() -> Callable[..., dict[str, Any]]:
    """Build one V1 record; keywords replace fields, `...` removes one."""

    def build(**overrides: Any) -> dict[str, Any]:
        record: dict[str, Any] = {
            "skill_name": "code-review",
            "invoked_at": "2026-08-01T10:00:00.000001",
            "session_id": "s-1",
            "workflow_path": "quick",
            "completed": True,
            "duration_seconds": 1.5,
            "user_query": "please review the parser",
            "alternatives_considered": [],
            "selection_rank": 1,
            "follow_up_actions": [],
            "error_type": None,
        }
        record.update(overrides)
        return {name: value for name, value in record.items() if value is not ...}

    return build
