"""What a table on a PostgreSQL server is to us: its contract, its columns, its order.

Belongs here: asking the server's catalogue, choosing the format, the columns that tell when a row
was written, the select list and its counterpart in DuckDB. Does not belong here: which rows
(`postgres_pages.py`), what is kept of a field (the formats).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentledger.ingest.event_formats import FORMATS, EventFormat, recognise
from agentledger.ingest.postgres_session import PostgresError, Session, literal, quoted

TABLES = (
    "agent_telemetry", "intent_events", "chat_events", "workflow_executions", "usage_events",
    "execution_metrics", "ai_usage_events", "intent_executions", "suggestion_feedback",
)  # fmt: skip
"""Contracts that a table may follow."""

UPDATE_COLUMNS = ("updated_at",)
INSERT_COLUMNS = ("inserted_at", "created_at", "ts", "occurred_at", "completed_at", "started_at")
"""Columns that tell when a row was written, the more telling first."""

_TIMES = {"timestamp with time zone", "timestamp without time zone", "date"}
_NUMBERS = {"smallint", "integer", "bigint"}
_EXACT = _NUMBERS | {"boolean"}
"""Types that arrive as they are; all others as text, which is exact for each of them."""

_HAS_ROW_VERSIONS = frozenset("rpm")
"""Tables, partitioned tables and materialised views have `xmin`; views and foreign tables do
not."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table, as the catalogue tells it."""

    name: str
    type: str
    is_array: bool
    is_required: bool

    @property
    def is_json(self) -> bool:
        """Whether its values are JSON already."""
        return self.type in ("json", "jsonb")


@dataclass(frozen=True, slots=True)
class Watermark:
    """The order in which rows were written, as far as their columns tell."""

    kind: str
    """`time`, `number`, or `none` where no column tells."""
    sql: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteTable:
    """A table, and how it is read."""

    oid: int
    schema: str
    name: str
    kind: str
    blocks: int
    estimated_rows: int
    format: EventFormat
    columns: Mapping[str, Column]
    watermark: Watermark

    @property
    def sql(self) -> str:
        """Its name in SQL."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def identity(self) -> str | None:
        """Column that identifies a row, where the table has it."""
        named = re.findall(r"x\.(\w+)", self.format.columns[self.format.identity])
        return next((name for name in named if name in self.columns), None)

    @property
    def has_row_versions(self) -> bool:
        """Whether the server can tell which rows were written since a moment."""
        return self.kind in _HAS_ROW_VERSIONS

    @property
    def unknown(self) -> list[str]:
        """Columns that the contract does not know; their values are never asked for."""
        known = self.format.fields.keys() | self.format.known_names
        return sorted(set(self.columns) - known)

    def select_list(self) -> str:
        """The fields of the contract that the table has, in a form that loses nothing."""
        return ", ".join(_selected(self.columns[name]) for name in self._read())

    def record_sql(self) -> str:
        """DuckDB's SQL of the struct `x` over the columns as they arrive."""
        fields = []
        for name, wanted in self.format.fields.items():
            column = self.columns.get(name)
            value = "null" if column is None else _received(column, wanted)
            fields.append(f"{name} := {value if column is not None else _null(wanted)}")
        return f"struct_pack({', '.join(fields)})"

    def _read(self) -> list[str]:
        return [name for name in self.format.fields if name in self.columns]


def describe(session: Session, table: str, contract: str | None) -> RemoteTable:
    """Ask the server what a table is, and choose how it is read.

    Args:
        session: An open session.
        table: Name as SQL would take it, with its schema or found by the search path.
        contract: Which contract it follows; None takes the one of its name or its columns.

    Raises:
        PostgresError: When there is no such table, or it lacks what the contract needs.
    """
    found = session.rows(
        "select c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, "
        "c.reltuples::bigint, "
        "case when c.relkind = 'p' then (select coalesce(sum(pg_relation_size(relid)), 0) "
        "from pg_partition_tree(c.oid)) when c.relkind in ('r', 'm') then pg_relation_size(c.oid) "
        "else 0 end::bigint / 8192 "
        "from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        f"where c.oid = to_regclass({literal(table)}) and c.relkind in ('r', 'p', 'm', 'v', 'f')"
    )
    if not found:
        raise PostgresError("no_table", f"there is no table {table} that its user can see")
    oid, schema, name, kind, rows, blocks = found[0]
    columns = _columns(session, oid)
    chosen = _format(table, name, contract, columns)
    return RemoteTable(
        oid, schema, name, kind, blocks, max(rows, 0), chosen, columns, _watermark(chosen, columns)
    )


def _columns(session: Session, oid: int) -> dict[str, Column]:
    rows = session.rows(
        "select a.attname::text, "
        "format_type(case when t.typtype = 'd' then t.typbasetype else t.oid end, null), "
        "t.typcategory = 'A', a.attnotnull "
        "from pg_attribute as a join pg_type as t on t.oid = a.atttypid "
        f"where a.attrelid = {oid} and a.attnum > 0 and not a.attisdropped "
        f"and has_column_privilege({oid}, a.attnum, 'SELECT') order by a.attnum"
    )
    return {
        name: Column(name, type_, bool(array), bool(needed)) for name, type_, array, needed in rows
    }


