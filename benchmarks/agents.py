"""Measure the telemetry of agents: ingest of long texts, the models, a tick with few new events.

Belongs here: the logs that are generated, what is run against what. Does not belong here: skill
metrics (`measurements.py`), intents (`intents.py`).
"""

import json
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentledger import registry
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot
from benchmarks.figures import Figure
from benchmarks.intents import BARE
from benchmarks.ledger import REPO_ROOT, Ledger
from benchmarks.processes import run_measured
from benchmarks.refreshes import refresh_figure, slowest_models

RECORDS = {"tiny": 2_000, "small": 20_000, "medium": 200_000, "large": 1_000_000}
"""Records of agent_telemetry; there are twice as many finished tasks."""

TASKS_PER_RECORD = 2
NEW_EVENTS = 1_000
"""What a tick of five minutes brings, half of each kind."""

FIRST_AT, DAYS = datetime(2026, 1, 1, tzinfo=UTC), 270
"""What the logs hold, in order of time, as logs do."""
NEW_AT = FIRST_AT + timedelta(days=DAYS)

TEXT_CHARACTERS = 4_000
RECORDS_PER_FILE, TASKS_PER_FILE = 50_000, 500_000
CALLS_PER_TURN = 4
TURNS_PER_SESSION = 5
REASONS = ("completed", "completed", "completed", "loop_detected:same_tool", "round_cap")
READS = {
    "agent_metrics_rolling": ("", "agent answers"),
    "turn_stop_reasons": ("where time_window = 'all'", None),
    "turn_cutoff_rates": ("where time_window = 'all'", None),
}
"""Relation → which rows are the current ones, and the goal of reading them."""


def measure_agents(size: str, cache: Path, work: Path, say: Callable[[str], None]) -> list[Figure]:
    """Measure one size; files of an earlier benchmark are used again.

    Raises:
        LookupError: When the ledger does not hold what was generated.
    """
    records = RECORDS[size]
    tasks = TASKS_PER_RECORD * records
    say(f"agents: {records:,} records of {TEXT_CHARACTERS:,} characters, {tasks:,} tasks")
    source = _generated(cache, records)
    folder = work / "agent-logs"
    folder.mkdir()
    for path in source.iterdir():
        (folder / path.name).hardlink_to(path)
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    bare = _bare_seconds(folder, work, "telemetry", records)
    bare += _bare_seconds(folder, work, "tasks", tasks)
    say(f"  bare read {bare:.2f} s")
    ledger = Ledger.fresh(work / "home-agents", [])
    registry.add_source(ledger.settings, "events", str(folder), zone="UTC")
    ledger.command("run")
    full = ledger.steps_of_last_run()
    _expect(ledger, records, tasks)
    say(f"  ingest {full.ingest:.2f} s, models {full.models:.2f} s")
    half = NEW_EVENTS // 2
    five_minutes = Times(NEW_AT, timedelta(minutes=5) / half, first=tasks)
    _write_records(folder / "telemetry-new.jsonl", records, half, NEW_AT)
    _write_tasks(folder / "tasks-new.jsonl", tasks, half, five_minutes)
    of_now = _tick(ledger, (records + half, tasks + half), full.models, "new events")
    # The worst case: some task of each day comes late.
    all_days = Times(FIRST_AT, timedelta(days=DAYS) / half, first=tasks + half)
    _write_records(folder / "telemetry-late.jsonl", records + half, half, FIRST_AT)
    _write_tasks(folder / "tasks-late.jsonl", tasks + half, half, all_days)
    of_all_days = _tick(
        ledger, (records + 2 * half, tasks + 2 * half), full.models, "late events of all days"
    )
    return [
        Figure("bare read of telemetry and tasks", (bare,), note=f"{megabytes:.0f} MB"),
        Figure("ingest of both", (full.ingest,), (full.ingest / bare,), goal="event ingest"),
        Figure("models, all of them", (full.models,), note=slowest_models(full.slowest_models)),
        of_now,
        of_all_days,
        *_answers(ledger.settings),
    ]


def _tick(ledger: Ledger, expected: tuple[int, int], full_seconds: float, name: str) -> Figure:
    ledger.command("run")
    _expect(ledger, *expected)
    return refresh_figure(ledger, full_seconds, f"{NEW_EVENTS:,} {name}")


def _generated(cache: Path, records: int) -> Path:
    folder = cache / f"agents-in-time-{records}"
    if not folder.exists():
        draft = folder.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for start in range(0, records, RECORDS_PER_FILE):
            count = min(RECORDS_PER_FILE, records - start)
            begins_at = FIRST_AT + timedelta(days=DAYS) * start / records
            _write_records(draft / f"telemetry-{start}.jsonl", start, count, begins_at)
        tasks = TASKS_PER_RECORD * records
        times = Times(FIRST_AT, timedelta(days=DAYS) / tasks)
        for start in range(0, tasks, TASKS_PER_FILE):
            count = min(TASKS_PER_FILE, tasks - start)
            _write_tasks(draft / f"tasks-{start}.jsonl", start, count, times)
        draft.rename(folder)
    return folder


@dataclass(frozen=True, slots=True)
class Times:
    """The instants of numbered events."""

    begins_at: datetime
    step: timedelta
    first: int = 0
    """Number of the event at `begins_at`."""

    def at(self, number: int) -> str:
        """The instant of an event, as a log has it."""
        return f"{self.begins_at + self.step * (number - self.first):%Y-%m-%dT%H:%M:%S}"


