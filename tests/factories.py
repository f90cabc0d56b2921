"""Rows of the raw layer for tests: the only place where raw records are built.

Belongs here: one function per raw table, every column with a default, and `write`, which puts rows
into a warehouse. Does not belong here: source files (those are `tests/data/` and the ingest tests).
"""

import hashlib
import itertools
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from agentledger import warehouse

Row = dict[str, Any]

_ordinals = itertools.count()


def make_usage(**overrides: Any) -> Row:
    """One row of `raw.skill_usage`: a completed V2 invocation of 1 s, ingested on 2026-03-10.

    `content_hash` follows from the values of the record and `record_key` from its identity, as in
    ingest, so two equal calls are byte-equal copies.
    """
    row: Row = {
        "file_id": 1,
        "ordinal": next(_ordinals),
        "repeat_ordinal": 0,
        "source_id": "source-p1",
        "project_id": "p1",
        "host_id": "host",
        "run_id": "run-1",
        "ingested_at": "2026-03-10 00:00:00+00",
        "load_seq": 1,
        "variant": "V2",
        "skill_name": "code-review",
        "invoked_at": "2026-03-01T10:00:00+00:00",
        "session_id": None,
        "completed": "true",
        "success": None,
        "duration_ms": None,
        "duration_seconds": "1",
        "followup_count": None,
        "completed_at": None,
        "error_class": None,
        "error_length": None,
    }
    row.update(overrides)
    identity = ("skill_name", "invoked_at", "session_id", "repeat_ordinal", "project_id")
    where = ("file_id", "ordinal", "source_id", "host_id", "run_id", "ingested_at", "load_seq")
    content = [name for name in row if name not in (*where, "record_key", "content_hash")]
    row.setdefault("record_key", _hash(row[name] for name in identity))
    row.setdefault("content_hash", _hash(row[name] for name in content))
    return row


def make_workflow_run(**overrides: Any) -> Row:
    """One row of `raw.workflow_executions`: a completed run of `feature-dev` in 60 s.

    `record_key` follows from `workflow_id` and `content_hash` from the values of the record, as in
    ingest, so two equal calls are byte-equal copies.
    """
    row: Row = {
        "file_id": 1,
        "line_no": next(_ordinals) + 1,
        "byte_offset": 0,
        "ordinal": 0,
        "source_id": "source-p1",
        "project_id": "p1",
        "host_id": "host",
        "run_id": "run-1",
        "ingested_at": "2026-03-10 00:00:00+00",
        "load_seq": 1,
        "flags": None,
        "workflow_id": "run-of-a-workflow",
        "workflow_name": "feature-dev",
        "started_at": "2026-03-01T10:00:00Z",
        "completed_at": None,
        "status": "completed",
        "skills_used": '["plan","implement","test"]',
        "total_duration_ms": "60000",
    }
    row.update(overrides)
    where = ("file_id", "line_no", "byte_offset", "ordinal", "source_id", "project_id", "host_id",
             "run_id", "ingested_at", "load_seq", "flags")  # fmt: skip
    content = [name for name in row if name not in (*where, "record_key", "content_hash")]
    row.setdefault("record_key", _hash([row["workflow_id"]]))
    row.setdefault("content_hash", _hash(row[name] for name in content))
    return row


def make_project(project_id: str = "p1", **overrides: Any) -> Row:
    """One row of `raw.projects`, active."""
    return {
        "project_id": project_id,
        "project_name": f"name of {project_id}",
        "project_type": None,
        "path": f"/home/someone/{project_id}",
        "zone": "UTC",
        "is_active": True,
        "registered_at": "2026-01-01 00:00:00+00",
        "last_seen_at": "2026-03-10 00:00:00+00",
    } | overrides


def make_source(source_id: str = "source-p1", **overrides: Any) -> Row:
    """One row of `raw.sources`, in UTC."""
    return {
        "source_id": source_id,
        "kind": "skill_metrics",
        "location": f"/home/someone/{source_id}",
        "project_id": "p1",
        "zone": "UTC",
        "is_active": True,
        "last_seen_at": "2026-03-10 00:00:00+00",
    } | overrides


def make_run_context(**overrides: Any) -> Row:
    """The one row of `raw.run_context`."""
    return {
        "run_id": "run-1",
        "as_of": "2026-03-10 12:00:00+00",
        "load_seq": 1,
        "projects_fingerprint": "projects-1",
        "sources_fingerprint": "sources-1",
        "models_fingerprint": "models-1",
        "prices_fingerprint": "prices-1.0",
        "prices_judged_at": "2026-03-10 12:00:00+00",
        "collected_by": "run-1",
    } | overrides


def make_collection_run(**overrides: Any) -> Row:
    """One row of `raw.collection_runs`: one file read, two records accepted."""
    return {
        "run_id": "run-1",
        "source_id": "source-p1",
        "project_id": "p1",
        "found": 1,
        "collected": 1,
        "skipped": 0,
        "quarantined": 0,
        "errors": 0,
        "records_read": 2,
        "accepted": 2,
        "rejected": 0,
        "already_known": 0,
        "seconds": 0.1,
        "started_at": "2026-03-10 12:00:00+00",
    } | overrides


def new_raw(folder: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse with an empty raw schema, and the row of `raw.run_context`."""
    connection = duckdb.connect(str(folder / "w.duckdb"))
    connection.execute("set timezone = 'UTC'")
    warehouse.create_raw_schema(connection)
    write(connection, "run_context", [make_run_context()])
    return connection


def write(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> None:
    """Append rows to a table of the `raw` schema."""
    for row in rows:
        marks = ", ".join("?" for _ in row)
        connection.execute(
            f"insert into raw.{table} ({', '.join(row)}) values ({marks})", list(row.values())
        )


def _hash(values: Iterable[Any]) -> str:
    text = "\x1f".join("" if value is None else str(value) for value in values)
    return str(uuid.UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()))
