"""How far each table on a server was read, in `raw.postgres_watermarks`.

Belongs here: reading and writing that row; it is written in the transaction of the rows that it
speaks of. Does not belong here: what follows from it (`postgres_pages.py`).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from agentledger.ingest.postgres_tables import RemoteTable


@dataclass(frozen=True, slots=True)
class State:
    """Everything at or before `position` that the server held at that moment is in raw."""

    table_oid: int
    format: str
    watermark: str | None
    """SQL of what tells the order; another one means another order."""
    position: str | None
    """Value of the watermark, as the server writes it."""
    tie: str | None
    """Identity of the row, among those of one time."""
    is_complete: bool
    """Whether the table was read to its end once."""
    oldest_running: int
    """No transaction below this number was still running when the rows were read."""
    swept_on: date
    """UTC day of the last look for changed rows."""

    @classmethod
    def beginning(cls, table: "RemoteTable", oldest_running: int, today: date) -> "State":
        """Nothing was read yet."""
        return cls(
            table.oid, table.format.name, table.watermark.sql, None, None, False, oldest_running,
            today,
        )  # fmt: skip


def read_state(connection: duckdb.DuckDBPyConnection, source_id: str) -> State | None:
    """Where the last run left off; None before the first."""
    found = read_states(connection).get(source_id)
    return found[0] if found else None


def read_states(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[State, datetime]]:
    """Where the last run left off, and when it was, by source id."""
    rows = connection.execute(
        "select source_id, read_at, table_oid, format, watermark, position, tie, is_complete, "
        "oldest_running, swept_on from raw.postgres_watermarks"
    ).fetchall()
    return {row[0]: (State(*row[2:]), row[1]) for row in rows}


def write_state(
    connection: duckdb.DuckDBPyConnection,
    source_id: str,
    project_id: str,
    state: State,
    read_at: datetime,
    load_seq: int,
) -> None:
    """Remember a position, in the caller's transaction."""
    connection.execute(
        f"insert or replace into raw.postgres_watermarks values ({', '.join('?' * 12)})",
        [
            source_id, project_id, state.table_oid, state.format, state.watermark, state.position,
            state.tie, state.is_complete, state.oldest_running, state.swept_on, read_at, load_seq,
        ],
    )  # fmt: skip
