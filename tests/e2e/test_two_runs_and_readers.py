"""Two runs at once, readers throughout, and no packet off the machine."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest


def write_project(folder: Path, records: int) -> None:
    target = folder / ".session-buddy" / "skill_metrics.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    invocations = [
        {
            "skill_name": "review",
            "invoked_at": f"2026-10-01T10:{number // 60:02d}:{number % 60:02d}",
            "session_id": "s",
            "completed": True,
            "duration_seconds": 2.0,
        }
        for number in range(records)
    ]
    target.write_text(json.dumps({"invocations": invocations}))


def test_two_runs_at_once_and_readers_all_the_while(home, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    write_project(project, 10)
    home.register(project)
    home.call("run")
    write_project(project, 25)
    first, second = home.start("run"), home.start("run")
    counts = set()
    answers = 0
    while first.poll() is None or second.poll() is None:
        [row] = home.ask("skills", "top")["rows"]
        counts.add(row["total_invocations"])
        home.ask("status")
        answers += 1
        time.sleep(0.05)
    outputs = [process.communicate()[0] for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0], outputs
    assert any("waiting" in output for output in outputs), outputs
    assert counts <= {10, 25}
    assert answers >= 5
    [row] = home.ask("skills", "top")["rows"]
    assert row["total_invocations"] == 25
    assert home.rows("select count(*) from raw.skill_usage") == [(25,)]


def test_a_run_completes_with_the_network_cut_off(home, tmp_path: Path) -> None:
    cut_off = ["unshare", "--map-root-user", "--net"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*cut_off, "true"], check=False).returncode
    ):
        pytest.skip("this system does not let us make a network namespace")
    project = tmp_path / "shop"
    write_project(project, 10)
    home.register(project)
    home.call("run", prefix=cut_off)
    [row] = home.ask("skills", "top")["rows"]
    assert row["total_invocations"] == 10
