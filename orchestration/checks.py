"""Checks of the raw layer: is everything that was found accounted for?

Belongs here: counts and rates of `raw`, which no dbt test sees before the models are built. Does
not belong here: rules about the data (dbt tests beside the models; they are asset checks, too).

All of them run in one step over one connection: a step of its own costs more than a check.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb

from orchestration.resources import LedgerRun, WarehouseResource

REJECT_RATE_WARNING = 0.05
"""Share of records of a run. Torn last lines and hand edits stay far below; a format we do not know
yet is far above."""

STALE_SOURCE_HOURS = 24
"""A source that no run has looked at for a day was forgotten, not idle: each run looks at all."""

LAST_COLLECTION = "(select coalesce(collected_by, run_id) from raw.run_context)"
"""The run that the counts are those of; a tick by the clock writes its own id, but reads no file.
Null in a warehouse of an older version until it collects again."""

EXAMPLES = 5
"""How many names or paths a message shows; the tables have all."""


def _spec(table: str, name: str, description: str, *, blocking: bool = False) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=name,
        asset=dg.AssetKey(["raw", table]),
        description=description,
        blocking=blocking,
    )


CONSERVATION = _spec(
    "file_loads",
    "no_record_is_lost",
    "Accepted + rejected + already known records equal the records read, for every file of the "
    "run. When this fails, nothing is built.",
    blocking=True,
)
FILES_ACCOUNTED = _spec(
    "collection_runs",
    "every_file_is_accounted_for",
    "Files found equal files collected + skipped (unchanged) + quarantined, for every source of "
    "the run. When this fails, nothing is built.",
    blocking=True,
)
ANYTHING_READABLE = _spec(
    "files",
    "some_file_could_be_read",
    "Not every file that was ever found is unreadable: that would be a wrong path, missing rights "
    "or an unknown format, and an empty answer would hide it. When this fails, nothing is built.",
    blocking=True,
)
REJECT_RATE = _spec(
    "rejects",
    "few_records_are_rejected",
    f"At most {REJECT_RATE_WARNING:.0%} of the records read in the run were rejected. A warning "
    "only: what was accepted is still right.",
)
FRESHNESS = _spec(
    "sources",
    "every_source_was_looked_at",
    f"Every active source was collected within {STALE_SOURCE_HOURS} hours before the run.",
)
UNKNOWN_FIELDS = _spec(
    "unknown_fields",
    "no_unknown_fields",
    "No file has fields whose names we do not know. A warning only: their values are not stored, "
    "so a new field of a producer shows here first.",
)

SPECS = (
    CONSERVATION,
    FILES_ACCOUNTED,
    ANYTHING_READABLE,
    REJECT_RATE,
    FRESHNESS,
    UNKNOWN_FIELDS,
)


def build_checks() -> list[dg.AssetChecksDefinition]:
    """Make the checks of the raw tables."""

    @dg.multi_asset_check(name="check_raw", specs=list(SPECS), can_subset=True)
    def check_raw(
        context: dg.AssetCheckExecutionContext,
        warehouse: WarehouseResource,
        ledger_run: LedgerRun,
    ) -> Iterator[dg.AssetCheckResult]:
        """Compare what the last collection counted with what lies in the raw tables."""
        ledger_run.step("check")
        with warehouse.get_connection() as connection:
            for key in sorted(context.selected_asset_check_keys):
                yield CHECKS[key.name](connection)

    return [check_raw]


def records_conserved(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Accepted + rejected + already known = read, file by file of the last run."""
    read, accepted, rejected, known = _row(
        connection,
        "select coalesce(sum(records_read), 0), coalesce(sum(accepted), 0), "
        "coalesce(sum(rejected), 0), coalesce(sum(already_known), 0) "
        f"from raw.file_loads where run_id = {LAST_COLLECTION}",
    )
    lost = connection.execute(
        "select file_id, records_read, accepted, rejected, already_known from raw.file_loads "
        f"where run_id = {LAST_COLLECTION} "
        "and records_read <> accepted + rejected + already_known order by file_id limit ?",
        [EXAMPLES],
    ).fetchall()
    return _result(
        CONSERVATION,
        passed=not lost,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{accepted} accepted + {rejected} rejected + {known} already known = "
        f"{read} read"
        if not lost
        else "Records are missing from the count: " + "; ".join(map(_file_count, lost)),
        metadata={"read": read, "accepted": accepted, "rejected": rejected, "known": known},
    )


