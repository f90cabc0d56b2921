"""Try a source out: read it as a run would, into a database that is thrown away.

Belongs here: what `source check` tells of a location. Does not belong here: reading and landing
(the modules that a run uses, too), printing (`cli/source_check.py`).

Nothing is written to the data home, not even a key; the rows are those that a run would land.
"""

import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from agentledger import privacy, registry, warehouse
from agentledger.errors import UsageError
from agentledger.ingest import load, mapped_format, mapping, plan, scan
from agentledger.ingest.mapping import Mapping
from agentledger.ingest.scan_roots import OWN_KINDS, ScanRoot, scan_roots
from agentledger.raw_tables import EVENT_TABLES
from agentledger.raw_transcripts import TRANSCRIPT_TABLES
from agentledger.settings import Settings
from agentledger.zones import check_zone

REJECTS_SHOWN = 20
NAMES_SHOWN = 200
FILES_SHOWN = 1_000

COLUMN_OF_FIELD = {
    "occurred_at": "ts",
    "project_id": "named_project",
    "run_id": "task_run_id",
    "error_type": "error_class",
}
"""Field of the contract → raw column, where the two differ."""

_PLUMBING = frozenset(
    {
        "record_key", "content_hash", "file_id", "line_no", "byte_offset", "ordinal",
        "repeat_ordinal", "source_id", "project_id", "host_id", "run_id", "ingested_at",
        "load_seq", "flags", "withheld", "variant", "schema_version",
    }
)  # fmt: skip


@dataclass(slots=True)
class CheckReport:
    """What a run would make of a location."""

    kind: str
    location: str
    mapping: str | None
    zone: str
    files: list[dict[str, Any]] = field(default_factory=list)
    more_files: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, int] = field(default_factory=dict)
    tables: list[dict[str, Any]] = field(default_factory=list)
    unmapped: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)


def check(
    settings: Settings,
    kind: str,
    location: str,
    *,
    mapping_reference: str | None = None,
    zone: str | None = None,
    n_rows: int = 5,
) -> CheckReport:
    """Read a location as a source of a kind, and tell what would land.

    Args:
        settings: Names the data home, which is only looked at for its key and its time zone.
        kind: One of `registry.SOURCE_KINDS`.
        location: File or folder.
        mapping_reference: Of a mapped log: the name or path of its mapping.
        zone: IANA zone of times without an offset.
        n_rows: First rows of each table to show.

    Raises:
        UsageError: When the location or the mapping cannot be used.
    """
    check_zone(zone)
    resolved = registry.source_location(kind, location)
    if not Path(resolved).exists():
        raise UsageError(f"There is nothing at {resolved}.")
    if (kind == "mapped") != (mapping_reference is not None):
        raise UsageError("Give --mapping NAME|FILE for a mapped log, and for no other kind.")
    reference = None
    if mapping_reference is not None:
        reference = mapping.resolve_reference(mapping_reference)
        mapped_format.compiled(mapping.load(reference))  # complains before anything is read
    source = registry.Source(kind, resolved, zone, mapping=reference)
    is_known = settings.key_path.exists()
    key = privacy.load_or_create_key(settings) if is_known else secrets.token_bytes(32)
    with tempfile.TemporaryDirectory(prefix="agentledger-check-") as folder:
        aside = replace(settings, home=Path(folder))
        warehouse.prepare_home(aside)
        config = registry.Config(sources=(source,))
        [root] = [root for root in scan_roots(config, aside, key) if root.kind not in OWN_KINDS]
        if root.mapping is not None:
            root = replace(root, mapping=replace(root.mapping, looks_inside=True))
        report = CheckReport(kind, resolved, root.mapping.name if root.mapping else None, root.zone)
        with warehouse.open_warehouse(aside) as connection:
            _load(connection, root, key, report)
            _tell(connection, root.mapping, report, n_rows)
    return report


def _load(
    connection: duckdb.DuckDBPyConnection, root: ScanRoot, key: bytes, report: CheckReport
) -> None:
    found, problems = scan.scan([root])
    report.problems = [
        {"path": problem.path, "reason": problem.reason, "detail": problem.detail}
        for problem in problems
    ]
    now = datetime.now(UTC)
    facts = load.RunFacts("check", "check", now)
    for batch in plan.cut_batches(plan.plan_loads(found, {}, as_of=now).loads):
        load.load_batch(connection, batch, facts, key)


