"""What Dagster's history quotes of rows, and taking it out after a purge.

Belongs here: the databases and logs below DAGSTER_HOME. Does not belong here: everything else that
a purge removes (`agentledger/purge.py`).

Materialisations carry previews of public columns and names of projects, checks and errors quote
values. After a purge the history of all earlier runs goes; what runs did stays known from
`collection_runs`. The rows are taken out with SQL: Dagster's API deletes a run, but neither the
last materialisation of an asset nor the results of its checks, and it leaves the bytes in the file.
"""

import contextlib
import re
import shutil
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from agentledger.errors import AgentLedgerError
from agentledger.purge_requests import PurgeRequest
from agentledger.settings import Settings

UNFINISHED: tuple[str, ...] = (
    "NOT_STARTED",
    "QUEUED",
    "STARTING",
    "STARTED",
    "CANCELING",
    "MANAGED",
)
"""States of runs that wait for the run lock, and of the one that holds it: they quote nothing."""

BUSY_SECONDS = 30.0
"""The UI and its daemon hold a database for milliseconds at a time."""

_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def forget(settings: Settings, requests: Sequence[PurgeRequest], *, run_id: str) -> None:
    """Take earlier runs out of Dagster's history and give the space back.

    Retention alone removes only runs from before its cutoff: the previews of younger ones show
    public columns of rows that were not too old then.

    Args:
        settings: Names the data home; the caller holds the run lock.
        requests: What went.
        run_id: The current run, which stays.

    Raises:
        AgentLedgerError: When another process keeps a database busy.
    """
    home = settings.dagster_home
    databases = sorted(home.rglob("*.db"))
    before = _before(requests)
    kept = [run_id]
    for path in databases:
        kept += _kept_runs(path, before)
    words = [word for request in requests for word in request.needles]
    for path in databases:
        try:
            _forget_in(path, set(kept), words)
        except sqlite3.OperationalError as error:
            raise AgentLedgerError(
                f"{path} is busy ({error}). Close the Dagster UI, then type `agentledger run`: the "
                "purge goes on where it stopped."
            ) from error
    for folder in (home / "storage").glob("*"):
        if _RUN_ID.fullmatch(folder.name) and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _before(requests: Sequence[PurgeRequest]) -> datetime | None:
    """Runs from before this instant go; None: all of them."""
    if any(request.kind != "retention" for request in requests):
        return None
    return max(datetime.fromisoformat(str(request.cutoff)) for request in requests)


def _kept_runs(path: Path, before: datetime | None) -> list[str]:
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        if "runs" not in _tables(connection):
            return []
        marks = ", ".join("?" for _ in UNFINISHED)
        condition = f"status in ({marks})"
        values: list[str] = [*UNFINISHED]
        if before is not None:
            condition += " or create_timestamp >= ?"
            values.append(before.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"))
        rows = connection.execute(f"select run_id from runs where {condition}", values)
        return [row[0] for row in rows.fetchall()]


def _forget_in(path: Path, kept: set[str], words: Sequence[str]) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        tables = _tables(connection)
        connection.execute("create temp table kept_runs as select ? as run_id", [""])
        connection.executemany("insert into kept_runs values (?)", [[name] for name in kept])
        gone = 0
        for table, columns in tables.items():
            for column in {"run_id", "last_run_id"} & set(columns):
                gone += connection.execute(
                    f'delete from "{table}" where "{column}" not in (select run_id from kept_runs)'
                ).rowcount
            if table == "job_ticks":
                # A tick that failed may quote a path; the others say when the sensor asked.
                for word in words:
                    gone += connection.execute(
                        "delete from job_ticks where instr(tick_body, ?) > 0", [word]
                    ).rowcount
        if "asset_event_tags" in tables:
            connection.execute(
                "delete from asset_event_tags where event_id not in (select id from event_logs)"
            )
        connection.commit()
        if gone:
            # Rows that were deleted stay readable in free pages and in the log until both are cut.
            connection.execute("vacuum")
        _cut_log(connection, path)


def _cut_log(connection: sqlite3.Connection, path: Path) -> None:
    give_up_at = time.monotonic() + BUSY_SECONDS
    while True:
        [(busy, _, _)] = connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        if not busy:
            return
        if time.monotonic() > give_up_at:
            raise sqlite3.OperationalError(f"its log cannot be cut: {path.name} is being read")
        time.sleep(0.1)


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    names = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
    return {
        name: [row[1] for row in connection.execute(f'pragma table_info("{name}")').fetchall()]
        for (name,) in names
    }
