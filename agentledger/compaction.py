"""Give disk space back: DuckDB reuses the space of removed rows and never returns it.

Belongs here: copying what lives of a database into a new file that takes its place. Does not belong
here: when (`purge.py`).

What was removed stays readable in the free blocks of the old file, so a purge is not complete
before the copy is in place.
"""

import os
import shutil
from pathlib import Path

import duckdb

from agentledger import files, warehouse
from agentledger.errors import AgentLedgerError
from agentledger.settings import WAREHOUSE_WAIT_SECONDS


def compact(path: Path, spill_dir: Path) -> None:
    """Copy a database into a new file and swap it in; the caller holds the run lock.

    Killed at any moment, the old file or the new one is there, whole; a draft is removed next time.

    Args:
        path: The DuckDB file; no connection to it is open in this process.
        spill_dir: Where the copy may spill.

    Raises:
        AgentLedgerError: When the disk has no room for the copy.
        RunLockedError: When another process keeps the file open.
    """
    draft = path.with_name(f".{path.name}.draft")
    for left in path.parent.glob(f"{draft.name}*"):
        left.unlink()
    # Opened for writing once: what stands in the write-ahead log goes into the file.
    with warehouse.connect_when_free(path, False, WAREHOUSE_WAIT_SECONDS) as connection:
        connection.execute("checkpoint")
    _refuse_without_room(path)
    connection = duckdb.connect()
    try:
        warehouse.configure(connection, spill_dir)
        # Scans skip row groups by load_seq: rows must stay in the order in which they came.
        connection.execute("set preserve_insertion_order = true")
        # Under the name that its views know it by.
        connection.execute(f"attach {_quoted(path)} as {path.stem} (read_only)")
        connection.execute(f"attach {_quoted(draft)} as compacted")
        connection.execute(f"copy from database {path.stem} to compacted")
        connection.execute("detach compacted")
    finally:
        connection.close()
    draft.chmod(0o600)
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    draft.replace(path)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    files.sync_folder(path.parent)


def _refuse_without_room(path: Path) -> None:
    needed, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < needed:
        raise AgentLedgerError(
            f"The copy of {path} needs up to {needed:,} bytes and the disk has {free:,} free. Make "
            "room, then type `agentledger run`: the purge goes on where it stopped."
        )


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
