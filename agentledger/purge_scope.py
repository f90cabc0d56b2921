"""Which raw rows a purge means.

Belongs here: conditions over whatever raw tables there are, by their columns `source_id` and
`project_id`, and names that are known from these rows alone. Does not belong here: removing them
(`purge.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from agentledger.event_time import WHOLE_FILE_TABLES
from agentledger.purge_requests import PurgeRequest
from agentledger.raw_tables import RAW_TABLES

COUNTED_NAMES = {
    "skill_usage": ("skill_name", "workflow", "agent"),
    "workflow_executions": ("workflow_name",),
}
"""Columns of names that readers ask for and that may be known from one project alone."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows go."""

    project_ids: tuple[str, ...]
    source_ids: tuple[str, ...]

    def condition(
        self, columns: Sequence[str], alias: str = "", table: str | None = None
    ) -> str | None:
        """SQL that is true for a row that goes; None where a table tells of neither."""
        prefix = f"{alias}." if alias else ""
        parts = [
            f"coalesce({prefix}{column} in (select unnest(getvariable('purged_{column}s'))), false)"
            for column in ("source_id", "project_id")
            if column in columns
        ]
        if "cwd" in columns:  # the project of a line of a transcript follows from its folder
            parts.append(
                f"coalesce(({prefix}source_id, {prefix}cwd) in (select (w.source_id, w.cwd) "
                "from raw.working_directories as w where w.project_id in "
                "(select unnest(getvariable('purged_project_ids')))), false)"
            )
        if table in WHOLE_FILE_TABLES:  # few lines of a file tell the folder of all of them
            parts.append(
                f"{prefix}file_id in (select c.file_id from raw.{table} as c "
                "join raw.working_directories as w on w.source_id = c.source_id and w.cwd = c.cwd "
                "where w.project_id in (select unnest(getvariable('purged_project_ids'))))"
            )
        return f"({' or '.join(parts)})" if parts else None

    def bind(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Give a connection what `condition` reads."""
        for name, ids in (("source", self.source_ids), ("project", self.project_ids)):
            connection.execute(f"set variable purged_{name}_ids = ?::varchar[]", [list(ids)])


def expanded(connection: duckdb.DuckDBPyConnection, request: PurgeRequest) -> Scope:
    """The sources of a project, and the projects that only a source of the request names."""
    Scope(request.project_ids, request.source_ids).bind(connection)
    sources = connection.execute(
        "select source_id from raw.sources "
        "where project_id in (select unnest(getvariable('purged_project_ids')))"
    ).fetchall()
    source_ids = tuple(dict.fromkeys((*request.source_ids, *(row[0] for row in sources))))
    Scope(request.project_ids, source_ids).bind(connection)
    both = [
        f"select project_id, source_id from raw.{table}"
        for table, columns in _columns(connection).items()
        if {"project_id", "source_id"} <= set(columns)
    ]
    named = connection.execute(
        "select project_id from ("
        + " union ".join(both)
        + ") where project_id is not null group by project_id "
        "having bool_and(source_id in (select unnest(getvariable('purged_source_ids'))))"
    ).fetchall()
    project_ids = tuple(dict.fromkeys((*request.project_ids, *(row[0] for row in named))))
    return Scope(project_ids, source_ids)


def counts(connection: duckdb.DuckDBPyConnection, request: PurgeRequest) -> dict[str, int]:
    """Raw table → rows that a purge would remove now."""
    expanded(connection, request).bind(connection)
    found = {}
    for table, condition in conditions(connection).items():
        [(count,)] = connection.execute(
            f"select count(*) from raw.{table} where {condition}"
        ).fetchall()
        found[table] = count
    return found


def own_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names that stand in rows of the bound scope and in no other row."""
    names: set[str] = set()
    known = _columns(connection)
    for table, columns in COUNTED_NAMES.items():
        condition = Scope((), ()).condition(known.get(table, []))
        for column in columns if condition else ():
            rows = connection.execute(
                f"select trim({column}) from raw.{table} where {column} is not null "
                f"group by trim({column}) having bool_and({condition})"
            ).fetchall()
            names.update(row[0] for row in rows)
    return sorted(names)


def conditions(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Raw table → SQL that is true for the rows of the bound scope."""
    conditions = {
        table: Scope((), ()).condition(columns, table=table)
        for table, columns in _columns(connection).items()
    }
    return {table: condition for table, condition in conditions.items() if condition}


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Raw table → its columns, of whatever tables there are."""
    rows = connection.execute(
        "select table_name, list(column_name) from duckdb_columns() "
        "where schema_name = 'raw' and database_name = current_database() group by table_name"
    ).fetchall()
    found = dict(rows)
    return {table: found[table] for table in (*RAW_TABLES, *sorted(found)) if table in found}
