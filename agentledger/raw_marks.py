"""Whether a raw table changed since the models were last built from it.

Belongs here: the mark of a table, which changes with what the models can see of it, and remembering
the marks of the last build. Does not belong here: which models read a table
(`orchestration/affected.py`).
"""

from dataclasses import dataclass

import duckdb

from agentledger.event_time import EVENT_TIME_COLUMNS
from agentledger.raw_tables import RAW_TABLES

UNSEEN_COLUMNS = {
    "projects": ("last_seen_at",),
    "sources": ("last_seen_at",),
    # The clock, which always moves; and numbers that move with it or with the rows of other tables.
    "run_context": ("run_id", "as_of", "load_seq", "prices_judged_at", "collected_by"),
}
"""Columns that every run writes although nothing changed. What depends on one of them is told by
its own rule: the clock (`orchestration/affected.py`) or the rows that it counts."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells two states of a raw table apart."""

    text: str
    has_rows: bool


def read_marks(connection: duckdb.DuckDBPyConnection) -> dict[str, Mark]:
    """The mark of every raw table as it is now; the caller holds the run lock.

    A table of records only grows, and each load gives its rows a higher `load_seq`: their number
    and the highest one tell enough. What a purge removes makes the next build a full one.
    """
    marks = {}
    for table in RAW_TABLES:
        if table in EVENT_TIME_COLUMNS:
            sql = f"select count(*), coalesce(max(load_seq), -1) from raw.{table}"
        else:
            unseen = ", ".join(UNSEEN_COLUMNS.get(table, ()))
            columns = f"* exclude ({unseen})" if unseen else "*"
            sql = (
                "select count(*), coalesce(sum(hash(seen)), 0) "
                f"from (select {columns} from raw.{table}) as seen"
            )
        [(rows, state)] = connection.execute(sql).fetchall()
        marks[table] = Mark(f"{rows}:{state}", has_rows=rows > 0)
    return marks


def changed_tables(
    connection: duckdb.DuckDBPyConnection, marks: dict[str, Mark]
) -> frozenset[str] | None:
    """Raw tables that differ from what the last complete build saw; None when no build is known."""
    _create(connection)
    built = dict(connection.execute("select table_name, mark from state.built_tables").fetchall())
    if not built:
        return None
    return frozenset(table for table, mark in marks.items() if built.get(table) != mark.text)


def remember(connection: duckdb.DuckDBPyConnection, marks: dict[str, Mark]) -> None:
    """Keep what a complete build saw: all its models are built and tested from it."""
    _create(connection)
    connection.execute("begin")
    connection.execute("delete from state.built_tables")
    connection.executemany(
        "insert into state.built_tables values (?, ?)",
        [[table, mark.text] for table, mark in marks.items()],
    )
    connection.execute("commit")


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Trust no earlier build."""
    _create(connection)
    connection.execute("delete from state.built_tables")


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists state")
    connection.execute(
        "create table if not exists state.built_tables "
        "(table_name varchar primary key, mark varchar not null)"
    )
