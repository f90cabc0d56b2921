"""Tables on PostgreSQL servers as sources: read what is new of each, page by page.

Belongs here: the order of the steps for one table, what a problem means for the run, and the cheap
question whether anything is new. Does not belong here: sessions, tables, pages (the other modules
named `postgres_*.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import duckdb

from agentledger import postgres_sources, warehouse
from agentledger.errors import UsageError
from agentledger.ingest import file_ledger, plan, postgres_pages, rejects
from agentledger.ingest.load import LoadedFile, RunFacts
from agentledger.ingest.plan import KnownFile, Load
from agentledger.ingest.postgres_load import VARIANT, Copy
from agentledger.ingest.postgres_session import PostgresError, open_session
from agentledger.ingest.postgres_state import State, read_state
from agentledger.ingest.postgres_tables import describe
from agentledger.ingest.reports import FileProblem, SourceReport
from agentledger.ingest.scan import FoundFile
from agentledger.ingest.scan_roots import ScanRoot
from agentledger.ingest.staged_file import StagedFile
from agentledger.postgres_sources import PostgresEntry

ASK_TIMEOUT_SECONDS = 20
"""The question whether anything is new; a server that needs longer is asked by the run itself."""

ASK_VIEWS_AFTER = timedelta(hours=1)
"""A view without times is read whole each time: an automatic run does so once an hour."""

OnPage = Callable[[str, int, int], None]


def collect_tables(
    connection: duckdb.DuckDBPyConnection,
    roots: Sequence[ScanRoot],
    known: Mapping[tuple[str, str], KnownFile],
    facts: RunFacts,
    key: bytes,
    reports: Mapping[str, SourceReport],
    on_page: OnPage | None = None,
) -> int:
    """Read every table that the owner opted in to; a problem costs the rest of that table.

    Args:
        connection: The warehouse, opened for writing.
        roots: What the user opted in to, of every kind.
        known: The ledger by (source id, path).
        facts: Stamped on every row.
        key: Secret of the keyed hashes.
        reports: By source id; found tables and problems are added.
        on_page: Told about each page: project, rows read, rows estimated in all.

    Returns:
        The number of pages committed.
    """
    pages = 0
    for root in roots:
        if root.postgres is not None:
            reports[root.source_id].found += 1
            pages += _collect_table(
                connection, root, root.postgres, known, facts, key, reports[root.source_id], on_page
            )
    return pages


def _collect_table(
    connection: duckdb.DuckDBPyConnection,
    root: ScanRoot,
    entry: PostgresEntry,
    known: Mapping[tuple[str, str], KnownFile],
    facts: RunFacts,
    key: bytes,
    report: SourceReport,
    on_page: OnPage | None,
) -> int:
    before = known.get((root.source_id, entry.path))
    staged = _as_file(connection, root, entry, before)
    pages = 0
    try:
        dsn = postgres_sources.connection_string(entry)
        with open_session(dsn, entry.statement_timeout_seconds) as session:
            table = describe(session, entry.table, entry.contract)
            staged.format = table.format.name
            copy = Copy(connection, session, table, facts, key, staged, _rows_read(before))
            copy.prepare()
            for page in postgres_pages.plan_pages(
                session,
                table,
                read_state(connection, root.source_id),
                postgres_pages.moment(session),
                facts.ingested_at.astimezone(UTC).date(),
                entry.overlap_minutes,
            ):
                if on_page is not None:
                    on_page(root.project_name, copy.rows_before, table.estimated_rows)
                pages += copy.load(page)
        if not pages and (before is None or before.state != "loaded"):
            _write_ledger(connection, staged, facts)
    except (PostgresError, UsageError) as error:
        reason = error.reason if isinstance(error, PostgresError) else "refused"
        staged.state = "partial" if pages or (before and before.has_rows) else "unreadable"
        staged.message = str(error)
        report.add_problem(FileProblem(entry.path, reason, str(error)))
        _write_ledger(connection, staged, facts)
    return pages


def _as_file(
    connection: duckdb.DuckDBPyConnection,
    root: ScanRoot,
    entry: PostgresEntry,
    before: KnownFile | None,
) -> StagedFile:
    """A table as the ledger of files knows it."""
    found = FoundFile(root, entry.path, 0, 0, 0, "", "events")
    load = Load(
        found, before.file_id if before else None, has_rows=bool(before and before.has_rows)
    )
    if before is not None:
        return StagedFile(load, before.file_id, before.format or root.kind, variant=VARIANT)
    [(highest,)] = connection.execute("select coalesce(max(file_id), 0) from raw.files").fetchall()
    return StagedFile(load, highest + 1, root.kind, variant=VARIANT)


def _rows_read(before: KnownFile | None) -> int:
    return (before.line_count or 0) if before else 0


def _write_ledger(
    connection: duckdb.DuckDBPyConnection, staged: StagedFile, facts: RunFacts
) -> None:
    """Note how reading a table ended where no page tells it."""
    staged.unknown.clear()
    with warehouse.transaction(connection):
        load_seq = plan.latest_load_seq(connection) + 1
        staged.is_resumed = True
        file_ledger.write(connection, [LoadedFile(staged, 0, 0, 0, 0, 0.0)], facts, load_seq)
        rejects.write(connection, [staged], facts, load_seq)


def reasons_to_run(
    roots: Sequence[ScanRoot],
    states: Mapping[str, tuple[State, datetime]],
    now: datetime,
    *,
    is_automatic: bool,
) -> list[str]:
    """Ask the servers whether a run would find anything new.

    A server that cannot be asked is a reason for a person, whom the run tells why; it is none for a
    schedule, which would start a run each minute until the server is back.

    Args:
        roots: What the user opted in to, of every kind.
        states: By source id, how far each was read and when; one without was never read.
        now: The instant.
        is_automatic: A schedule or sensor asks.
    """
    reasons = []
    for root in roots:
        if root.postgres is None:
            continue
        try:
            if _has_news(root.postgres, states.get(root.source_id), now, is_automatic):
                reasons.append(f"{root.postgres.path} has rows that were not read")
        except (PostgresError, UsageError) as error:
            if not is_automatic:
                reasons.append(f"{root.postgres.path} cannot be asked: {error}")
    return reasons


def _has_news(
    entry: PostgresEntry,
    known: tuple[State, datetime] | None,
    now: datetime,
    is_automatic: bool,
) -> bool:
    dsn = postgres_sources.connection_string(entry)
    with open_session(dsn, min(ASK_TIMEOUT_SECONDS, entry.statement_timeout_seconds)) as session:
        table = describe(session, entry.table, entry.contract)
        if known is None or not known[0].is_complete:
            return True
        state, read_at = known
        if postgres_pages.begins_anew(table, state, postgres_pages.moment(session)):
            return not is_automatic or now - read_at >= ASK_VIEWS_AFTER
        condition = postgres_pages.new_rows_condition(table, state, now.astimezone(UTC).date())
        [(found,)] = session.rows(
            f"select exists(select 1 from {table.sql} as t where {condition})"
        )
        return bool(found)
