"""Time ours and the peers on one generated tree of transcripts.

Belongs here: the order of the measurements and what is compared with what. Does not belong here:
the tree (`peer_transcripts.py`), the peers (`peer_tools.py`), goals (`figures.py`).

Wall seconds carry the verdict of a quiet machine; processor seconds stand in the notes, because a
busy one leaves only these comparable.
"""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from agentledger.query.usage import usage
from benchmarks import peer_transcripts
from benchmarks.figures import Figure
from benchmarks.ledger import REPO_ROOT, Ledger, Steps
from benchmarks.opened_files import OpenWatch
from benchmarks.peer_tools import Agentsview, Ccusage, Sources
from benchmarks.processes import Measured, run_measured
from benchmarks.refreshes import MODEL_FLOOR_SECONDS, model_runs

WARM_RUNS = 3
ANSWERS = 20
SHARE_ADDED = 0.01
GIGABYTE = 1e9

BARE = """
import json, resource, sys, time, duckdb
from agentledger.ingest.transcript_formats import FIELDS
pattern, database = sys.argv[1:3]
started = time.perf_counter()
connection = duckdb.connect(database)
connection.execute("set threads = 2; set memory_limit = '1500MB'")
connection.execute("set preserve_insertion_order = false; set enable_progress_bar = false")
fields = json.dumps(FIELDS).replace("'", "''")
connection.execute(
    f"create table lines as select unnest(json_transform(json, '{fields}')) "
    "from read_ndjson_objects(?, maximum_object_size = 33554432)", [pattern]
).fetchall()
[(count,)] = connection.execute("select count(*) from lines").fetchall()
connection.close()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": time.perf_counter() - started, "records": count,
    "processor": used.ru_utime + used.ru_stime,
}))
"""
"""The least that any reader does: the same fields of the same lines into a table on disk."""


def measure(
    size: str, cache: Path, work: Path, absent: Mapping[str, str], say: Callable[[str], None]
) -> list[Figure]:
    """Measure one size.

    Raises:
        LookupError: When our ledger does not hold what was generated, or opened a file in vain.
    """
    made = peer_transcripts.generate(cache, size)
    tree = work / "tree"
    shutil.copytree(made, tree)
    files = sorted((tree / "projects").rglob("*.jsonl"))
    lines = sum(1 for file in files for _ in file.open("rb"))
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    say(f"{len(files):,} files, {lines:,} lines, {megabytes:.0f} MB")
    bare = _bare(tree, work, lines)
    say(f"  bare read {bare['seconds']:.2f} s, processor {bare['processor']:.2f} s")
    ledger, first, full = _first_run(tree, work, lines)
    say(f"  first run {first.seconds:.1f} s, processor {first.processor_seconds:.1f} s")
    found = [
        Figure("bare read of the same fields", (bare["seconds"],), note=_processor(bare)),
        Figure(
            "ingest", (full.ingest,), (full.ingest / bare["seconds"],), goal="transcript ingest"
        ),
        Figure("first run, start to end", (first.seconds,), note=_cost(first)),
        Figure(
            "peak memory of the first run", value=(first.tree_bytes or 0) / GIGABYTE, unit="GB",
            goal="transcript memory", note=f"largest process {first.largest_bytes / 1e9:.2f} GB",
        ),
    ]  # fmt: skip
    agentsview = ccusage = None
    sources = Sources(tree)
    if "agentsview" not in absent:
        agentsview = Agentsview(cache / "peers", sources, work / "home-agentsview")
        found.append(_first_sync(agentsview, first))
        say(f"  agentsview's first sync {found[-1].seconds[0]:.1f} s")
    if "ccusage" not in absent:
        ccusage = Ccusage(cache / "peers", sources, work / "home-ccusage")
    found += _warm(ledger, agentsview, ccusage)
    found.append(_nothing_new(ledger, tree))
    found.append(_one_percent(ledger, tree, lines, full))
    return found


def _cost(measured: Measured) -> str:
    return f"processor {measured.processor_seconds:.2f} s"


def _processor(bare: Mapping[str, float]) -> str:
    return f"processor {bare['processor']:.2f} s"


def _bare(tree: Path, work: Path, lines: int) -> dict[str, float]:
    pattern = str(tree / "projects" / "**" / "*.jsonl")
    database = work / "bare.duckdb"
    command = [sys.executable, "-c", BARE, pattern, str(database)]
    result = json.loads(run_measured(command, {}, limit_seconds=900, cwd=REPO_ROOT).output)
    database.unlink()
    if result["records"] != lines:
        raise LookupError(f"the bare statement read {result['records']} of {lines} lines")
    return result


