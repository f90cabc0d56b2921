"""Changes of agents that are declared, ticks, and what is exported of what agents have proven."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from agentledger import agent_changes, ticks
from agentledger.errors import PublishRefusedError, UsageError
from agentledger.ingest.event_formats import recognise
from agentledger.settings import Settings
from agentledger.warehouse import create_raw_schema

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
THEN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", host_zone="UTC")


def test_declarations_are_added_and_never_rewritten(settings: Settings) -> None:
    """Should keep both, in a file of the owner's own, and give the notes back by id."""
    first = agent_changes.declare(settings, " reviewer ", THEN, note="smaller model", now=NOW)
    second = agent_changes.declare(settings, "reviewer", THEN, note="cache", metric="cost", now=NOW)
    path = agent_changes.changes_path(settings)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines == [first, second]
    assert first["agent_id"] == "reviewer"
    assert first["changed_at"] == "2026-03-01T09:30:00Z"
    assert path.stat().st_mode & 0o077 == 0
    assert agent_changes.read_notes(settings) == {
        first["change_id"]: "smaller model",
        second["change_id"]: "cache",
    }


@pytest.mark.parametrize(
    ("agent", "at", "metric"),
    [("", THEN, "success"), ("a\x1bb", THEN, "success"), ("a", NOW.replace(year=2027), "success"),
     ("a", THEN, "joy")],
    ids=["no name", "control character", "still to come", "unknown metric"],
)  # fmt: skip
def test_a_declaration_that_means_nothing_is_refused(
    settings: Settings, agent: str, at: datetime, metric: str
) -> None:
    """Should write no line."""
    with pytest.raises(UsageError):
        agent_changes.declare(settings, agent, at, note="", metric=metric, now=NOW)
    assert not agent_changes.changes_path(settings).exists()


def test_ingest_knows_a_declaration(settings: Settings) -> None:
    """Should not take it for a usage event, which names an agent, too."""
    record = agent_changes.declare(settings, "a", THEN, note="", now=NOW)
    found = recognise(record)
    assert found is not None
    assert found.name == "agent_changes"


def test_a_tick_refuses_rows_that_are_not_built(settings: Settings) -> None:
    """Should leave the instant alone; else a part of the marts would know newer rows."""
    connection = duckdb.connect()
    create_raw_schema(connection)
    connection.execute(
        "insert into raw.run_context "
        "values ('run-1', '2026-03-01 00:00:00+00', 7, 'p', 's', 'm', 'c', null, null)"
    )
    with pytest.raises(PublishRefusedError, match="agentledger run"):
        ticks.advance(settings, connection, run_id="run-2", as_of=NOW)
    assert connection.execute("select run_id from raw.run_context").fetchall() == [("run-1",)]
