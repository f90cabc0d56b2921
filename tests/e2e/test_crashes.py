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
from agentledger.ingest import collect, plan
from agentledger.settings import Settings
# Many small transactions, so that a kill meets every stage of one.
collect.plan.cut_batches = lambda loads, cut=plan.cut_batches: cut(loads, max_files=3)
settings = Settings(home=Path(sys.argv[1]), host_zone="UTC")
with warehouse.hold_run_lock(settings), warehouse.open_warehouse(settings) as connection:
    print("begin", flush=True)
    as_of = datetime(2026, 11, 21, tzinfo=UTC)
    collect.collect(settings, connection, run_id=sys.argv[2], as_of=as_of)
"""

RAW_CONTENT = (
    "select record_key, content_hash, ordinal, skill_name from raw.skill_usage order by all"
)
MARTS = ("fct_skill_invocations", "skill_aggregates", "skill_effectiveness", "dim_skills")
DIFFERS = {"load_seq", "file_id", "refreshed_at"}
"""Which file and which transaction brought a row may differ; what it says may not."""


def write_projects(base: Path, projects: int, records: int) -> list[Path]:
    """Projects with a few large and many small files; every tenth record arrives twice."""
    folders = []
    for number in range(projects):
        folder = base / f"project-{number:03d}"
        (folder / ".session-buddy").mkdir(parents=True)
        invocations = [
            {
                "skill_name": f"skill-{index % 7}",
                "invoked_at": f"2026-0{1 + index % 9}-{1 + index % 28:02d}T10:00:{index % 60:02d}",
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
    """Start a collection in a process of its own; returns when it is about to begin."""
    process = subprocess.Popen(
        [sys.executable, "-c", INGEST, str(home.path), run_id],
        env=home.env(), stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"begin\n"
    return process


def kill_ingest(make_home: Any, tmp_path: Path, kills: int, seed: int) -> None:
    folders = write_projects(tmp_path / "projects", projects=18, records=3000)
    undisturbed, killed = make_home("undisturbed"), make_home("killed")
    for home in (undisturbed, killed):
        home.register(*folders)
    process = ingest(undisturbed, "whole")
    begun = time.monotonic()
    assert process.wait() == 0
    whole_seconds = time.monotonic() - begun
    moments = random.Random(seed)  # noqa: S311 - a moment, no secret
    interrupted = 0
    for number in range(kills):
        process = ingest(killed, f"killed-{number}")
        time.sleep(moments.uniform(0.0, 0.6) * whole_seconds)
        process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            interrupted += 1
        else:
            # All was loaded: begin again from nothing, so that later kills meet work in progress.
            for file in ("warehouse.duckdb", "warehouse.duckdb.wal"):
                (killed.path / file).unlink(missing_ok=True)
    assert interrupted >= kills // 2, "the kills came too late to show anything"
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
    for mart in MARTS:
        assert content(killed, mart) == content(undisturbed, mart), mart
    assert killed.ask("status")["last_run"]["state"] == "succeeded"
    killed.call("health")


def content(home: Any, mart: str) -> list[tuple[Any, ...]]:
    """Every row of a mart without what may differ."""
    columns = [
        name
        for (name,) in home.rows(
            "select column_name from duckdb_columns() "
            f"where schema_name = 'marts' and table_name = '{mart}'"
        )
        if name not in DIFFERS
    ]
    assert columns
    return home.rows(f"select {', '.join(columns)} from marts.{mart} order by all")


def test_ingest_survives_thirty_kills(make_home, tmp_path: Path) -> None:
    kill_ingest(make_home, tmp_path, kills=30, seed=1)


@pytest.mark.slow  # `make test` has ten minutes; `make test-crash` runs it
@pytest.mark.crash
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
