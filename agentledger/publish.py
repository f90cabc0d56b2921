"""Publish the marts: a read-only snapshot that readers open while the next run writes.

Belongs here: copying what the models marked for publishing, swapping the pointer, pruning old
builds. Does not belong here: which relations those are (the models say so, the orchestration
passes them on), reading a snapshot (`snapshot.py`).

Every build has a file name of its own: within one process a new connection to the same path would
give the old file while any other connection to it is open.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb

from agentledger import files, fingerprints, warehouse
from agentledger.errors import PublishRefusedError
from agentledger.settings import KEPT_BUILDS, WAREHOUSE_WAIT_SECONDS, Settings
from agentledger.snapshot import SNAPSHOT_SCHEMA_VERSION

SORT_ORDERS = {
    "skill_aggregates": "time_window, project_id, bucket_start, skill_name",
}
"""Physical order of large relations: a reader asks for one window of one project, and DuckDB skips
the row groups that cannot hold it."""


@dataclass(frozen=True, slots=True)
class PublishedRelation:
    """A relation that the models marked for publishing."""

    schema: str
    name: str
    kind: Literal["table", "view"]


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published."""

    build_id: str
    path: Path
    rows: dict[str, int]
    copied: bool
    """False when the published build already holds exactly this state."""


def publish(
    settings: Settings, relations: Sequence[PublishedRelation], *, run_id: str, as_of: datetime
) -> PublishReport:
    """Copy the marts of this run's build into a new snapshot and point readers to it.

    The caller holds the run lock and has seen the blocking tests pass.

    Args:
        settings: Names the data home.
        relations: What to publish; a view may only read relations that are published too.
        run_id: The run whose build this is.
        as_of: The instant of the run.

    Raises:
        PublishRefusedError: When the warehouse holds the build of another run, or there is nothing
            to publish.
    """
    if not relations:
        raise PublishRefusedError("No model is marked for publishing (`config.meta.publish`).")
    settings.published_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    warehouse.connect_when_free(
        settings.warehouse_path, read_only=True, wait_seconds=WAREHOUSE_WAIT_SECONDS
    ).close()
    connection = duckdb.connect()
    try:
        warehouse.configure(connection, settings.spill_dir)
        connection.execute(f"attach {_quoted(settings.warehouse_path)} as warehouse (read_only)")
        connection.execute("use warehouse")
        context = _context_of_run(connection, run_id)
        if fingerprints.is_published(settings, context, as_of):
            current = settings.published_dir / settings.published_pointer.read_text().strip()
            if current.exists():
                rows = {r.name: _row_count(connection, "warehouse", r) for r in relations}
                return PublishReport(_build_id_of(current), current, rows, copied=False)
        build_id = f"{as_of:%Y%m%dT%H%M%SZ}-{context.load_seq}-{run_id[:8]}"
        path = settings.published_dir / f"ledger-{build_id}.duckdb"
        draft = path.with_name(f".{path.name}.draft")
        _remove_drafts(settings.published_dir)
        connection.execute(f"attach {_quoted(draft)} as snapshot")
        rows = _copy(connection, relations)
        _describe_build(connection, build_id, run_id, as_of, context, rows)
        connection.execute("use memory")
        connection.execute("detach snapshot")
    finally:
        connection.close()
    _swap_in(settings, draft, path, context, as_of)
    _prune(settings.published_dir, path)
    return PublishReport(build_id, path, rows, copied=True)


def _context_of_run(connection: duckdb.DuckDBPyConnection, run_id: str) -> fingerprints.Context:
    row = connection.execute("select run_id from raw.run_context").fetchone()
    if row is None or row[0] != run_id:
        found = row[0] if row else "none"
        raise PublishRefusedError(
            f"The warehouse holds the build of run {found}, not of run {run_id}: "
            "only the build that was tested is published. Start a whole run: `agentledger run`."
        )
    context = fingerprints.context_of_warehouse(connection)
    assert context is not None  # noqa: S101 - the row was just read
    return context


def _copy(
    connection: duckdb.DuckDBPyConnection, relations: Sequence[PublishedRelation]
) -> dict[str, int]:
    """Copy tables first, then re-create the views over them."""
    for schema in sorted({relation.schema for relation in relations} | {"meta"}):
        connection.execute(f"create schema snapshot.{schema}")
    for relation in relations:
        if relation.kind == "table":
            name = f"{relation.schema}.{relation.name}"
            order = SORT_ORDERS.get(relation.name)
            ordered = f" order by {order}" if order else ""
            if ordered:
                connection.execute("set preserve_insertion_order = true")
            connection.execute(f"create table snapshot.{name} as from warehouse.{name}{ordered}")
            connection.execute("set preserve_insertion_order = false")
    for relation in relations:
        if relation.kind == "view":
            _copy_view(connection, relation)
    _copy_macros(connection)
    return {relation.name: _row_count(connection, "snapshot", relation) for relation in relations}


