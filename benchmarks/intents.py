"""Measure intent events: ingest, the models, one per cent more, the views.

Belongs here: the log that is generated, what is run against what. Does not belong here: skill
metrics (`measurements.py`), the cost of emitting (`emit_overhead.py`).
"""

import json
import random
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from agentledger import registry
from agentledger.query import intents
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot
from benchmarks.figures import Figure
from benchmarks.ledger import REPO_ROOT, Ledger
from benchmarks.processes import run_measured
from benchmarks.refreshes import refresh_figure

EVENTS = {"tiny": 2_000, "small": 50_000, "medium": 1_000_000, "large": 5_000_000}
EVENTS_PER_FILE = 250_000

VERBS = tuple(f"area{number % 7}.verb-{number:02d}" for number in range(60))
OUTCOMES = (
    "ready", "ready", "ready", "needs_clarification", "needs_user_input", "no_match",
    "no_allowed_verbs",
)  # fmt: skip
VIEWS = (
    "v_intent_top_clarify_verbs", "v_intent_semreg_overrides", "v_intent_semreg_denies",
    "v_intent_arg_fill_failures", "v_intent_macro_denies", "v_intent_failure_modes",
)  # fmt: skip
EVENT_VIEW = "v_intent_semreg_overrides"
BARE = """
import json, sys, time, duckdb
pattern, database, columns = sys.argv[1:4]
started = time.perf_counter()
connection = duckdb.connect(database)
connection.execute("set threads = 2; set memory_limit = '2500MB'")
connection.execute("set preserve_insertion_order = false; set enable_progress_bar = false")
connection.execute(
    "create table events as select * from read_json(?, format = 'newline_delimited', columns = "
    + columns + ")", [pattern]
).fetchall()
[(count,)] = connection.execute("select count(*) from events").fetchall()
connection.close()
print(json.dumps({"seconds": time.perf_counter() - started, "records": count}))
"""


def measure_intents(size: str, cache: Path, work: Path, say: Callable[[str], None]) -> list[Figure]:
    """Measure one size; files of an earlier benchmark are used again.

    Raises:
        LookupError: When the ledger does not hold what was generated.
    """
    events = EVENTS[size]
    say(f"intents: {events:,} events")
    folder = work / "intent-logs"
    shutil.copytree(_generated(cache, events), folder)
    bare = _bare_seconds(folder, work, events)
    say(f"  bare read {bare:.2f} s")
    ledger = Ledger.fresh(work / "home-intents", [])
    registry.add_source(ledger.settings, "events", str(folder), zone="UTC")
    ledger.command("run")
    full = ledger.steps_of_last_run()
    _expect(ledger, events)
    say(f"  ingest {full.ingest:.2f} s, models {full.models:.2f} s")
    added = events // 100
    # A day's refresh brings the events of that day.
    _write(folder / "today.jsonl", events, added, day="2026-09-29")
    of_a_day = _refresh(ledger, events + added, full.models, "1 % more, all of one new day")
    # The worst case: each day of nine months is counted again.
    _write(folder / "late.jsonl", events + added, added)
    of_all_days = _refresh(ledger, events + 2 * added, full.models, "1 % more, over all days")
    return [
        Figure("bare read of the events", (bare,)),
        Figure("ingest of the events", (full.ingest,), (full.ingest / bare,), goal="event ingest"),
        Figure("models, all of them", (full.models,)),
        of_a_day,
        of_all_days,
        *_views(ledger.settings),
    ]


def _refresh(ledger: Ledger, events: int, full_seconds: float, name: str) -> Figure:
    ledger.command("run")
    _expect(ledger, events)
    return refresh_figure(ledger, full_seconds, name)


def _generated(cache: Path, events: int) -> Path:
    folder = cache / f"intents-{events}"
    if not folder.exists():
        draft = cache / f"intents-{events}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for start in range(0, events, EVENTS_PER_FILE):
            count = min(EVENTS_PER_FILE, events - start)
            _write(draft / f"events-{start}.jsonl", start, count)
        draft.rename(folder)
    return folder


