"""Removing what the owner does not want kept: a project, a source, or what is too old.

Belongs here: the order of a purge and its steps in the warehouse. Does not belong here: the request
(`purge_requests.py`), which rows are meant (`purge_scope.py`), what is too old (`retention.py`),
files (`purge_traces.py`), the copy that gives the space back (`compaction.py`).

The order: the request is on disk before anything is removed. A whole run then removes the raw rows
(`begin`), reads, builds every model anew and publishes; after that (`finish`) go the older
snapshots, the other files and the free space of the warehouse, last the request. Each step may be
repeated. A killed run leaves the request, and the next run takes it up.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from agentledger import (
    compaction,
    privacy,
    publish,
    purge_requests,
    purge_scope,
    purge_traces,
    registry,
    status,
    warehouse,
)
from agentledger.purge_requests import PurgeRequest
from agentledger.settings import Settings

ForgetHistory = Callable[[Sequence[PurgeRequest]], None]
"""Removes what the orchestrator's history quotes of the rows that went."""


def pending_reasons(settings: Settings) -> list[str]:
    """Why a run is needed: purges that were asked for and are not complete."""
    pending = purge_requests.pending_requests(settings)
    return [f"{len(pending)} purge(s) to complete"] if pending else []


def is_pending(settings: Settings) -> bool:
    """Whether models may still hold rows that are to go: then all of them are built anew."""
    return bool(purge_requests.pending_requests(settings))


def begin(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    as_of: datetime,
) -> None:
    """Remove the raw rows of every pending request, before anything is read.

    The caller holds the run lock and builds every model anew in the same run.

    Args:
        settings: Names the data home.
        connection: The warehouse, opened for writing.
        run_id: The run, for the record of what was removed.
        as_of: The instant of the run, aware.
    """
    for request in purge_requests.pending_requests(settings):
        if is_recorded(connection, request):
            continue
        if request.kind == "retention":
            # Killed before it removed anything: what is too old is looked for anew.
            purge_requests.remove_request(settings, request)
            continue
        if not request.is_unregistered:
            registry.forget_entry(settings, request)
            request = purge_requests.mark_unregistered(settings, request)
        _remove_rows(settings, connection, request, run_id, as_of)


def is_recorded(connection: duckdb.DuckDBPyConnection, request: PurgeRequest) -> bool:
    """Whether the rows of a request went already."""
    return bool(
        connection.execute(
            "select 1 from raw.purges where purge_id = ?", [request.request_id]
        ).fetchall()
    )


def _remove_rows(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    request: PurgeRequest,
    run_id: str,
    as_of: datetime,
) -> None:
    size = purge_traces.folder_bytes(settings.home)
    purge_scope.expanded(connection, request).bind(connection)
    names = [*request.names, *purge_scope.own_names(connection)]
    # Before the rows go, which alone tell the names.
    purge_traces.forget_reads(settings, names)
    with warehouse.transaction(connection):
        removed = {
            table: _deleted(connection, table, condition)
            for table, condition in purge_scope.conditions(connection).items()
        }
        removed["ledger_reads"] += _deleted(
            connection, "ledger_reads", "trim(subject_name) in (select unnest(?::varchar[]))", names
        )
        record(settings, connection, request, removed, run_id=run_id, as_of=as_of, size=size)


def _deleted(
    connection: duckdb.DuckDBPyConnection, table: str, condition: str, *parameters: Any
) -> int:
    [(count,)] = connection.execute(
        f"delete from raw.{table} where {condition}", list(parameters)
    ).fetchall()
    return count