def _copy_view(connection: duckdb.DuckDBPyConnection, relation: PublishedRelation) -> None:
    row = connection.execute(
        "select sql from duckdb_views() "
        "where database_name = 'warehouse' and schema_name = ? and view_name = ?",
        [relation.schema, relation.name],
    ).fetchone()
    if row is None:
        raise PublishRefusedError(f"The view {relation.schema}.{relation.name} was not built.")
    # The definition names the warehouse's catalog; in the snapshot it must mean the snapshot.
    definition = re.sub(r'"?\bwarehouse\b"?\.(?="?\w+"?\.)', "", row[0])
    connection.execute("use snapshot")
    connection.execute(definition)
    connection.execute("use warehouse")


def _copy_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Copy the functions that the models leave for readers: a rate of any period is theirs."""
    macros = connection.execute(
        "select function_name, parameters, macro_definition from duckdb_functions() "
        "where database_name = 'warehouse' and schema_name = 'marts' and function_type = 'macro'"
    ).fetchall()
    for name, parameters, definition in macros:
        connection.execute(
            f"create macro snapshot.marts.{name}({', '.join(parameters)}) as ({definition})"
        )


def _row_count(
    connection: duckdb.DuckDBPyConnection, database: str, relation: PublishedRelation
) -> int:
    row = connection.execute(
        f"select count(*) from {database}.{relation.schema}.{relation.name}"
    ).fetchone()
    return row[0] if row else 0


def _describe_build(
    connection: duckdb.DuckDBPyConnection,
    build_id: str,
    run_id: str,
    as_of: datetime,
    context: fingerprints.Context,
    rows: dict[str, int],
) -> None:
    connection.execute(
        "create table snapshot.meta.build as select ?::varchar as build_id, "
        "?::integer as schema_version, ?::varchar as run_id, ?::timestamptz as as_of, "
        "?::bigint as load_seq, ?::varchar as fingerprint, ?::timestamptz as published_at",
        [build_id, SNAPSHOT_SCHEMA_VERSION, run_id, as_of, context.load_seq,
         f"{context.projects}:{context.sources}:{context.models}", as_of],
    )  # fmt: skip
    connection.execute(
        "create table snapshot.meta.relations (relation_name varchar, row_count bigint)"
    )
    connection.executemany("insert into snapshot.meta.relations values (?, ?)", list(rows.items()))


def _swap_in(
    settings: Settings, draft: Path, path: Path, context: fingerprints.Context, as_of: datetime
) -> None:
    """Bring the file to disk, give it its name, then move the pointer; in this order."""
    draft.chmod(0o600)
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    draft.replace(path)
    files.replace_text(settings.published_pointer, path.name + "\n")
    facts = {
        "load_seq": context.load_seq,
        "projects": context.projects,
        "sources": context.sources,
        "models": context.models,
        "as_of": as_of.isoformat(),
        "prices": context.prices,
    }
    # After the pointer: killed in between, the next run finds its work unfinished and publishes.
    files.replace_text(settings.published_dir / "current.json", json.dumps(facts))
    files.sync_folder(settings.published_dir)


def prune(settings: Settings, kept_builds: int) -> None:
    """Remove all but the newest builds; the current one always stays.

    After a purge it stays alone: the older ones still hold the rows that went.
    """
    current = settings.published_dir / settings.published_pointer.read_text().strip()
    _prune(settings.published_dir, current, kept_builds)
    _remove_drafts(settings.published_dir)


def _prune(folder: Path, current: Path, kept_builds: int = KEPT_BUILDS) -> None:
    builds = [path for path in folder.glob("ledger-*.duckdb") if path != current]
    builds.sort(key=lambda path: path.stat().st_mtime_ns)
    for old in builds[: max(0, len(builds) + 1 - kept_builds)]:
        old.unlink(missing_ok=True)


def _remove_drafts(folder: Path) -> None:
    """A killed run leaves its draft; the run lock says that nobody works on it now."""
    for draft in folder.glob(".ledger-*.draft*"):
        draft.unlink(missing_ok=True)


def _build_id_of(path: Path) -> str:
    return path.stem.removeprefix("ledger-")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
