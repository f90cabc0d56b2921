"""The event log of headless runs: one connection, and Dagster's own class reads the same."""

import sqlite3
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from agentledger.settings import Settings
from orchestration import instance

KEY = dg.AssetKey(["marts", "anything"])


@pytest.fixture
def connects() -> Any:
    """Databases that SQLAlchemy connected to, one entry per connection."""
    seen: list[str] = []

    def see(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            seen.append(str(connection.execute("pragma database_list").fetchone()[2]))

    event.listen(Engine, "connect", see)
    yield seen
    event.remove(Engine, "connect", see)


def write_and_read(opened: dg.DagsterInstance, times: int) -> None:
    for _ in range(times):
        opened.report_runless_asset_event(dg.AssetMaterialization(KEY, metadata={"rows": 7}))
        opened.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=KEY, check_name="holds", passed=True)
        )
        assert opened.get_latest_materialization_event(KEY) is not None


def test_a_run_connects_once_however_many_events_it_writes(
    settings: Settings, connects: list[str]
) -> None:
    """Dagster's own class would connect several times per event, and be slow because of it."""
    instance.prepare_dagster_home(settings)
    connects.clear()
    with instance.open_instance(settings) as opened:
        write_and_read(opened, times=5)
    assert len([path for path in connects if path.endswith("event_log.db")]) == 1


def test_a_run_asks_once_which_columns_there_are(settings: Settings) -> None:
    """Dagster's own class asks with every event, for the sake of databases never upgraded."""
    asked: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "pragma" in statement.lower():
            asked.append(statement)

    instance.prepare_dagster_home(settings)
    with instance.open_instance(settings) as opened:
        write_and_read(opened, times=1)
        event.listen(Engine, "before_cursor_execute", see)
        try:
            write_and_read(opened, times=3)
        finally:
            event.remove(Engine, "before_cursor_execute", see)
    assert asked == []


def test_the_ui_reads_what_a_headless_run_wrote(settings: Settings) -> None:
    """It opens the same database with Dagster's own class, while the run goes on."""
    instance.prepare_dagster_home(settings)
    home = str(settings.dagster_home)
    with (
        instance.open_instance(settings) as headless,
        dg.DagsterInstance.from_config(home) as shown,
    ):
        assert type(headless.event_log_storage) is not type(shown.event_log_storage)
        write_and_read(headless, times=1)
        found = shown.get_latest_materialization_event(KEY)
        assert found is not None
        assert found.asset_materialization is not None
        assert found.asset_materialization.metadata["rows"].value == 7
        # And the other way round: a headless run sees what the UI asked for.
        write_and_read(shown, times=1)
        assert headless.get_latest_materialization_event(KEY) is not None
