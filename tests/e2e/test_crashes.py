"""Kill the process at random moments: nothing is lost, nothing is doubled, nothing needs mending.

Both kinds of test compare with an undisturbed run on the same files.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

INGEST = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from agentledger import warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings
settings = Settings(home=Path(sys.argv[1]), host_zone="UTC")
with warehouse.hold_run_lock(settings), warehouse.open_warehouse(settings) as connection:
    collect.collect(settings, connection, run_id=sys.argv[2], as_of=datetime(2026, 11, 21, tzinfo=UTC))
"""

RAW_CONTENT = (
    "select record_key, content_hash, ordinal, skill_name from raw.skill_usage order by all"
)
MARTS = {
    "fct_skill_invocations": "",
    "skill_aggregates": "exclude (refreshed_at, load_seq)",
    "skill_effectiveness": "exclude (refreshed_at)",
    "dim_skills": "exclude (refreshed_at)",
}


def write_projects(base: Path, projects: int, records: int) -> list[Path]:
    """Projects with a few large and many small files; every tenth record arrives twice."""
    folders = []
    for number in range(projects):
        folder = base / f"project-{number:03d}"
        (folder / ".session-buddy").mkdir(parents=True)
        invocations = [
            {
                "skill_name": f"skill-{index % 7}",
                "invoked_at": f"2026-{1 + index % 9:02d}-{1 + index % 28:02d}T10:00:{index % 60:02d}",
                "session_id": f"s-{index // 10}",
                "completed": index % 5 != 0,
                "duration_seconds": 1.0 + index % 13,
                "follow_up_actions": [],
            }
            for index in range(records)
        ]
        for name in ("skill_metrics.json", "skill_metrics_export.json"):
            part = invocations if name == "skill_metrics.json" else invocations[::10]
            (folder / ".session-buddy" / name).write_text(json.dumps({"invocations": part}))
        folders.append(folder)
    return folders


def ingest(home: Any, run_id: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", INGEST, str(home.path), run_id], env=home.env())


def kill_ingest(make_home: Any, tmp_path: Path, kills: int, seed: int) -> None:
    folders = write_projects(tmp_path / "projects", projects=24, records=4000)
    undisturbed, killed = make_home("undisturbed"), make_home("killed")
    for home in (undisturbed, killed):
        home.register(*folders)
    begun = time.monotonic()
    assert ingest(undisturbed, "whole").wait() == 0
    whole_seconds = time.monotonic() - begun
    moments = random.Random(seed)  # noqa: S311 - a moment, no secret
    interrupted = 0
    for number in range(kills):
        process = ingest(killed, f"killed-{number}")
        time.sleep(moments.uniform(0.2, 1.0) * whole_seconds)
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        if number % 10 == 9:
            # Begin again from nothing: otherwise only the first kills would meet work in progress.
            for file in ("warehouse.duckdb", "warehouse.duckdb.wal"):
                (killed.path / file).unlink(missing_ok=True)
    assert interrupted >= kills // 4, "the kills came too late to show anything"
    assert ingest(killed, "clean").wait() == 0
    assert killed.rows(RAW_CONTENT) == undisturbed.rows(RAW_CONTENT)
    assert killed.rows(
        "select count(*) from raw.file_loads "
        "where accepted + rejected + already_known <> records_read"
    ) == [(0,)]


def kill_runs(make_home: Any, tmp_path: Path, kills: int, seed: int) -> None:
    folders = write_projects(tmp_path / "projects", projects=6, records=500)
    undisturbed, killed = make_home("undisturbed"), make_home("killed")
    for home in (undisturbed, killed):
        home.register(*folders)
    begun = time.monotonic()
    undisturbed.call("run")
    whole_seconds = time.monotonic() - begun
    moments = random.Random(seed)  # noqa: S311 - a moment, no secret
    for number in range(kills):
        process = killed.start("run")
        time.sleep(moments.uniform(0.1, 1.0) * whole_seconds)
        # Every other time only the parent dies, and a dbt child may outlive it.
        if number % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.send_signal(signal.SIGKILL)
        process.wait()
        state = killed.ask("status")
        current = state["current_run"]
        assert current is None or current["state"] in {"crashed", "running"}
        # A change that arrives after the crash must not hide what the crash left undone.
        file = folders[number % 6] / ".session-buddy" / "skill_metrics.json"
        file.write_text(file.read_text() + " ")
    killed.call("run")
    undisturbed.call("run")
    for mart, columns in MARTS.items():
        sql = f"select * {columns or 'exclude (load_seq, file_id)'} from marts.{mart} order by all"
        assert comparable(killed, sql) == comparable(undisturbed, sql), mart
    assert killed.ask("status")["last_run"]["state"] == "succeeded"
    killed.call("health")


def comparable(home: Any, sql: str) -> list[tuple[Any, ...]]:
    return home.rows(sql)


def test_ingest_survives_thirty_kills(make_home, tmp_path: Path) -> None:
    kill_ingest(make_home, tmp_path, kills=30, seed=1)


def test_a_whole_run_survives_five_kills(make_home, tmp_path: Path) -> None:
    kill_runs(make_home, tmp_path, kills=5, seed=2)


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.parametrize("seed", range(3))
def test_ingest_survives_many_more_kills(make_home, tmp_path: Path, seed: int) -> None:
    kill_ingest(make_home, tmp_path, kills=60, seed=100 + seed)


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.parametrize("seed", range(3))
def test_whole_runs_survive_many_more_kills(make_home, tmp_path: Path, seed: int) -> None:
    kill_runs(make_home, tmp_path, kills=10, seed=200 + seed)
