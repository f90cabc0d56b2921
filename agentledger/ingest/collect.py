"""Collect every registered source once: list, plan, load batch by batch, report.

Belongs here: the order of the steps and the bookkeeping of a run. Does not belong here: the steps
themselves (the other modules of this package), when a run happens (`orchestration/`).
"""

import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import duckdb

from agentledger import (
    event_time,
    fingerprints,
    privacy,
    purge,
    registry,
    retention,
    vault,
    warehouse,
)
from agentledger.ingest import (
    load,
    model_prices,
    plan,
    postgres,
    rejects,
    scan,
    skill_store_copy,
    working_directories,
)
from agentledger.ingest.reports import CollectionReport, FileProblem, SourceReport
from agentledger.ingest.scan_roots import ScanRoot, scan_roots
from agentledger.ingest.text_tables import TABLES_WITH_TEXTS
from agentledger.settings import Settings

# A second attempt at a run replaces what the first one wrote.
_ALL_COUNTS = ", ".join(
    f"{name} = excluded.{name}"
    for name in (
        "found", "collected", "skipped", "quarantined", "errors", "records_read", "accepted",
        "rejected", "already_known", "seconds",
    )
)  # fmt: skip

TABLES_WITH_NAMED_PROJECTS = (
    "workflow_executions", "skill_usage", "usage_events", "agent_telemetry",
    "langfuse_observations", "langfuse_traces", "langfuse_scores",
)  # fmt: skip
"""Raw tables whose events may name a project of their own."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done, bytes in all."""


def collect(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    as_of: datetime,
    on_progress: Progress | None = None,
    is_whole_run: bool = True,
) -> CollectionReport:
    """Bring the raw tables up to date with every registered source.

    The caller holds the run lock. A file that cannot be read costs that file; each batch commits by
    itself, so that a run killed in the middle goes on where it stopped.

    Args:
        settings: Names the data home.
        connection: The warehouse, opened for writing.
        run_id: Stamped on every row.
        as_of: The instant of the run, aware; the only clock of what follows.
        on_progress: Told about each batch.
        is_whole_run: Whether the same run builds every model and publishes; only then may rows go
            that the owner does not want kept.
    """
    started = time.monotonic()
    # Else the checkpoint of a batch writes its row groups again where they are not full, which is
    # half of them. What a purge leaves behind goes with the copy of the file (`compaction.py`).
    connection.execute("set max_vacuum_tasks = 0")
    skill_store_copy.sweep(settings.spill_dir)
    if is_whole_run:
        purge.begin(settings, connection, run_id=run_id, as_of=as_of)
    known = plan.read_ledger(connection)
    if known:
        privacy.require_key(settings)
    key = privacy.load_or_create_key(settings)
    config = registry.load_config(settings)
    roots = scan_roots(config, settings, key)
    reports = {
        root.source_id: SourceReport(root.source_id, root.project_id, root.project_name)
        for root in roots
    }
    found, problems = scan.scan(roots)
    work = plan.plan_loads(found, known, as_of=as_of)
    for file in found:
        reports[file.root.source_id].found += 1
    for problem in problems:
        reports[problem.root.source_id].add_problem(
            FileProblem(problem.path, problem.reason, problem.detail)
        )
    days = config.retention_days
    event_time.define(connection, {root.source_id: root.zone for root in roots})
    facts = load.RunFacts(
        run_id,
        privacy.keyed_hash(key, socket.gethostname())[:32],
        as_of,
        keeps_from=None if days is None else retention.cutoff(days, as_of),
    )
    batches = plan.cut_batches(work.loads)
    total_bytes = sum(item.file.size_bytes for item in work.loads)
    done_bytes = 0
    keeper = vault.Keeper(
        settings,
        connection,
        run_id,
        source_ids=frozenset(root.source_id for root in roots if root.keeps_texts),
        tables=TABLES_WITH_TEXTS,
        sweeps_at_end=days is not None,
    )
    with keeper.collecting():
        for batch in batches:
            if on_progress is not None:
                on_progress(batch[0].file.root.project_name, done_bytes, total_bytes)
            for loaded in load.load_batch(connection, batch, facts, key):
                _note_problems(reports[loaded.staged.load.file.root.source_id], loaded)
            done_bytes += sum(item.file.size_bytes for item in batch)
        pages = postgres.collect_tables(connection, roots, known, facts, key, reports, on_progress)
        retention.apply(
            settings, connection, days, run_id=run_id, as_of=as_of, removes=is_whole_run
        )
    _count_from_ledger(connection, run_id, reports)
    report = CollectionReport(
        run_id=run_id,
        load_seq=plan.latest_load_seq(connection),
        sources=list(reports.values()),
        batches=len(batches) + pages,
    )
    with warehouse.transaction(connection):
        found_prices = model_prices.write(connection, config.prices, run_id=run_id, as_of=as_of)
        _write_context(connection, key, roots, report, as_of, found_prices)
    report.seconds = time.monotonic() - started
    return report


