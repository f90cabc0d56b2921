"""Many processes emit, some are killed, the ledger reads all the while: every event exactly once.

An event counts as flushed when the recorder said so before the kill; those must all be there. What
was still in memory of a killed process may be lost, and nothing else.
"""

import json
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentledger import warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings
from tests.e2e.conftest import Home

EMITTER = """
import sys, time
from pathlib import Path
from agentledger.emit import IntentRecorder
home, events, confirmed = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
recorder = IntentRecorder(home)
with confirmed.open("a") as ledger:
    for start in range(0, events, 100):
        ids = []
        for number in range(start, min(start + 100, events)):
            with recorder.utterance(f"do thing {number}", session_id="s") as trace:
                trace.outcome = "ready"
                trace.verb_candidates_pre = [("thing.do", 0.9), ("thing.undo", 0.4)]
                trace.chosen_verb_fqn = "thing.do"
            ids.append(trace.event_id)
        if recorder.flush() and recorder.stats()["failed"] == recorder.stats()["dropped"] == 0:
            ledger.write("".join(f"{event_id}\\n" for event_id in ids))
            ledger.flush()
        time.sleep(float(sys.argv[4]))
print(recorder.stats())
"""


class Emitters:
    """Processes that emit, one of which is killed now and then and replaced by a new one."""

    def __init__(self, home: Path, folder: Path, count: int, events: int, pause: float) -> None:
        self.rng = random.Random(20261120)  # noqa: S311 - moments of kills, no secret
        self.home, self.folder, self.events, self.pause = home, folder, events, pause
        self.started = self.killed = 0
        self.running = [self._start(events) for _ in range(count)]

    def _start(self, events: int) -> "subprocess.Popen[str]":
        self.started += 1
        arguments = [self.home, events, self.folder / f"confirmed-{self.started}", self.pause]
        return subprocess.Popen(
            [sys.executable, "-c", EMITTER, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def kill_one(self) -> None:
        """Kill one that still emits; another takes its place."""
        alive = [process for process in self.running if process.poll() is None]
        if alive:
            victim = self.rng.choice(alive)
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
            self.killed += victim.returncode == -signal.SIGKILL
            self.running.remove(victim)
            self.running.append(self._start(self.events // 2))

    def are_done(self) -> bool:
        return all(process.poll() is not None for process in self.running)

    def wait(self) -> None:
        for process in self.running:
            output, _ = process.communicate(timeout=120)
            assert process.returncode == 0, output

    def confirmed(self) -> list[str]:
        return [
            line for path in self.folder.glob("confirmed-*") for line in path.read_text().split()
        ]


def check_spool(home: Path) -> None:
    """Every line that ends is a whole event; only the last one of a killed process may be torn."""
    for path in (home / "spool").iterdir():
        *whole, _rest = path.read_bytes().split(b"\n")
        assert all(json.loads(line)["outcome"] == "ready" for line in whole)


def test_every_flushed_event_lands_once_while_emitters_are_killed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    emitters = Emitters(settings.home, tmp_path, count=4, events=1000, pause=0.25)
    number = 0
    while not emitters.are_done() or number == 0:
        time.sleep(0.3)
        if number < 3:
            emitters.kill_one()
        ingest(settings, number)
        number += 1
    emitters.wait()
    ingest(settings, number)
    with warehouse.open_warehouse(settings, read_only=True) as connection:
        rows = connection.execute("select event_id from raw.intent_events").fetchall()
        reasons = connection.execute("select distinct reason from raw.rejects").fetchall()
    found = [event_id for (event_id,) in rows]
    assert len(found) == len(set(found))
    assert set(emitters.confirmed()) <= set(found)
    assert emitters.killed
    assert len(found) >= 4000 - emitters.killed * 1000
    assert set(reasons) <= {("truncated_line",)}
    check_spool(settings.home)


def ingest(settings: Settings, number: int) -> None:
    with (
        warehouse.hold_run_lock(settings),
        warehouse.open_warehouse(settings) as connection,
    ):
        collect.collect(settings, connection, run_id=f"r{number}", as_of=datetime.now(UTC))


@pytest.mark.slow
@pytest.mark.crash
def test_eighty_thousand_events_reach_the_fact_once(home: Home, tmp_path: Path) -> None:
    """Eight processes, ten thousand events each, whole runs every few seconds, kills in between."""
    home.path.mkdir()
    emitters = Emitters(home.path, tmp_path, count=8, events=10_000, pause=1.0)
    runs = 0
    while not emitters.are_done() or runs == 0:
        time.sleep(2)
        for _ in range(2 if runs < 3 else 0):
            emitters.kill_one()
        home.call("run")
        runs += 1
    emitters.wait()
    home.call("run")
    rows = home.rows("select event_id from raw.intent_events")
    kept = home.rows(
        "select event_id from intermediate.int_intent_events__versioned "
        "join raw.intent_events using (record_key) where is_kept"
    )
    [(facts,)] = home.rows("select count(*) from marts.fct_intent_events")
    found = {event_id for (event_id,) in rows}
    assert len(rows) == len(found) == len(kept) == facts
    assert set(emitters.confirmed()) <= found
    assert emitters.killed >= 3
    assert runs >= 2
    check_spool(home.path)