def _write(path: Path, start: int, count: int, day: str | None = None) -> None:
    rng = random.Random(start)
    pairs = [
        json.dumps(
            [[verb, round(rng.random(), 6)] for verb in rng.sample(VERBS, 3)],
            separators=(",", ":"),
        )
        for _ in range(2000)
    ]
    with path.open("w", encoding="utf-8") as stream:
        for number in range(start, start + count):
            verb = VERBS[rng.randrange(60)]
            candidates = pairs[rng.randrange(2000)]
            outcome = OUTCOMES[rng.randrange(7)]
            missing = '["amount"]' if outcome == "needs_user_input" else "null"
            denied = f'["{verb}"]' if outcome == "no_allowed_verbs" else "null"
            forced = f'"{VERBS[rng.randrange(60)]}"' if number % 20 == 0 else "null"
            date = day or f"2026-{1 + number % 9:02d}-{1 + number % 28:02d}"
            stream.write(
                f'{{"event_id":"{number:08x}-0000-4000-8000-000000000000",'
                f'"ts":"{date}T{number % 24:02d}:00:00Z",'
                f'"session_id":"{number // 12:08x}-0000-4000-8000-000000000001",'
                f'"actor_id":"user-{number % 50}","entrypoint":"chat",'
                f'"utterance_hash":"{rng.getrandbits(256):064x}","utterance_preview":null,'
                f'"subject_ref_type":"entity","semreg_mode":"strict","semreg_denied_verbs":{denied},'
                f'"verb_candidates_pre":{candidates},"verb_candidates_post":{candidates},'
                f'"chosen_verb_fqn":"{verb}","selection_source":"discovery",'
                f'"forced_verb_fqn":{forced},"outcome":"{outcome}","macro_semreg_checked":false,'
                f'"macro_denied_verbs":null,"error_code":null,"prompt_version":"v{number % 3}",'
                f'"missing_args":{missing},"hash_scheme":"hmac-sha256"}}\n'
            )


def _bare_seconds(folder: Path, work: Path, events: int) -> float:
    import sys

    first = json.loads(next(folder.glob("*.jsonl")).open(encoding="utf-8").readline())
    columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in first) + "}"
    database = work / "bare.duckdb"
    arguments = [sys.executable, "-c", BARE, str(folder / "*.jsonl"), str(database), columns]
    result = json.loads(run_measured(arguments, {}, limit_seconds=3600, cwd=REPO_ROOT).output)
    database.unlink()
    if result["records"] != events:
        raise LookupError(f"the bare statement read {result['records']} of {events} events")
    return float(result["seconds"])


def _expect(ledger: Ledger, events: int) -> None:
    import duckdb

    path = str(ledger.settings.warehouse_path)
    with duckdb.connect(path, read_only=True) as connection:
        [(found,)] = connection.execute("select count(*) from marts.fct_intent_events").fetchall()
    if found != events:
        raise LookupError(f"the fact holds {found} of {events} events")


def _ask(settings: Settings, view: str) -> None:
    if view == EVENT_VIEW:
        # A row per event: nobody asks for half a million of them. The newest, as the CLI does.
        intents.override_events(settings=settings)
        return
    with open_snapshot(settings) as snapshot:
        snapshot.connection.execute(f"select * from marts.{view}").fetchall()


def _views(settings: Settings) -> list[Figure]:
    figures = []
    for view in VIEWS:
        seconds = []
        for _ in range(11):
            started = time.perf_counter()
            _ask(settings, view)
            seconds.append(time.perf_counter() - started)
        figures.append(
            Figure(
                view, tuple(seconds[1:]), goal="answers",
                note=f"median {statistics.median(seconds[1:]) * 1000:.0f} ms, snapshot opened each "
                "time",
            )
        )  # fmt: skip
    return figures
