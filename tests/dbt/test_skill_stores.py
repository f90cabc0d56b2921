"""From SQLite stores to the fact: written while they are read, and beside JSON of the project."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings
from tests.unit.skill_stores import SCHEMA_A, SCHEMA_B, add_a, add_b, make_store

INSERTS = 1_000
WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.unit.skill_stores import SCHEMA_A, add_a, make_store
store = make_store(Path(sys.argv[2]), SCHEMA_A, wal=sys.argv[3] == "wal")
store.execute("pragma busy_timeout = 20000")
store.execute("pragma wal_autocheckpoint = 20")
print("ready", flush=True)
for number in range(int(sys.argv[4])):
    add_a(store, session_id=f"s-{number}", invoked_at=f"2026-08-01T10:00:00.{number:06d}")
    if number % 37 == 0:
        store.execute("pragma wal_checkpoint(truncate)")
    if number % 250 == 249:
        store.close()
        store = make_store(Path(sys.argv[2]), wal=sys.argv[3] == "wal")
"""


class Home:
    """A data home with one project, collected into without an orchestrator."""

    def __init__(self, folder: Path, zone: str = "UTC") -> None:
        self.settings = Settings(home=folder / "home", host_zone="UTC")
        self.tracker = folder / "shop" / ".session-buddy"
        self.tracker.mkdir(parents=True)
        warehouse.prepare_home(self.settings)
        registry.register_project(self.settings, str(folder / "shop"), zone=zone)
        self.runs = 0

    def collect(self) -> dict[str, int]:
        self.runs += 1
        with warehouse.open_warehouse(self.settings) as connection:
            return collect.collect(
                self.settings, connection, run_id=f"run-{self.runs}",
                as_of=datetime(2026, 9, 1, tzinfo=UTC),
            ).totals()  # fmt: skip

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with warehouse.open_warehouse(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.mark.parametrize("mode", ["wal", "journal"])
def test_a_store_written_while_it_is_read_gives_every_row_exactly_once(
    tmp_path: Path, dbt: Callable[..., Any], mode: str
) -> None:
    home = Home(tmp_path)
    root = str(Path(__file__).resolve().parents[2])
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, root, str(home.tracker / "skills.db"), mode, str(INSERTS)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    counts = [0]
    while writer.poll() is None:
        totals = home.collect()
        assert totals["files_quarantined"] == 0
        counts.append(home.rows("select count(*) from raw.skill_usage")[0][0])
    assert writer.returncode == 0
    assert counts == sorted(counts)
    assert any(0 < count < INSERTS for count in counts) or mode == "journal"
    home.collect()
    assert home.rows(
        "select count(*), count(distinct record_key), count(distinct session_id) "
        "from raw.skill_usage"
    ) == [(INSERTS, INSERTS, INSERTS)]
    assert list(home.settings.spill_dir.glob("skill-store-*")) == []
    if mode == "wal":
        dbt(home.settings.warehouse_path, "run", "--select", "+fct_skill_invocations")
        assert home.rows(
            "select count(*), count(distinct session_key) from marts.fct_skill_invocations"
        ) == [(INSERTS, INSERTS)]


def test_json_export_and_store_of_a_project_count_each_invocation_once(
    tmp_path: Path, dbt: Callable[..., Any]
) -> None:
    """Three invocations in three places; a fourth is in store B alone, at the same wall clock."""
    home = Home(tmp_path, zone="Europe/Paris")
    store = make_store(home.tracker / "skills.db", SCHEMA_A)
    other = make_store(home.tracker / "b.db", SCHEMA_B)
    records = []
    for number in range(3):
        shared = {
            "skill_name": "lint",
            "invoked_at": f"2026-08-01T10:00:0{number}",
            "session_id": f"s-{number}",
            "workflow_path": "quick",
            "duration_seconds": 1.5,
            "error_type": None,
        }
        add_a(store, **shared)
        records.append(shared | {"completed": True, "follow_up_actions": []})
    add_b(other, skill_name="lint", session_id="s-0", created_at="2026-08-01 10:00:00")
    store.close()
    other.close()
    for name, root in (
        ("skill_metrics.json", {"skills": {}, "last_updated": "x"}),
        ("skill_metrics_export.json", {"skills": {}, "summary": {}, "exported_at": "x"}),
    ):
        (home.tracker / name).write_text(json.dumps(root | {"invocations": records}))
    assert home.collect()["accepted"] == 10
    dbt(home.settings.warehouse_path, "run", "--select", "+fct_skill_invocations")
    # Paris is two hours ahead of UTC in August; store B is in UTC.
    assert home.rows(
        "select variant, strftime(occurred_at, '%H:%M:%S'), duration_ms, project_id is not null "
        "from marts.fct_skill_invocations order by occurred_at"
    ) == [
        ("SA", "08:00:00", 1500.0, True),
        ("SA", "08:00:01", 1500.0, True),
        ("SA", "08:00:02", 1500.0, True),
        ("SB", "10:00:00", 90000.0, True),
    ]
    assert home.rows(
        "select count(*), count(*) filter (is_kept) from "
        "intermediate.int_skill_invocations__versioned"
    ) == [(10, 4)]