def _note_problems(report: SourceReport, loaded: load.LoadedFile) -> None:
    """Keep what a person must know about one file."""
    file = loaded.staged
    if file.state in rejects.QUARANTINE_STATES:
        report.add_problem(FileProblem(file.load.file.ledger_path, file.state, file.message or ""))
    for reject in file.rejected:
        where = (
            f"line {reject['line_no']}, byte {reject['byte_offset']}"
            if "line_no" in reject
            else f"row {reject['ordinal']}"
        )
        report.add_problem(
            FileProblem(
                file.load.file.ledger_path, reject["reason"], f"{where}: {reject['detail']}"
            )
        )


def _count_from_ledger(
    connection: duckdb.DuckDBPyConnection, run_id: str, reports: dict[str, SourceReport]
) -> None:
    """Fill in the counts of the whole run, a failed first attempt at it included."""
    quarantined = ", ".join(f"'{state}'" for state in sorted(rejects.QUARANTINE_STATES))
    rows = connection.execute(
        f"""
        select source_id,
            count(distinct file_id) filter (where state not in ({quarantined})),
            count(distinct file_id) filter (where state in ({quarantined})),
            sum(records_read)::bigint, sum(accepted)::bigint, sum(rejected)::bigint,
            sum(already_known)::bigint, sum(seconds)
        from raw.file_loads where run_id = ? group by source_id
        """,
        [run_id],
    ).fetchall()
    for source_id, collected, unreadable, read, accepted, rejected, known, seconds in rows:
        report = reports[source_id]
        report.collected, report.quarantined = collected, unreadable
        report.records_read, report.accepted = read, accepted
        report.rejected, report.already_known, report.seconds = rejected, known, seconds
    for report in reports.values():
        report.skipped = report.found - report.collected - report.quarantined


def _write_context(
    connection: duckdb.DuckDBPyConnection,
    key: bytes,
    roots: Sequence[ScanRoot],
    report: CollectionReport,
    as_of: datetime,
    found_prices: str,
) -> None:
    """Write what is not a row of telemetry: projects, sources, the run's own facts."""
    context = fingerprints.current_context(connection, roots, report.load_seq, found_prices)
    connection.execute("update raw.projects set is_active = false")
    connection.execute("update raw.sources set is_active = false")
    for root in roots:
        connection.execute(
            "insert into raw.projects values (?, ?, ?, ?, ?, true, try_cast(? as timestamptz), ?) "
            "on conflict (project_id) do update set project_name = excluded.project_name, "
            "project_type = excluded.project_type, zone = excluded.zone, is_active = true, "
            "registered_at = excluded.registered_at, last_seen_at = excluded.last_seen_at",
            [root.project_id, root.project_name, root.project_type, root.location, root.zone,
             root.registered_at, as_of],
        )  # fmt: skip
        connection.execute(
            "insert into raw.sources as known values (?, ?, ?, ?, ?, true, ?, ?) "
            "on conflict (source_id) do update set zone = excluded.zone, is_active = true, "
            "last_seen_at = excluded.last_seen_at, "
            # A mapping that cannot be used now changes nothing of what was read by it.
            "mapping = coalesce(excluded.mapping, known.mapping)",
            [
                root.source_id,
                root.kind,
                root.location,
                root.project_id,
                root.zone,
                as_of,
                root.mapping.fingerprint if root.mapping else None,
            ],
        )
    _write_named_projects(connection, as_of)
    working_directories.write(connection, key, roots, as_of, report.load_seq)
    for item in report.sources:
        connection.execute(
            f"insert into raw.collection_runs values ({', '.join('?' * 14)}) "
            "on conflict do update set " + _ALL_COUNTS,
            [report.run_id, item.source_id, item.project_id, item.found, item.collected,
             item.skipped, item.quarantined, item.errors, item.records_read, item.accepted,
             item.rejected, item.already_known, item.seconds, as_of],
        )  # fmt: skip
    connection.execute("delete from raw.run_context")
    connection.execute(
        "insert into raw.run_context (run_id, as_of, load_seq, projects_fingerprint, "
        "sources_fingerprint, models_fingerprint, prices_fingerprint, prices_judged_at, "
        "collected_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [report.run_id, as_of, context.load_seq, context.projects, context.sources,
         context.models, context.prices, as_of, report.run_id],
    )  # fmt: skip


def _write_named_projects(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
    """Projects that events of an active source name themselves: opted in with their source."""
    for table in TABLES_WITH_NAMED_PROJECTS:
        connection.execute(
            f"""
            insert into raw.projects
            select e.project_id, min(e.named_project), 'source', min(s.location), min(s.zone),
                true, null, ?
            from raw.{table} as e
            join raw.sources as s on s.source_id = e.source_id and s.is_active
            where e.named_project is not null and e.project_id <> s.project_id
            group by e.project_id
            on conflict (project_id) do update set is_active = true,
                last_seen_at = excluded.last_seen_at
            """,
            [as_of],
        )