def _tell(
    connection: duckdb.DuckDBPyConnection,
    used: Mapping | None,
    report: CheckReport,
    n_rows: int,
) -> None:
    report.files = _rows(
        connection,
        "select path, case when format like 'mapped\\_%' escape '\\' then 'mapped' else format end "
        "as format, variant, state, message, records_read as records, accepted, rejected, "
        f"already_known as repeated from raw.files order by path limit {FILES_SHOWN}",
    )
    [totals] = _rows(
        connection,
        "select count(*) as files, coalesce(sum(records_read), 0)::bigint as records, "
        "coalesce(sum(accepted), 0)::bigint as accepted, "
        "coalesce(sum(rejected), 0)::bigint as rejected, "
        "coalesce(sum(already_known), 0)::bigint as repeated from raw.files",
    )
    report.records = totals
    report.more_files = totals["files"] - len(report.files)
    report.unmapped = _rows(
        connection,
        "select field_name as name, sum(occurrences)::bigint as occurrences "
        f"from raw.unknown_fields group by all order by 2 desc, 1 limit {NAMES_SHOWN}",
    )
    report.rejected = _rows(
        connection,
        "select f.path, r.line_no, r.byte_offset, r.ordinal, r.reason, r.detail "
        "from raw.rejects as r join raw.files as f on f.file_id = r.file_id "
        f"order by f.path, r.line_no, r.ordinal limit {REJECTS_SHOWN}",
    )
    for table in ("skill_usage", *EVENT_TABLES, *TRANSCRIPT_TABLES):
        columns = _columns(connection, table)
        if "record_key" in columns:
            told = _table(connection, table, columns, used, n_rows)
            if told is not None:
                report.tables.append(told)


def _table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[str],
    used: Mapping | None,
    n_rows: int,
) -> dict[str, Any] | None:
    """First rows and the share of NULLs of each field of a raw table; None when it is empty."""
    kept = [name for name in columns if name not in _PLUMBING]
    counts = ", ".join(f"count({name}) as {name}" for name in kept)
    [known] = _rows(connection, f"select count(*) as n_rows, {counts} from raw.{table}")
    total = known.pop("n_rows")
    if not total:
        return None
    withheld = _withheld(connection, table) if "withheld" in columns else {}
    fields = [
        fact | {
            "nulls": total - known[fact["column"]],
            "null_share": (total - known[fact["column"]]) / total,
            "other": withheld.get(fact["column"], 0),
        }
        for fact in _fields(kept, used)
    ]  # fmt: skip
    shown = ", ".join(fact["column"] for fact in fields if known[fact["column"]])
    order = ", ".join(name for name in ("file_id", "line_no", "ordinal") if name in columns)
    first = _rows(
        connection,
        f"select {shown or 'record_key'}{', flags' if 'flags' in columns else ''} "
        f"from raw.{table} order by {order} limit {n_rows:d}",
    )
    return {"table": f"raw.{table}", "rows": total, "first_rows": first, "fields": fields}


def _fields(columns: Iterable[str], used: Mapping | None) -> list[dict[str, Any]]:
    """Of a mapped log the fields of the contract, of another the columns."""
    if used is None:
        return [{"field": name, "column": name, "from": None, "unit": None} for name in columns]
    return [
        {
            "field": name,
            "column": COLUMN_OF_FIELD.get(name, name),
            "from": used.fields[name].source if name in used.fields else None,
            "unit": used.fields[name].unit if name in used.fields else None,
        }
        for name in mapping.FIELDS
    ]


def _withheld(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    rows = connection.execute(
        "select name, count(*) from (select unnest(json_keys(withheld)) as name "
        f"from raw.{table} where withheld is not null) group by all"
    ).fetchall()
    return dict(rows)


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'raw' and table_name = ? "
        "order by column_index",
        [table],
    ).fetchall()
    return [name for (name,) in rows]


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    found = connection.execute(sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