def record(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    request: PurgeRequest,
    removed: dict[str, int],
    *,
    run_id: str,
    as_of: datetime,
    size: int,
) -> None:
    """Write down what went, inside the transaction that removes it.

    Args:
        settings: Names the data home.
        connection: The warehouse, in a transaction.
        request: What was asked for.
        removed: Raw table → rows removed.
        run_id: The run.
        as_of: Its instant, aware.
        size: Bytes of the data home before.
    """
    key = privacy.load_or_create_key(settings)
    scope = "\x1f".join(("purge", request.kind, *request.project_ids, *request.source_ids))
    connection.execute(
        "insert into raw.purges select ?, ?, ?, ?::timestamptz, greatest("
        "(select coalesce(max(load_seq), 0) from raw.file_loads), "
        "(select coalesce(max(load_seq), 0) from raw.purges)) + 1, "
        "?, ?, ?, ?::timestamptz, ?::timestamptz, null, ?, null",
        [
            request.request_id, request.kind, privacy.keyed_hash(key, scope)[:32],
            request.cutoff, run_id,
            json.dumps({table: count for table, count in removed.items() if count}),
            sum(removed.values()), request.requested_at, as_of, size,
        ],
    )  # fmt: skip


def finish(settings: Settings, *, run_id: str, forget_history: ForgetHistory) -> list[str]:
    """Complete the purges whose rows this run removed, after its build was published.

    Args:
        settings: Names the data home; the caller holds the run lock.
        run_id: The run, whose own files stay.
        forget_history: Removes what the orchestrator keeps of the rows that went.

    Returns:
        What went, in words, one line per purge.
    """
    with warehouse.open_warehouse(settings) as connection:
        requests = [
            request
            for request in purge_requests.pending_requests(settings)
            if is_recorded(connection, request)
        ]
        read = connection.execute(
            "select path, size_bytes from raw.files where state in ('loaded', 'partial', 'empty')"
        ).fetchall()
    if not requests:
        return []
    publish.prune(settings, kept_builds=1)
    status.forget(settings, requests)
    purge_traces.forget_files(settings, requests, run_id=run_id)
    purge_traces.forget_old_logs(settings, requests, dict(read))
    forget_history(requests)
    compaction.compact(settings.warehouse_path, settings.spill_dir)
    if settings.vault_path.exists():
        purge_traces.forget_in_vault(settings, requests)
    records = _record_end(settings, requests)
    status.record_purges(settings, records)
    for request in requests:
        purge_requests.remove_request(settings, request)
    return [in_words(record) for record in records]


def _record_end(settings: Settings, requests: Sequence[PurgeRequest]) -> list[dict[str, Any]]:
    size = purge_traces.folder_bytes(settings.home)
    ids = [request.request_id for request in requests]
    with warehouse.open_warehouse(settings) as connection:
        connection.execute(
            "update raw.purges set finished_at = ?::timestamptz, bytes_after = ? "
            "where purge_id in (select unnest(?::varchar[])) and finished_at is null",
            [datetime.now(UTC), size, ids],
        )
        rows = connection.execute(
            "select purge_id, kind, cutoff, rows_removed, total_rows, requested_at, finished_at, "
            "bytes_before, bytes_after, run_id from raw.purges "
            "where purge_id in (select unnest(?::varchar[])) order by purge_id",
            [ids],
        ).fetchall()
    names = (
        "purge_id", "kind", "cutoff", "rows_removed", "total_rows", "requested_at", "finished_at",
        "bytes_before", "bytes_after", "run_id",
    )  # fmt: skip
    records = []
    for row in rows:
        entry = dict(zip(names, row, strict=True))
        entry["rows_removed"] = json.loads(entry["rows_removed"])
        for name in ("cutoff", "requested_at", "finished_at"):
            entry[name] = entry[name] and entry[name].astimezone(UTC).isoformat()
        records.append(entry)
    return records


def in_words(record: dict[str, Any]) -> str:
    """One line about a purge, for people."""
    what = {"project": "a project", "source": "a source"}.get(
        record["kind"], f"what was older than {str(record['cutoff'])[:19]} UTC"
    )
    given_back = record["bytes_before"] - record["bytes_after"]
    space = (
        f"{given_back:,} bytes given back"
        if given_back >= 0
        else f"the data home grew by {-given_back:,} bytes in the same run"
    )
    return f"purged {what}: {record['total_rows']:,} raw row(s) removed, {space}"
