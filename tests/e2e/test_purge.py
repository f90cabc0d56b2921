"""A purge and retention as a user types them: searched for in every byte of the data home."""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MARKER = "Qz7Marker"
OTHERS = ("alpha", "gamma")
NUMBERS = (
    "select * exclude (load_seq) from marts.skill_aggregates "
    "where project_id in (select project_id from marts.dim_projects where project_name in {}) "
    "order by all"
)


def invocation(skill: str, session: str, at: str, **more: Any) -> dict[str, Any]:
    return {
        "skill_name": skill, "invoked_at": at, "session_id": session, "workflow_path": "quick",
        "completed": True, "duration_seconds": 2.0, "user_query": f"private {MARKER}",
        "alternatives_considered": [], "selection_rank": 1, "follow_up_actions": [],
        "error_type": None,
    } | more  # fmt: skip


def write_project(base: Path, name: str, records: list[Any]) -> Path:
    file = base / name / ".session-buddy" / "skill_metrics.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"invocations": records}))
    return base / name


def write_projects(base: Path) -> list[Path]:
    """Six uses of `review` in alpha, four in gamma, five in the project that will go.

    Half of alpha's are of January. The marker stands in names of skills, of the project and of an
    unknown field, in sessions, in an error and in what is rejected.
    """
    days = [f"2026-{1 + 7 * (n % 2):02d}-0{1 + n}T10:00:00Z" for n in range(6)]
    alpha = [invocation("review", f"a-{n}", day) for n, day in enumerate(days)]
    gamma = [invocation("review", f"g-{n}", f"2026-08-1{n}T09:00:00Z") for n in range(4)]
    marked = [
        invocation(
            skill, f"{MARKER}-s{n}", f"2026-08-2{n}T09:00:00Z", error_type=f"{MARKER}Error",
            workflow_path=f"{MARKER}-path", **{f"{MARKER}_field": n},
        )
        for skill in ("review", f"{MARKER}-skill")
        for n in range(5)
    ]  # fmt: skip
    return [
        write_project(base, "alpha", alpha),
        write_project(base, MARKER, [*marked, {"skill_name": 7, "invoked_at": MARKER}, MARKER]),
        write_project(base, "gamma", gamma),
    ]


def traces(home: Path, *needles: str) -> list[str]:
    """Files of the data home that hold one of the texts, in their bytes or their names."""
    found = []
    for path in home.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        found += [f"{path}: {n}" for n in needles if n.encode() in data or n in path.name]
    return found


def total(home: Any, skill: str = "review") -> int:
    """Uses of a skill in all projects, as a reader is told."""
    answer = home.ask(
        "sql",
        "select total_invocations from marts.skill_aggregates where "
        f"project_id = '__all__' and time_window = 'all' and skill_name = '{skill}'",
    )
    return answer[0]["total_invocations"]


def ids_of(home: Any) -> list[str]:
    [(project_id, source_id)] = home.rows(
        "select p.project_id, s.source_id from raw.projects as p "
        f"join raw.sources as s using (project_id) where p.project_name = '{MARKER}'"
    )
    return [project_id, source_id]


@pytest.mark.slow  # a minute of whole runs: `make test-crash` runs it
@pytest.mark.crash
def test_a_purge_leaves_no_byte_and_retention_removes_to_the_day(
    make_home: Callable[[str], Any], tmp_path: Path
) -> None:
    home = make_home("home")
    folders = write_projects(tmp_path / "projects")
    home.register(*folders)
    home.call("run")
    ids = ids_of(home)
    places = {line.split(": ")[0] for line in traces(home.path, MARKER, *ids)}
    assert {Path(place).name for place in places} >= {
        "warehouse.duckdb", "event_log.db", "status.json", "config.toml"
    }  # fmt: skip
    assert total(home) == 15
    numbers = home.rows(NUMBERS.format(OTHERS))
    assert len(numbers) > 10

    refused = home.call("unregister", str(folders[1]), "--purge", exit_code=2)
    assert "Add --yes" in refused
    said = home.call("unregister", str(folders[1]), "--purge", "--yes")
    assert "10 of skill_usage" in said and "Purged a project: " in said

    assert traces(home.path, MARKER, *ids, str(folders[1])) == []
    assert home.rows(NUMBERS.format(OTHERS)) == numbers
    assert total(home) == 10
    assert list(home.path.glob("*.wal")) == [] and list((home.path / "spill").iterdir()) == []
    shown = home.ask("status")
    assert shown["pending_purges"] == []
    assert shown["purges"][0]["rows_removed"]["skill_usage"] == 10
    assert "Nothing is new" in home.call("run")

    # 2026-11-21 less 150 days is 2026-06-24: the three of January go, seven stay.
    config = home.path / "config.toml"
    config.write_text("retention_days = 150\n" + config.read_text())
    assert "3 raw row(s) removed" in home.call("run")
    assert total(home) == 7
    assert home.rows("select count(*), min(occurred_at)::date::varchar "
                     "from marts.fct_skill_invocations") == [(7, "2026-08-02")]  # fmt: skip
    assert "Nothing is new" in home.call("run")


@pytest.mark.slow
@pytest.mark.crash
def test_a_purge_killed_at_many_moments_is_completed_by_the_next_run(
    make_home: Callable[[str], Any], tmp_path: Path
) -> None:
    """Kill -9 from the first write of the request until after publishing."""
    home = make_home("home")
    folders = write_projects(tmp_path / "projects")
    home.register(*folders)
    home.call("run")
    numbers = home.rows(NUMBERS.format(OTHERS))
    moments = random.Random(11)  # noqa: S311 - a moment, no secret
    begun = time.monotonic()
    interrupted = 0
    for number in range(8):
        if MARKER not in home.call("projects"):
            home.register(folders[1])
            home.call("run")
        ids = ids_of(home)
        begun = time.monotonic()
        process = home.start("unregister", str(folders[1]), "--purge", "--yes")
        time.sleep(moments.uniform(0.5, 14.0))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            interrupted += 1
        process.wait()
        if not list((home.path / "purges").glob("*.json")) and MARKER in home.call("projects"):
            continue  # killed before it was asked for
        home.call("run")
        assert traces(home.path, MARKER, *ids, str(folders[1])) == [], f"kill {number}"
        assert home.rows(NUMBERS.format(OTHERS)) == numbers
        assert home.ask("status")["pending_purges"] == []
        assert time.monotonic() - begun < 400
    assert interrupted >= 4