def _format(
    table: str, name: str, contract: str | None, columns: Mapping[str, Column]
) -> EventFormat:
    wanted = FORMATS.get(contract or name)
    told = recognise(columns)
    if contract is None and (wanted is None or not _tells(wanted, columns)):
        # `usage_events` is the name of two contracts: the columns decide.
        wanted = told or wanted
    if wanted is None:
        raise PostgresError(
            "unknown_table",
            f"nothing tells what {table} holds; name its contract with --as: {', '.join(TABLES)}",
        )
    missing = _missing(wanted, columns)
    if missing:
        raise PostgresError(
            "missing_columns",
            f"{table} has no column {', '.join(missing)} that its user may read, and the contract "
            f"{wanted.name} needs it; nothing was read of it",
        )
    return wanted


def _tells(wanted: EventFormat, columns: Mapping[str, Column]) -> bool:
    return any(told <= columns.keys() for told in wanted.told_by)


def _missing(wanted: EventFormat, columns: Mapping[str, Column]) -> list[str]:
    """Columns without which no record can be made."""
    needed: set[str] = set()
    for column in re.findall(r"(\w+) is not null", wanted.must_have):
        read = dict.fromkeys(re.findall(r"x\.(\w+)", wanted.columns[column]))
        fields = [name for name in read if name in wanted.fields]
        if not any(name in columns for name in fields):
            needed |= set(fields[:1])
    if not _tells(wanted, columns):
        needed |= min((told - columns.keys() for told in wanted.told_by), key=len)
    return sorted(needed)


def _watermark(wanted: EventFormat, columns: Mapping[str, Column]) -> Watermark:
    times = {name: column for name, column in columns.items() if column.type in _TIMES}
    updated = [name for name in UPDATE_COLUMNS if name in times]
    if updated and times[updated[0]].is_required:
        return _time_watermark(updated)
    inserted = [name for name in INSERT_COLUMNS if name in times]
    if inserted and inserted[0] in ("completed_at", "started_at"):
        # A run that ends is written again, and then its end is the latest of its times.
        return _time_watermark([*updated, *inserted])
    if inserted:
        return _time_watermark([*updated, inserted[0]])
    identity = re.findall(r"x\.(\w+)", wanted.columns[wanted.identity])
    numbered = next((n for n in identity if n in columns and columns[n].type in _NUMBERS), None)
    if numbered is not None:
        return Watermark("number", f"t.{quoted(numbered)}::bigint", (numbered,))
    return Watermark("none", None, ())


def _time_watermark(names: Sequence[str]) -> Watermark:
    # The session's zone is UTC, so that a time without a zone is compared as if it were in UTC.
    listed = ", ".join(f"t.{quoted(name)}::timestamptz" for name in names)
    # A bare column, as an index has it, where one is enough.
    sql = f"t.{quoted(names[0])}" if len(names) == 1 else f"greatest({listed})"
    return Watermark("time", sql, tuple(names))


def _selected(column: Column) -> str:
    name = f"t.{quoted(column.name)}"
    if column.type in _EXACT:
        return name
    if column.is_array or column.type.endswith("[]"):
        return f"to_json({name})::text as {quoted(column.name)}"
    return f"{name}::text as {quoted(column.name)}"


def _received(column: Column, wanted: object) -> str:
    """SQL for a field as the JSON of the same row would give it."""
    name = '"' + column.name + '"'
    holds_json = column.is_json or column.is_array or column.type.endswith("[]")
    if holds_json:
        # An escaped NUL is refused by `jsonb` and let through by `json`.
        parsed = f"try(json(replace({name}, '\\u0000', '')))"
    elif column.type in _EXACT:
        parsed = f"to_json({name})"
    else:
        parsed = f"to_json({_text(column, name)})"
    if wanted == "JSON":
        return parsed
    if wanted == "VARCHAR":
        return f"{parsed} ->> '$'" if holds_json else f"cast({_text(column, name)} as varchar)"
    return f"try(json_transform({parsed}, '{json.dumps(wanted)}'))"


def _text(column: Column, name: str) -> str:
    if column.type == "timestamp with time zone":
        # As `row_to_json` writes it. What has no such form (infinity, BC) stays and is no time.
        return (
            f"case when ends_with({name}, '+00') then replace({name}, ' ', 'T') || ':00' "
            f"else {name} end"
        )
    if column.type == "timestamp without time zone":
        return f"case when ends_with({name}, ' BC') then {name} else replace({name}, ' ', 'T') end"
    return name


def _null(wanted: object) -> str:
    if isinstance(wanted, str):
        return f"null::{wanted}"
    return f"json_transform(null::json, '{json.dumps(wanted)}')"
