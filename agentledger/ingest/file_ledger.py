"""The ledger of files: what was read of each, load by load.

Belongs here: writing `raw.files`, `raw.file_loads` and `raw.unknown_fields` inside the transaction
of a batch. Does not belong here: asking the ledger what to read (`plan.py`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb

from agentledger import warehouse

if TYPE_CHECKING:
    from agentledger.ingest.load import LoadedFile, RunFacts

_FILE_COLUMNS = (
    "file_id", "source_id", "project_id", "format", "path", "variant", "size_bytes", "modified_ns",
    "changed_ns", "inode", "fingerprint", "byte_offset", "line_count", "state", "message",
    "records_read", "accepted", "rejected", "already_known", "first_seen_at", "loaded_at",
    "load_seq",
)  # fmt: skip
_REPLACED = (
    "format", "variant", "size_bytes", "modified_ns", "changed_ns", "inode", "fingerprint",
    "byte_offset", "line_count", "state", "message", "loaded_at", "load_seq",
)  # fmt: skip
_LOAD_COLUMNS = (
    "load_seq", "run_id", "file_id", "source_id", "project_id", "state", "records_read", "accepted",
    "rejected", "already_known", "fast_path", "seconds", "loaded_at",
)  # fmt: skip
_UNKNOWN_COLUMNS = ("file_id", "source_id", "field_name", "occurrences", "load_seq")
_COUNTS = ("records_read", "accepted", "rejected", "already_known")


def write(
    connection: duckdb.DuckDBPyConnection,
    loaded: "Sequence[LoadedFile]",
    facts: "RunFacts",
    load_seq: int,
) -> None:
    """Write what a batch did; the caller's transaction holds the rows of the records, too."""
    for is_resumed in (False, True):
        chosen = [item for item in loaded if item.staged.is_resumed is is_resumed]
        if chosen:
            _write_files(connection, chosen, facts, load_seq, adds_up=is_resumed)
            _write_unknown_fields(connection, chosen, load_seq, adds_up=is_resumed)
    warehouse.write_rows(
        connection,
        "insert into raw.file_loads by name select * from given_rows",
        _LOAD_COLUMNS,
        [
            [
                load_seq, facts.run_id, item.staged.file_id, item.staged.load.file.root.source_id,
                item.staged.load.file.root.project_id, file_state(item), item.records_read,
                item.accepted, item.rejected, item.already_known, item.staged.fast_path,
                item.seconds, facts.ingested_at,
            ]
            for item in loaded
        ],
    )  # fmt: skip


def file_state(item: "LoadedFile") -> str:
    """State of a file after a load: `partial` when only a part of it could be read."""
    state = item.staged.state
    return "partial" if state == "loaded" and item.rejected else state


def _write_files(
    connection: duckdb.DuckDBPyConnection,
    loaded: "Sequence[LoadedFile]",
    facts: "RunFacts",
    load_seq: int,
    *,
    adds_up: bool,
) -> None:
    """One row per file; of a file that only grew, the counts of its loads add up."""
    now = facts.ingested_at
    rows = []
    for item in loaded:
        file, found = item.staged, item.staged.load.file
        rows.append(
            [
                file.file_id, found.root.source_id, found.root.project_id, file.format,
                found.ledger_path, file.variant, found.size_bytes, found.modified_ns,
                found.changed_ns, found.inode, file.fingerprint, file.byte_offset,
                file.line_count, file_state(item), file.message, item.records_read,
                item.accepted, item.rejected, item.already_known, now, now, load_seq,
            ]
        )  # fmt: skip
    changes = [f"{name} = excluded.{name}" for name in _REPLACED]
    counted = "known.{0} + excluded.{0}" if adds_up else "excluded.{0}"
    changes += [f"{name} = {counted.format(name)}" for name in _COUNTS]
    warehouse.write_rows(
        connection,
        "insert into raw.files as known by name select * from given_rows "
        "on conflict (file_id) do update set " + ", ".join(changes),
        _FILE_COLUMNS,
        rows,
    )


def _write_unknown_fields(
    connection: duckdb.DuckDBPyConnection,
    loaded: "Sequence[LoadedFile]",
    load_seq: int,
    *,
    adds_up: bool,
) -> None:
    rows = [
        [item.staged.file_id, item.staged.load.file.root.source_id, name, occurrences, load_seq]
        for item in loaded
        for name, occurrences in item.staged.unknown.items()
    ]
    if rows:
        counted = "known.occurrences + excluded.occurrences" if adds_up else "excluded.occurrences"
        warehouse.write_rows(
            connection,
            "insert into raw.unknown_fields as known by name select * from given_rows "
            f"on conflict (file_id, field_name) do update set occurrences = {counted}, "
            "load_seq = excluded.load_seq",
            _UNKNOWN_COLUMNS,
            rows,
        )
