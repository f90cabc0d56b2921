"""Opening the published snapshot, as a reader that can change nothing and reach nothing else.

Belongs here: following the pointer to the current build, the locked-down connection, the check that
this program knows the snapshot's layout. Does not belong here: writing snapshots (`publish.py`),
questions put to them (`query/`).

A snapshot is opened for one question and closed again (about 15 ms), so that a program that lives
long follows the pointer; within one process DuckDB would keep answering from an open file.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agentledger.errors import AgentLedgerError, NothingPublishedError
from agentledger.settings import DUCKDB_MEMORY_LIMIT_READERS, Settings, load_settings

if TYPE_CHECKING:
    import duckdb

SNAPSHOT_SCHEMA_VERSION = 1
"""Layout of the snapshot that this program writes and reads (`meta.build.schema_version`)."""

SNAPSHOT_NAME = re.compile(r"ledger-[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.duckdb")
"""What the pointer may hold: a plain file name, never a path out of the folder."""

OPEN_WAIT_SECONDS = 2.0
"""How long to follow a moving pointer; it moves once a run, so one retry is usual."""

READER_THREADS = 2
"""A reader shares the machine with a run; its questions take milliseconds."""

# Threads of one process share DuckDB's instance of a file: the second must not meet it half set up.
_opening = threading.Lock()


class SnapshotUnreadableError(AgentLedgerError):
    """A snapshot is named by the pointer and cannot be read; readers must not call this empty."""


@dataclass(frozen=True, slots=True)
class Build:
    """Which build an answer comes from: the one row of `meta.build`."""

    build_id: str
    schema_version: int
    run_id: str
    as_of: datetime
    """Instant that the numbers describe; the only "now" of every answer."""
    load_seq: int
    fingerprint: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open snapshot."""

    connection: "duckdb.DuckDBPyConnection"
    path: Path
    build: Build


@contextlib.contextmanager
def open_snapshot(settings: Settings | None = None) -> Iterator[Snapshot]:
    """Open the current snapshot read-only: no other file, no network, no setting within reach.

    Args:
        settings: Names the data home; read from the environment by default.

    Raises:
        NothingPublishedError: When no run has published yet.
        SnapshotUnreadableError: When the snapshot is missing, damaged or of an unknown layout.
    """
    settings = load_settings() if settings is None else settings
    connection, path = _connect_current(settings)
    try:
        yield Snapshot(connection, path, _read_build(connection, path))
    finally:
        connection.close()


def current_snapshot_path(settings: Settings) -> Path:
    """Follow the pointer to the snapshot's path, whether or not the file is there.

    Raises:
        NothingPublishedError: When there is no pointer.
        SnapshotUnreadableError: When the pointer cannot be read or holds no snapshot's name.
    """
    pointer = settings.published_pointer
    try:
        name = pointer.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise NothingPublishedError(
            f"Nothing is published in {settings.home} yet. Register a project "
            "(`agentledger register PATH`), then type `agentledger run`."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SnapshotUnreadableError(
            f"Cannot read the pointer {pointer}: {error}. Type `agentledger run --full-refresh`."
        ) from error
    if not SNAPSHOT_NAME.fullmatch(name):
        raise SnapshotUnreadableError(
            f"The pointer {pointer} holds {name[:80]!r}, expected the name of a snapshot "
            "(ledger-….duckdb). Type `agentledger run --full-refresh` to publish anew."
        )
    return settings.published_dir / name


def _connect_current(settings: Settings) -> tuple["duckdb.DuckDBPyConnection", Path]:
    """Open what the pointer names, following it when it moves before the file is open."""
    from agentledger import engine

    give_up_at = time.monotonic() + OPEN_WAIT_SECONDS
    while True:
        path = current_snapshot_path(settings)
        try:
            return _connect(path), path
        except engine.Error as error:
            # A build may be pruned between reading its name and opening it; only a file that is
            # there, under a pointer that stays, is a finding at once.
            is_pruned = not path.is_file() or current_snapshot_path(settings) != path
            if not is_pruned or time.monotonic() >= give_up_at:
                raise SnapshotUnreadableError(_cannot_read(path, error)) from error
        time.sleep(0.01)


def _connect(path: Path) -> "duckdb.DuckDBPyConnection":
    from agentledger import engine

    with _opening:
        return engine.connect(
            str(path),
            read_only=True,
            config={
                "enable_external_access": "false",
                "memory_limit": DUCKDB_MEMORY_LIMIT_READERS,
                "threads": READER_THREADS,
                # Eight by default, each begun and ended with the snapshot: for files on servers.
                "async_threads": 1,
                # No spill file beside the snapshot: a question that needs one is refused instead.
                "temp_directory": "",
                "autoinstall_known_extensions": "false",
                "python_enable_replacements": "false",
                "timezone": "UTC",
                "lock_configuration": "true",
            },
        )


def _read_build(connection: "duckdb.DuckDBPyConnection", path: Path) -> Build:
    from agentledger import engine

    try:
        version = connection.execute("select schema_version from meta.build").fetchone()
    except engine.Error as error:
        raise SnapshotUnreadableError(_cannot_read(path, error)) from error
    if version != (SNAPSHOT_SCHEMA_VERSION,):
        found = "none" if version is None else version[0]
        raise SnapshotUnreadableError(
            f"{path} has layout {found}, this program reads layout {SNAPSHOT_SCHEMA_VERSION}. "
            "Use the version of agentledger that published it, or publish anew with this one: "
            "`agentledger run --full-refresh`."
        )
    try:
        row = connection.execute(
            """
            select build_id, schema_version, run_id, as_of, load_seq, fingerprint, published_at
            from meta.build
            """
        ).fetchone()
    except engine.Error as error:
        raise SnapshotUnreadableError(_cannot_read(path, error)) from error
    assert row is not None  # noqa: S101 - the version came from this very row
    return Build(*row)


def _cannot_read(path: Path, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (
        f"Cannot read the snapshot {path}: {reason} "
        "Type `agentledger run --full-refresh` to publish anew."
    )
