"""Opening the warehouse, the raw tables, and the one-writer rule.

Belongs here: connections to `warehouse.duckdb`, transactions, the run lock. Does not belong here:
the tables (`raw_tables.py`), what goes into them (`ingest/`), metrics (`models/`), snapshots for
readers (`publish.py`).

One writer, surely: every run holds `run.lock` (an OS lock that the kernel frees when its holder
dies) and then waits for DuckDB's own file lock, because a dbt child can outlive a killed run.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import filelock

from agentledger import files
from agentledger.errors import AgentLedgerError, RunLockedError
from agentledger.raw_tables import RAW_TABLES
from agentledger.settings import (
    LOCK_WAIT_SECONDS,
    WAREHOUSE_MEMORY_LIMIT,
    WAREHOUSE_THREADS,
    WAREHOUSE_WAIT_SECONDS,
    Settings,
)


def create_raw_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Create whatever part of the `raw` schema is missing."""
    connection.execute("create schema if not exists raw")
    for table, columns in RAW_TABLES.items():
        connection.execute(f"create table if not exists raw.{table} ({columns})")
    # Added after the first release: a warehouse made before lacks them.
    connection.execute("alter table raw.files add column if not exists line_count bigint")
    connection.execute("alter table raw.sources add column if not exists mapping varchar")
    connection.execute("alter table raw.skill_usage add column if not exists named_project varchar")
    connection.execute(
        "alter table raw.run_context add column if not exists prices_fingerprint varchar"
    )
    connection.execute(
        "alter table raw.run_context add column if not exists prices_judged_at timestamptz"
    )
    connection.execute("alter table raw.run_context add column if not exists collected_by varchar")


@contextlib.contextmanager
def open_warehouse(
    settings: Settings, *, read_only: bool = False, wait_seconds: float = WAREHOUSE_WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for a short while; time zone UTC, no network, no extension download.

    Args:
        settings: Names the data home, which must exist (`prepare_home`).
        read_only: Open without the right to write; the raw schema is then not created.
        wait_seconds: How long to wait while another process holds the file.

    Raises:
        RunLockedError: When the file stays locked by another process.
    """
    connection = connect_when_free(settings.warehouse_path, read_only, wait_seconds)
    try:
        configure(connection, settings.spill_dir)
        if not read_only:
            create_raw_schema(connection)
        yield connection
    finally:
        connection.close()


def configure(connection: duckdb.DuckDBPyConnection, spill_dir: Path) -> None:
    """Set what every connection to the warehouse has in common."""
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"set threads = {WAREHOUSE_THREADS}")
    connection.execute(f"set memory_limit = '{WAREHOUSE_MEMORY_LIMIT}'")
    # File order is kept in the `ordinal` column; keeping it in the engine costs memory.
    connection.execute("set preserve_insertion_order = false")
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set temp_directory = ?", [str(spill_dir)])


def connect_when_free(
    path: Path, read_only: bool, wait_seconds: float
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, waiting while another process holds it.

    Raises:
        RunLockedError: When it is still held after `wait_seconds`.
    """
    give_up_at = time.monotonic() + wait_seconds
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise AgentLedgerError(
                    f"Cannot open the warehouse {path}: {str(error).splitlines()[0]} "
                    "Restore it from a backup; or move it away, and the next run reads anew what "
                    "the source files still hold."
                ) from error
            if time.monotonic() >= give_up_at:
                raise RunLockedError(
                    f"Another process still holds {path} after {wait_seconds:.0f} s. "
                    "Wait for the other run to end, or end it, then try again."
                ) from error
            time.sleep(0.1)


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what happens inside, or nothing of it."""
    connection.execute("begin transaction")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> None:
    """Run one statement over all rows; row by row it costs milliseconds for each.

    Args:
        connection: Opened for writing.
        statement: Reads the rows from `given_rows`.
        columns: Names of the columns of `given_rows`.
        rows: At least one.
    """
    import pyarrow as pa

    values = zip(*rows, strict=True)
    connection.register("given_rows", pa.table(dict(zip(columns, map(list, values), strict=True))))
    try:
        connection.execute(statement).fetchall()
    finally:
        connection.unregister("given_rows")


def run_lock(settings: Settings) -> filelock.FileLock:
    """The OS lock of this data home, not yet taken."""
    return filelock.FileLock(str(settings.run_lock_path), mode=0o600, thread_local=False)


@contextlib.contextmanager
def hold_run_lock(
    settings: Settings,
    wait_seconds: float = LOCK_WAIT_SECONDS,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Hold the run lock from before the first write until after publishing.

    Args:
        settings: Names the data home.
        wait_seconds: 0 refuses at once when another run holds the lock.
        on_wait: Called once, without arguments, when there is something to wait for.

    Raises:
        RunLockedError: When another run holds the lock for longer than `wait_seconds`.
    """
    lock = run_lock(settings)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        if wait_seconds > 0 and on_wait is not None:
            on_wait()
        try:
            lock.acquire(timeout=wait_seconds)
        except filelock.Timeout as error:
            raise RunLockedError(
                f"Another run is writing to {settings.home}. "
                "Wait until it has ended (`agentledger status` shows it), then try again."
            ) from error
    try:
        yield
    finally:
        lock.release()


def run_lock_is_held(settings: Settings) -> bool:
    """Whether some process is in the middle of a run on this data home."""
    if not settings.run_lock_path.exists():
        return False
    lock = run_lock(settings)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def prepare_home(settings: Settings) -> None:
    """Create the data home, readable by its owner alone."""
    files.make_private_folder(settings.home)
    settings.home.chmod(0o700)
    for folder in (settings.spill_dir, settings.published_dir, settings.dagster_home):
        files.make_private_folder(folder)