def _file_count(counts: tuple[int, int, int, int, int]) -> str:
    file_id, read, accepted, rejected, known = counts
    counted = accepted + rejected + known
    return (
        f"file {file_id} of raw.files had {read} read, but {counted} counted "
        f"({accepted} accepted + {rejected} rejected + {known} already known)"
    )


def files_accounted(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Found = collected + skipped + quarantined, source by source of the last run."""
    found, wrong = _row(
        connection,
        "select coalesce(sum(found), 0), "
        "count(*) filter (where found <> collected + skipped + quarantined) "
        f"from raw.collection_runs where run_id = {LAST_COLLECTION}",
    )
    return _result(
        FILES_ACCOUNTED,
        passed=wrong == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{found} file(s) found, {wrong} source(s) whose counts do not add up",
        metadata={"files found": found, "sources that do not add up": wrong},
    )


def anything_readable(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Fail when files were found and not one of them was ever read."""
    found, quarantined, readable, known = _row(
        connection,
        "select coalesce(sum(found), 0), coalesce(sum(quarantined), 0), "
        "coalesce(sum(collected + skipped), 0), "
        "(select count(*) from raw.files where records_read > 0) "
        f"from raw.collection_runs where run_id = {LAST_COLLECTION}",
    )
    passed = quarantined == 0 or readable > 0 or known > 0
    return _result(
        ANYTHING_READABLE,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{quarantined} of {found} file(s) found in the run could not be read. "
        "`agentledger status` names them.",
        metadata={"found": found, "quarantined": quarantined},
    )


def reject_rate(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Rejected / read of the last run, against the warning threshold."""
    read, rejected = _row(
        connection,
        "select coalesce(sum(records_read), 0), coalesce(sum(rejected), 0) "
        f"from raw.file_loads where run_id = {LAST_COLLECTION}",
    )
    reasons = connection.execute(
        "select reason, count(*) from raw.rejects "
        f"where run_id = {LAST_COLLECTION} "
        "group by reason order by count(*) desc, reason limit ?",
        [EXAMPLES],
    ).fetchall()
    said = ", ".join(f"{reason} ({count})" for reason, count in reasons)
    return _result(
        REJECT_RATE,
        passed=rejected <= read * REJECT_RATE_WARNING,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{rejected} of {read} record(s) rejected" + (f": {said}" if said else ""),
        metadata={"read": read, "rejected": rejected},
    )


def sources_fresh(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Every active source has a collection shortly before the run's instant."""
    active, stale = _row(
        connection,
        """
        select count(*), count(*) filter (where coalesce(last.collected_at, to_timestamp(0))
            < (select as_of from raw.run_context) - to_hours(?))
        from raw.sources
        left join (
            select source_id, max(started_at) as collected_at
            from raw.collection_runs
            group by source_id
        ) as last using (source_id)
        where is_active
        """,
        [STALE_SOURCE_HOURS],
    )
    return _result(
        FRESHNESS,
        passed=stale == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{active} active source(s), {stale} not looked at lately",
        metadata={"active": active, "stale": stale},
    )


def unknown_fields(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Name the fields that no allow-list knows."""
    names = connection.execute(
        "select field_name, sum(occurrences)::bigint from raw.unknown_fields "
        "group by field_name order by sum(occurrences) desc, field_name"
    ).fetchall()
    examples = ", ".join(f"{name} ({count}×)" for name, count in names[:EXAMPLES])
    return _result(
        UNKNOWN_FIELDS,
        passed=not names,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(names)} unknown field name(s): {examples}" if names else "none",
        metadata={"names": len(names)},
    )


CHECKS = {
    CONSERVATION.name: records_conserved,
    FILES_ACCOUNTED.name: files_accounted,
    ANYTHING_READABLE.name: anything_readable,
    REJECT_RATE.name: reject_rate,
    FRESHNESS.name: sources_fresh,
    UNKNOWN_FIELDS.name: unknown_fields,
}


def _row(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> tuple[int, ...]:
    row = connection.execute(sql, parameters or []).fetchone()
    # int: sums come as HUGEINT, which the metadata of Dagster does not take.
    return tuple(int(value) for value in row) if row else ()


def _result(
    spec: dg.AssetCheckSpec,
    *,
    passed: bool,
    severity: dg.AssetCheckSeverity,
    description: str,
    metadata: dict[str, Any],
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=passed,
        severity=severity,
        description=description,
        metadata=metadata,
    )
