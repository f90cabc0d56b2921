"""Removing records that are older than the owner keeps them.

Belongs here: what is too old, and since when that is known. Does not belong here: reading a time
(`event_time.py`), completing the removal (`purge.py`).

The rule: a record goes when its event time is before `as_of` - `retention_days`; exactly that old
it stays. A record without a usable time stays: nobody knows its age. A file of counters goes
whole, once its newest line is too old. What is too old when it is
read never lands, so a file that is written anew does not bring it back. The scan of all of raw is
paid for only when something is due: the oldest record of each table is remembered.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb

from agentledger import event_time, purge, purge_requests, purge_traces, warehouse
from agentledger.event_time import EVENT_TIME_COLUMNS
from agentledger.settings import Settings

EACH_RUN_ROWS = 1_000_000
"""Up to so many raw rows each run removes what is due; above, the first run of each UTC day does.
A removal builds every model anew: beyond this size that costs far more than an ordinary run."""

_STATE = """
create schema if not exists state;
create table if not exists state.retention (
    table_name varchar not null, load_seq bigint not null, zones varchar not null,
    oldest_at timestamptz, retention_days integer not null, removed_on date
)
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one raw table."""

    load_seq: int
    zones: str
    oldest_at: datetime | None
    retention_days: int
    removed_on: date | None
    """UTC day of the last run that removed all that was due."""


def cutoff(retention_days: int, as_of: datetime) -> datetime:
    """The instant before which records go; days are of 24 hours, in UTC."""
    return as_of.astimezone(UTC) - timedelta(days=retention_days)


def only_kept(table: str, rows: str, keeps_from: datetime | None) -> str:
    """SQL of the rows that may land: without those that are too old already.

    The connection was prepared by `event_time.define`.

    Args:
        table: Raw table in which the rows land.
        rows: SQL of the rows, which have a `source_id`.
        keeps_from: The cutoff; None keeps all, at no cost.
    """
    if keeps_from is None or table not in EVENT_TIME_COLUMNS:
        return rows
    instant = event_time.usable_record_time(table, "landing", "zones")
    # Materialised: as a filter the expression would be computed several times for each row.
    return f"""
        with dated as materialized (
            select landing.*, {instant} as retention_instant
            from ({rows}) as landing
            left join event_time_zones as zones on zones.source_id = landing.source_id
        )
        select * exclude (retention_instant) from dated
        where coalesce(retention_instant >= timestamptz '{keeps_from.isoformat()}', true)"""


def due_reasons(
    connection: duckdb.DuckDBPyConnection,
    retention_days: int | None,
    as_of: datetime,
    *,
    once_a_day: bool = False,
) -> list[str]:
    """Why a run is needed although nothing is new: records became too old.

    Args:
        connection: The warehouse; read only is enough.
        retention_days: From the configuration.
        as_of: The instant, aware.
        once_a_day: Say so at most once per UTC day: records age all the time, and a sensor that
            asks each minute must not start a run for each of them.
    """
    if retention_days is None:
        return []
    reason = [f"records older than {retention_days} day(s) are to be removed"]
    try:
        known = _read_state(connection)
    except duckdb.CatalogException:
        return reason  # never applied yet
    if not known or any(item.retention_days != retention_days for item in known.values()):
        return reason
    expired = [item for item in known.values() if _is_expired(item, retention_days, as_of)]
    today = as_of.astimezone(UTC).date()
    if once_a_day or _is_large(connection):
        expired = [item for item in expired if item.removed_on != today]
    return reason if expired else []


def apply(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    retention_days: int | None,
    *,
    run_id: str,
    as_of: datetime,
    removes: bool,
) -> int:
    """Remove what is due, after the run has read what is new.

    The connection was prepared by `event_time.define`.

    Args:
        settings: Names the data home; the caller holds the run lock.
        connection: The warehouse, opened for writing.
        retention_days: From the configuration; None keeps everything.
        run_id: The run.
        as_of: Its instant, aware.
        removes: Whether this run builds every model, so that rows may go.

    Returns:
        The number of rows removed.
    """
    connection.execute(_STATE)
    if retention_days is None:
        connection.execute("delete from state.retention")
        return 0
    before = _read_state(connection)
    zones = _zones_fingerprint(connection)
    today = as_of.astimezone(UTC).date()
    known = {
        table: _look(connection, table, before.get(table), zones, retention_days)
        for table in EVENT_TIME_COLUMNS
    }
    expired = [table for table, item in known.items() if _is_expired(item, retention_days, as_of)]
    is_due = not _is_large(connection) or any(known[table].removed_on != today for table in expired)
    if not (removes and expired and is_due):
        with warehouse.transaction(connection):
            _write_state(connection, known)
        return 0
    keeps_from = cutoff(retention_days, as_of)
    size = purge_traces.folder_bytes(settings.home)
    request = purge_requests.write_request(
        settings, purge_requests.new_request("retention", cutoff=keeps_from.isoformat())
    )
    with warehouse.transaction(connection):
        removed = {table: _remove(connection, table, keeps_from) for table in expired}
        for table in expired:
            known[table] = _look(connection, table, None, zones, retention_days)
        known = {
            table: Known(item.load_seq, zones, item.oldest_at, retention_days, today)
            for table, item in known.items()
        }
        _write_state(connection, known)
        purge.record(settings, connection, request, removed, run_id=run_id, as_of=as_of, size=size)
    return sum(removed.values())


def _look(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    before: Known | None,
    zones: str,
    retention_days: int,
) -> Known:
    """Find the oldest record; of what was looked at before, the answer is remembered."""
    if before is not None and (before.zones, before.retention_days) != (zones, retention_days):
        before = None
    since = before.load_seq if before else -1
    instant = event_time.usable_record_time(table, "r", "z")
    [(oldest, load_seq)] = connection.execute(
        f"select min(instant), coalesce(max(load_seq), {since}) from "
        f"(select {instant} as instant, r.load_seq from raw.{table} as r left join "
        f"event_time_zones as z on z.source_id = r.source_id where r.load_seq > {since})"
    ).fetchall()
    found = [at for at in (oldest, before and before.oldest_at) if at is not None]
    removed_on = before.removed_on if before else None
    return Known(load_seq, zones, min(found, default=None), retention_days, removed_on)


def _remove(connection: duckdb.DuckDBPyConnection, table: str, keeps_from: datetime) -> int:
    instant = event_time.usable_record_time(table, "r", "z")
    # Materialised: as a filter the expression would be computed several times for each row.
    [(count,)] = connection.execute(
        f"""
        delete from raw.{table} where rowid in (
            with dated as materialized (
                select r.rowid as row_no, {instant} as occurred_at
                from raw.{table} as r
                left join event_time_zones as z on z.source_id = r.source_id
            )
            select row_no from dated where occurred_at < timestamptz '{keeps_from.isoformat()}'
        )
        """
    ).fetchall()
    return count


def _is_expired(item: Known, retention_days: int, as_of: datetime) -> bool:
    return item.oldest_at is not None and item.oldest_at < cutoff(retention_days, as_of)


def _is_large(connection: duckdb.DuckDBPyConnection) -> bool:
    tables = ", ".join(f"'{table}'" for table in EVENT_TIME_COLUMNS)
    [(rows,)] = connection.execute(
        "select coalesce(sum(estimated_size), 0) from duckdb_tables() "
        f"where schema_name = 'raw' and table_name in ({tables})"
    ).fetchall()
    return rows > EACH_RUN_ROWS


def _zones_fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Changes when a source gets another zone: then every instant of it may move."""
    rows = connection.execute(
        "select source_id, zone from event_time_zones where zone <> 'UTC' order by all"
    ).fetchall()
    return hashlib.blake2b(json.dumps(rows).encode(), digest_size=16).hexdigest()


def _read_state(connection: duckdb.DuckDBPyConnection) -> dict[str, Known]:
    rows = connection.execute(
        "select table_name, load_seq, zones, oldest_at, retention_days, removed_on "
        "from state.retention"
    ).fetchall()
    return {row[0]: Known(*row[1:]) for row in rows}


def _write_state(connection: duckdb.DuckDBPyConnection, known: dict[str, Known]) -> None:
    connection.execute("delete from state.retention")
    connection.executemany(
        "insert into state.retention values (?, ?, ?, ?, ?, ?)",
        [
            [table, item.load_seq, item.zones, item.oldest_at, item.retention_days, item.removed_on]
            for table, item in known.items()
        ],
    )
