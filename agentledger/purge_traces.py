"""Traces that a purge leaves outside the warehouse: files of the data home.

Belongs here: finding and removing them, each step repeatable. Does not belong here: the warehouse
(`purge.py`), the orchestrator's history (`orchestration/history.py`).
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import filelock

from agentledger import vault
from agentledger.ingest.scan_roots import sources_with_texts
from agentledger.ingest.text_tables import TABLES_WITH_TEXTS
from agentledger.purge_requests import PurgeRequest
from agentledger.settings import Settings

_DRAFT = re.compile(r"\..+\.[0-9]+\.[0-9a-f]{8}")
"""What a process that was killed while it wrote a small file leaves (`files.replace_text`)."""

CONFIG_LOCK_WAIT_SECONDS = 10.0
"""Edits of config.toml take milliseconds."""


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH116, PTH118
            except FileNotFoundError:
                continue  # a lock or a log of somebody else, gone since the listing
    return total


def forget_reads(settings: Settings, names: Iterable[str]) -> None:
    """Take questions that name what goes out of the log of questions.

    The log is ours alone. The copy takes its place at once; a question that is asked in the same
    moment may be lost, which no number of the owner's depends on.
    """
    wanted = {name.strip() for name in names}
    for path in settings.reads_dir.glob("*") if settings.reads_dir.is_dir() else ():
        if not path.is_file():
            continue
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not _names_any(line, wanted)]
        if len(kept) < len(lines):
            draft = path.with_name(f".{path.name}.draft")
            draft.write_bytes(b"".join(kept))
            draft.chmod(0o600)
            draft.replace(path)


def _names_any(line: bytes, names: set[str]) -> bool:
    try:
        event = json.loads(line)
    except ValueError:
        return any(name.encode() in line for name in names if name)
    values = event.values() if isinstance(event, dict) else ()
    return any(isinstance(value, str) and value.strip() in names for value in values)


def forget_files(settings: Settings, requests: Sequence[PurgeRequest], *, run_id: str) -> None:
    """Remove the files that may quote a removed row and are made anew when they are needed.

    Args:
        settings: Names the data home; the caller holds the run lock.
        requests: What went.
        run_id: The run whose own log of dbt stays: it began after the rows were gone.
    """
    _empty(settings.spill_dir)
    if settings.dbt_target_dir.is_dir():
        for folder in settings.dbt_target_dir.iterdir():
            if not folder.name.startswith(run_id[:8]):
                _remove(folder)
    # Drafts of config.toml belong to whoever holds its lock.
    with filelock.FileLock(
        f"{settings.config_path}.lock", timeout=CONFIG_LOCK_WAIT_SECONDS, mode=0o600
    ):
        for folder in (settings.home, settings.published_dir, settings.purges_dir):
            for path in folder.glob(".*"):
                if _DRAFT.fullmatch(path.name):
                    path.unlink(missing_ok=True)
    if any(request.kind != "retention" for request in requests):
        _empty(settings.exports_dir)
        _forget_in_lake(settings, requests)


def forget_old_logs(
    settings: Settings, requests: Sequence[PurgeRequest], read_bytes: Mapping[str, int | None]
) -> None:
    """Remove our own logs that were last written before a cutoff of retention and are read whole.

    All that stands in them is older. A program that still has one open begins another.

    Args:
        settings: Names the data home.
        requests: What went.
        read_bytes: Path → bytes of the file when it was read.
    """
    cutoffs = [datetime.fromisoformat(request.cutoff) for request in requests if request.cutoff]
    if not cutoffs:
        return
    for folder in (settings.spool_dir, settings.reads_dir):
        for path in folder.glob("*") if folder.is_dir() else ():
            facts = path.stat()
            is_read = read_bytes.get(str(path)) == facts.st_size
            if is_read and facts.st_mtime < max(cutoffs).timestamp():
                path.unlink()


def _forget_in_lake(settings: Settings, requests: Sequence[PurgeRequest]) -> None:
    """Write the Parquet files that hold a removed row anew, without it."""
    ids = [name for request in requests for name in (*request.project_ids, *request.source_ids)]
    for folder in sorted(settings.lake_dir.rglob("*"), reverse=True):
        if folder.is_dir() and any(identity in folder.name for identity in ids):
            shutil.rmtree(folder)
    with duckdb.connect() as connection:
        for path in sorted(settings.lake_dir.rglob("*.parquet")):
            columns = [
                row[0]
                for row in connection.execute(
                    "describe from read_parquet(?, hive_partitioning = false)", [str(path)]
                ).fetchall()
            ]
            condition = _condition(columns)
            if condition is None:
                continue
            draft = path.with_name(f".{path.name}.draft")
            connection.execute("set variable ids = ?::varchar[]", [ids])
            connection.execute("set variable lake_file = ?", [str(path)])
            [(gone,)] = connection.execute(
                "select count(*) from read_parquet(getvariable('lake_file'), "
                f"hive_partitioning = false) where {condition}"
            ).fetchall()
            if gone:
                connection.execute(
                    "copy (from read_parquet(getvariable('lake_file'), hive_partitioning = false) "
                    f"where not ({condition})) to '{_escaped(draft)}' "
                    "(format parquet, compression zstd)"
                )
                draft.chmod(0o600)
                draft.replace(path)


def forget_in_vault(settings: Settings, requests: Sequence[PurgeRequest]) -> None:
    """Remove the rows of a purge from the vault; after the warehouse, as orphans are harmless.

    Then go the texts of which raw has no row any more: what retention removed.
    """
    ids = [name for request in requests for name in (*request.project_ids, *request.source_ids)]
    with duckdb.connect(str(settings.vault_path)) as connection:
        connection.execute("set variable ids = ?::varchar[]", [ids])
        for schema, table, columns in connection.execute(
            "select c.schema_name, c.table_name, list(c.column_name) from duckdb_columns() as c "
            "join duckdb_tables() as t using (table_oid, database_oid) "
            "where not t.internal group by all"
        ).fetchall():
            condition = _condition(columns)
            if condition is not None:
                connection.execute(f'delete from "{schema}"."{table}" where {condition}')
    vault.forget_orphans(settings, TABLES_WITH_TEXTS, sources_with_texts(settings))


def _condition(columns: Sequence[str]) -> str | None:
    parts = [
        f"coalesce({column} in (select unnest(getvariable('ids'))), false)"
        for column in ("source_id", "project_id")
        if column in columns
    ]
    return " or ".join(parts) or None


def _empty(folder: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
