"""The warehouse itself, for questions that need what no snapshot holds: files, lines, dropped rows.

Belongs here: opening it under the run lock, its rows as JSON-safe dicts. Does not belong here: the
questions (`explain.py`, `explain_skills.py`), writing (`ingest/`).
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from agentledger.errors import AgentLedgerError, UsageError
from agentledger.query.answers import json_value
from agentledger.query.scope import find_scope
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot

if TYPE_CHECKING:
    import duckdb

COUNTS_ELSEWHERE: Final = "counts_elsewhere"
"""Verdict of a row that counts, and not in what was asked for."""


@contextlib.contextmanager
def opened(
    settings: Settings, on_wait: Callable[[], None] | None
) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open the warehouse to read; `on_wait` is called once when another run holds it.

    Raises:
        RunLockedError: When another run does not end.
        AgentLedgerError: When there is no warehouse.
    """
    from agentledger import warehouse

    if not settings.warehouse_path.exists():
        raise AgentLedgerError(
            f"There is no warehouse in {settings.home} yet. Type `agentledger run`."
        )
    with (
        warehouse.hold_run_lock(settings, on_wait=on_wait),
        warehouse.open_warehouse(settings, read_only=True) as connection,
    ):
        yield connection


@contextlib.contextmanager
def opened_at_once(settings: Settings) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open the warehouse to read, unless a run holds it.

    Raises:
        RunLockedError: When a run holds it.
        AgentLedgerError: When there is no warehouse.
    """
    from agentledger import warehouse

    if not settings.warehouse_path.exists():
        raise AgentLedgerError(
            f"There is no warehouse in {settings.home} yet. Type `agentledger run`."
        )
    with (
        warehouse.hold_run_lock(settings, wait_seconds=0),
        warehouse.open_warehouse(settings, read_only=True) as connection,
    ):
        yield connection


def read_rows(
    connection: "duckdb.DuckDBPyConnection", sql: str, values: Sequence[Any] | Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Rows of one question, whose values are bound.

    Raises:
        AgentLedgerError: When the models were never built.
    """
    import duckdb

    try:
        cursor = connection.execute(sql, values)
    except duckdb.CatalogException as error:
        raise AgentLedgerError(
            "The warehouse holds no such models yet: they were built by an earlier version, or not "
            "at all. Type `agentledger run --full-refresh`."
        ) from error
    names = [str(item[0]) for item in cursor.description or []]
    return [dict(zip(names, map(json_value, row), strict=True)) for row in cursor.fetchall()]


def project_id(settings: Settings, project: str | None) -> str:
    """Id of a project by name, id or path; that of all when none is named."""
    with open_snapshot(settings) as snapshot:
        return find_scope(snapshot, settings, project).project_id


def parse_day(value: date | str) -> date:
    """Read a day; refuse what is none."""
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"{value!r} is not a day. Write it as 2026-03-12.") from error
