"""A small data home, and headless runs on it whose every connect is recorded.

Belongs here: what the tests of runs build and start. Does not belong here: expectations, fixtures.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentledger.registry import register_project
from agentledger.settings import Settings, process_environment
from agentledger.warehouse import prepare_home

REPO_ROOT = Path(__file__).resolve().parents[2]
RUN_TIMEOUT_SECONDS = 180
"""A run of this size takes about ten; a busy machine several times that."""

# Imported by every Python that has the folder on its path, the children of the run included.
CONNECT_RECORDER = """
import os, sys
def _record(event, arguments):
    at = {{"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0,
          "socket.gethostbyname": 0}}
    if event not in at:
        return
    target = arguments[at[event]]
    with open({log!r}, "a") as log:
        log.write(f"{{os.getpid()}} {{event}} {{target!r}}\\n")
sys.addaudithook(_record)
with open({log!r}, "a") as log:
    log.write(f"{{os.getpid()}} started {{getattr(sys, 'orig_argv', [])!r}}\\n")
"""


def invocation(skill: str, minute: int, *, completed: bool = True) -> dict[str, Any]:
    """One record as session-buddy's trackers write it."""
    return {
        "skill_name": skill,
        "invoked_at": f"2026-03-01T09:{minute:02d}:00+00:00",
        "session_id": f"session-{minute}",
        "workflow_path": "quick",
        "completed": completed,
        "duration_seconds": 1.5 + minute,
        "user_query": "private words",
        "alternatives_considered": [],
        "selection_rank": 1,
        "follow_up_actions": [],
        "error_type": None,
    }


def write_metrics(project: Path, records: list[dict[str, Any]]) -> None:
    """Write a project's metrics file whole, as its producer does."""
    path = project / ".session-buddy" / "skill_metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"invocations": records}))


def make_home(folder: Path) -> Settings:
    """A data home with two registered projects; the second has a file that is no JSON."""
    settings = Settings(home=folder / "home", host_zone="UTC")
    prepare_home(settings)
    good, bad = folder / "good project", folder / "bad"
    write_metrics(good, [invocation("review", minute) for minute in range(6)])
    write_metrics(bad, [])
    (bad / ".session-buddy" / "skill_metrics.json").write_text("this is no JSON")
    for project in (good, bad):
        register_project(settings, str(project))
    return settings


@dataclass(frozen=True)
class HeadlessRun:
    """A finished `python -m orchestration run`."""

    settings: Settings
    folder: Path
    exit_code: int
    stdout: str
    stderr: str
    connects: list[str]
    """What all processes of the run connected to or looked up."""
    processes: list[str]
    """Command lines of all Python processes of the run."""


def run_headless(folder: Path, settings: Settings, *arguments: str) -> HeadlessRun:
    """Start a run the way `agentledger run` does, with every connect recorded."""
    spy = folder / "spy"
    spy.mkdir(exist_ok=True)
    log = spy / "connects.log"
    log.unlink(missing_ok=True)
    (spy / "sitecustomize.py").write_text(CONNECT_RECORDER.format(log=str(log)))
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "run", *arguments],
        cwd=REPO_ROOT,
        env=process_environment(settings, {"PYTHONPATH": str(spy), "TZ": "Asia/Kolkata"}),
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_SECONDS,
        check=False,
    )
    lines = log.read_text().splitlines()
    return HeadlessRun(
        settings=settings,
        folder=folder,
        exit_code=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        connects=[line for line in lines if " started " not in line],
        processes=[line for line in lines if " started " in line],
    )