def _first_run(tree: Path, work: Path, lines: int) -> tuple[Ledger, Measured, Steps]:
    ledger = Ledger.fresh(work / "home", [])
    options = ("--all-projects", "--yes", "--zone", "UTC")
    ledger.command("source", "add", "claude-code", str(tree / "projects"), *options)
    first = ledger.command("run")
    _expect(ledger, lines)
    return ledger, first, ledger.steps_of_last_run()


def _expect(ledger: Ledger, lines: int) -> None:
    import duckdb

    path = str(ledger.settings.warehouse_path)
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute("select count(*) from raw.claude_code_lines").fetchone()
    if row != (lines,):
        raise LookupError(f"raw holds {row} of {lines} lines")


def _first_sync(agentsview: Agentsview, first: Measured) -> Figure:
    sync = agentsview.sync()
    ratio = sync.seconds / first.seconds
    return Figure(
        "agentsview: first sync", (sync.seconds,),
        note=f"{ratio:.1f} x our first run (goal: at least 5 x); {_cost(sync)}, "
        f"{sync.processor_seconds / first.processor_seconds:.1f} x ours; "
        f"memory {(sync.tree_bytes or 0) / GIGABYTE:.2f} GB",
    )  # fmt: skip


def _warm(ledger: Ledger, agentsview: Agentsview | None, ccusage: Ccusage | None) -> list[Figure]:
    asked: dict[str, Callable[[], Measured]] = {
        "warm usage daily": lambda: ledger.command("usage", "daily", "--json"),
    }
    if agentsview is not None:
        asked["agentsview: warm query"] = agentsview.daily
        asked["agentsview: the same without sync"] = lambda: agentsview.daily(without_sync=True)
    if ccusage is not None:
        asked["ccusage: rescan"] = ccusage.daily
    for ask in asked.values():
        ask()  # warms up
    rounds = [{name: ask() for name, ask in asked.items()} for _ in range(WARM_RUNS)]
    found = []
    for name in asked:
        seconds = tuple(one[name].seconds for one in rounds)
        ours = [one["warm usage daily"].seconds for one in rounds]
        times = statistics.median(a / b for a, b in zip(seconds, ours, strict=True))
        processor = statistics.median(one[name].processor_seconds for one in rounds)
        own = statistics.median(one["warm usage daily"].processor_seconds for one in rounds)
        note = f"processor {processor:.2f} s"
        if name != "warm usage daily":
            note = f"{times:.1f} x ours; {note}, {processor / own:.1f} x ours"
        found.append(Figure(name, seconds, note=note))
    found.append(_answer(ledger))
    return found


def _answer(ledger: Ledger) -> Figure:
    seconds = []
    for _ in range(ANSWERS + 1):
        started = time.perf_counter()
        usage("daily", settings=ledger.settings)
        seconds.append(time.perf_counter() - started)
    return Figure("the answer itself", tuple(seconds[1:]), goal="answers")


def _nothing_new(ledger: Ledger, tree: Path) -> Figure:
    folders = [tree / "projects", *(p for p in (tree / "projects").rglob("*") if p.is_dir())]
    watch = OpenWatch(folders)
    again = ledger.command("run")
    opened = watch.opened()
    if opened:
        raise LookupError(f"{len(opened)} files were opened although nothing was new")
    proof = "no file opened" if opened is not None else "this system cannot tell what was opened"
    return Figure("run, nothing new", (again.seconds,), note=f"{proof}; {_cost(again)}")


def _one_percent(ledger: Ledger, tree: Path, lines: int, full: Steps) -> Figure:
    floor = MODEL_FLOOR_SECONDS * model_runs(ledger)
    added = peer_transcripts.append(tree, SHARE_ADDED)
    run = ledger.command("run")
    _expect(ledger, lines + added)
    tick = ledger.steps_of_last_run()
    models = model_runs(ledger)
    own = tick.ingest + max(0.0, tick.models - MODEL_FLOOR_SECONDS * models)
    whole = full.ingest + max(0.0, full.models - floor)
    return Figure(
        "appending 1 %: ingest and models", (own,), (own / whole,), goal="1 % more transcripts",
        note=f"above {MODEL_FLOOR_SECONDS} s for each of {models} models; ingest {tick.ingest:.2f} "
        f"of {full.ingest:.2f} s, models {tick.models:.2f} of {full.models:.2f} s; whole run "
        f"{run.seconds:.1f} s, {_cost(run)}; slowest: "
        + ", ".join(f"{name} {seconds:.2f}" for name, seconds in tick.slowest_models),
    )  # fmt: skip