def _write_records(path: Path, start: int, count: int, begins_at: datetime) -> None:
    """Turns of four calls and their summary, one after the other in sessions of five turns.

    The sessions of a file begin minutes after each other.
    """
    rng = random.Random(start)
    first_session = start // ((CALLS_PER_TURN + 1) * TURNS_PER_SESSION)
    words = [f"{rng.getrandbits(30):x}" for _ in range(20_000)]
    filler = " ".join(words)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(start, start + count):
            turn, step = divmod(number, CALLS_PER_TURN + 1)
            is_summary = step == CALLS_PER_TURN
            session = turn // TURNS_PER_SESSION
            seconds = 90 * (session - first_session) + turn % TURNS_PER_SESSION * 120 + step * 20
            stamp = f"{begins_at + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"
            place = rng.randrange(len(filler) - TEXT_CHARACTERS)
            text = filler[place : place + TEXT_CHARACTERS]
            quarter = TEXT_CHARACTERS // 4
            prompt, completion = 2_000 + 500 * step, 100 + place % 400
            if is_summary:
                prompt, completion = 11_000, 1_200
            ended = (
                f'"stop_reason":"{REASONS[turn % 5]}","rounds":{1 + turn % 6},'
                f'"tool_call_count":{turn % 4},"turn_intent":"action"'
                if is_summary
                else '"stop_reason":null,"rounds":null,"tool_call_count":null,"turn_intent":null'
            )
            stream.write(
                f'{{"id":"{number:08x}-0000-4000-8000-000000000000",'
                f'"created_at":"{stamp}.120Z",'
                f'"record_type":"{"turn_summary" if is_summary else "llm_call"}",'
                f'"project_id":"p{session % 20}","session_id":"t-{session:x}",'
                f'"user_message":"{text[:quarter]}","model_used":"model-{session % 3}",'
                f'"system_prompt":"{text[quarter : 2 * quarter]}",'
                f'"chat_history":[{{"role":"user","content":"{text[2 * quarter : 3 * quarter]}"}}],'
                f'"response_text":"{text[3 * quarter :]}","response_thoughts":null,'
                f'"tool_calls":[{{"name":"write_file","args":{{"path":"a.ts"}}}}],'
                f'"tool_results":null,{ended},"chat_mode":"vibe","prompt_tokens":{prompt},'
                f'"completion_tokens":{completion},"total_tokens":{prompt + completion},'
                f'"duration_ms":{1_000 + place % 9_000}}}\n'
            )


def _write_tasks(path: Path, start: int, count: int, times: Times) -> None:
    rng = random.Random(start)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(start, start + count):
            stream.write(
                f'{{"event_id":"{number:08x}-0000-4000-8000-000000000001",'
                f'"agent_id":"agent-{number % 40}","occurred_at":"{times.at(number)}Z",'
                f'"task_type":"refactor","success":{"false" if number % 7 == 0 else "true"},'
                f'"cost_cents":{rng.randrange(500) / 100},"latency_ms":{rng.randrange(9000)},'
                f'"patterns":["retry","cache"],"provider":"anthropic","model":"model-{number % 3}",'
                f'"prompt_tokens":{rng.randrange(9000)},"completion_tokens":{rng.randrange(900)},'
                f'"session_id":"s-{number // 10:x}","project_id":"p{number % 20}",'
                f'"error_type":null,"schema_version":1}}\n'
            )


def _bare_seconds(folder: Path, work: Path, kind: str, expected: int) -> float:
    with next(folder.glob(f"{kind}-*.jsonl")).open(encoding="utf-8") as stream:
        first = json.loads(stream.readline())
    columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in first) + "}"
    database = work / "bare-agents.duckdb"
    pattern = str(folder / f"{kind}-*.jsonl")
    arguments = [sys.executable, "-c", BARE, pattern, str(database), columns]
    result = json.loads(run_measured(arguments, {}, limit_seconds=3600, cwd=REPO_ROOT).output)
    database.unlink()
    if result["records"] != expected:
        raise LookupError(f"the bare statement read {result['records']} of {expected} {kind}")
    return float(result["seconds"])


def _expect(ledger: Ledger, records: int, tasks: int) -> None:
    import duckdb

    asked = {
        "raw.agent_telemetry": records,
        "raw.usage_events": tasks,
        "marts.session_trajectories": records,
    }
    path = str(ledger.settings.warehouse_path)
    with duckdb.connect(path, read_only=True) as connection:
        for relation, expected in asked.items():
            [(found,)] = connection.execute(f"select count(*) from {relation}").fetchall()
            if found != expected:
                raise LookupError(f"{relation} holds {found} of {expected} rows")


def _answers(settings: Settings) -> list[Figure]:
    """Every row of the current metrics, the snapshot opened each time; absent ones are left out."""
    figures = []
    with open_snapshot(settings) as snapshot:
        rows = snapshot.connection.execute("select relation_name from meta.relations").fetchall()
    for relation, (condition, goal) in READS.items():
        if (relation,) not in rows:
            continue
        seconds = []
        for _ in range(11):
            started = time.perf_counter()
            with open_snapshot(settings) as snapshot:
                snapshot.connection.execute(
                    f"select * from marts.{relation} {condition}"
                ).fetchall()
            seconds.append(time.perf_counter() - started)
        median = statistics.median(seconds[1:]) * 1000
        figures.append(
            Figure(
                f"current rows of {relation}", tuple(seconds[1:]), goal=goal,
                note=f"median {median:.0f} ms, snapshot opened each time",
            )
        )  # fmt: skip
    return figures
