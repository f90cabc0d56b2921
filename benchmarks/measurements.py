"""The measurements of one variant, in their order.

Belongs here: what is run against what, pairwise and interleaved, so that a machine that slows down
slows both. Does not belong here: how a process is measured (`processes.py`), the table
(`figures.py`).
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.answers import time_answers
from benchmarks.figures import GOALS, Figure
from benchmarks.generate import Size, add_records, data_files
from benchmarks.ledger import REPO_ROOT, Ledger, Steps
from benchmarks.opened_files import OpenWatch
from benchmarks.processes import Measured

CHANGED_SHARE = 0.01
START_UPS = 7
GIGABYTE = 1e9


class BrokenBenchmarkError(RuntimeError):
    """What was measured is not what should have been: its time would mean nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """What one benchmark is asked to do."""

    size: Size
    runs: int
    cache: Path
    work: Path
    with_plain: bool
    ingest_only: bool
    """Leave out everything that needs dbt."""
    say: Callable[[str], None]


class Bench:
    """State of the benchmark of one variant."""

    def __init__(self, options: Options, variant: str) -> None:
        self.options, self.variant = options, variant
        options.say(f"{variant}: {options.size.projects} x {options.size.records_each:,} records")
        files = data_files(options.cache, options.size, variant)
        self.files = files
        self.megabytes = sum(file.stat().st_size for file in files) / 1e6
        # One project is changed later: it lies in the work folder, the cache stays as it is.
        self.changing = options.work / f"changing-{variant}" / ".session-buddy" / files[0].name
        self.changing.parent.mkdir(parents=True)
        shutil.copy(files[0], self.changing)
        self.projects = [file.parent.parent for file in (self.changing, *files[1:])]
        self.expected = options.size.records
        self.steps: list[Steps] = []
        self.figures: list[Figure] = []
        self.ledger: Ledger | None = None

    def measure(self) -> list[Figure]:
        """Measure everything; the ledger of the last round is then changed and asked."""
        self._rounds()
        if self.options.ingest_only:
            return self.figures
        self._changed_project()
        self._nothing_changed()
        self._answers()
        self._start_up()
        return self.figures

    # ---- full load

    def _rounds(self) -> None:
        best, plain, ingest, whole = [], [], [], []
        largest, tree = 0, 0
        for number in range(self.options.runs):
            self.options.say(f"  round {number + 1} of {self.options.runs}")
            best.append(self._yardstick("best"))
            measured = self._ingest()
            ingest.append(json.loads(measured.output)["seconds"])
            run = measured if self.options.ingest_only else self._whole_run()
            whole.append(run.seconds)
            largest = max(largest, run.largest_bytes)
            tree = max(tree, run.tree_bytes or 0)
            # Last and once: the slow form would dominate the time of the benchmark.
            if self.options.with_plain and number == 0:
                plain.append(self._yardstick("plain"))
        ratios = {
            name: tuple(value / base for value, base in zip(values, best, strict=True))
            for name, values in (("ingest", ingest), ("whole", whole))
        }
        rate = f"{self.megabytes:.0f} MB"
        self._add(Figure("bare statement, best form", tuple(best), note=self._note(rate, best)))
        if plain:
            self._add(Figure("bare statement, plain form", tuple(plain), (plain[0] / best[0],)))
        self._add(
            Figure("ingest into raw", tuple(ingest), ratios["ingest"], goal="ingest",
                   note=self._against_plain(ingest, plain)),
            Figure("peak memory", value=(tree or largest) / GIGABYTE, unit="GB",
                   goal="peak memory", note=f"largest process {largest / GIGABYTE:.2f} GB; "
                   "the sum over the tree counts shared pages once per process"),
        )  # fmt: skip
        if not self.options.ingest_only:
            whole_ratios, note = ratios["whole"], self._profile(whole)
            self._add(Figure("whole run", tuple(whole), whole_ratios, goal="whole run", note=note))

    def _yardstick(self, form: str) -> float:
        work = self.options.work
        names, database = work / "files.json", work / "yardstick.duckdb"
        names.write_text(json.dumps([str(file) for file in self.files]))
        for path in (database, database.with_suffix(".duckdb.wal")):
            path.unlink(missing_ok=True)
        ledger = Ledger.fresh(work / "home-none", [])
        child = ledger.python(
            "benchmarks.statements", self.variant, form, str(names), str(database)
        )
        database.unlink()
        result = json.loads(child.output)
        self._expect("the bare statement read", result["records"], self.expected)
        return float(result["seconds"])

    def _ingest(self) -> Measured:
        home = self.options.work / "home-ingest"
        child = Ledger.fresh(home, self.projects).python("benchmarks.ingest_once")
        self._expect("ingest accepted", json.loads(child.output)["accepted"], self.expected)
        shutil.rmtree(home)
        return child

    def _whole_run(self) -> Measured:
        self.ledger = Ledger.fresh(self.options.work / "home-run", self.projects)
        child = self.ledger.command("run")
        self._expect_run("succeeded", self.expected)
        self.steps.append(self.ledger.steps_of_last_run())
        return child

    # ---- afterwards

    def _changed_project(self) -> None:
        new = max(1, round(self.options.size.records_each * CHANGED_SHARE))
        steps, whole, opened = [], [], 0
        for number in range(self.options.runs):
            add_records(self.changing, self.variant, new, seed=number + 1)
            child, opened, packages = self._probed_run()
            whole.append(child.seconds)
            self._expect_run("succeeded", new)
            steps.append(self._ledger.steps_of_last_run())
            # The proof of "nothing changed" is worth something only if it can fail.
            if opened == 0 or "dagster" not in packages:
                raise BrokenBenchmarkError("the probes did not see a run that read and built")
        full = min(step.ingest_and_models for step in self.steps)
        self._add(
            Figure(
                f"1 of {self.options.size.projects} projects, 1 % new",
                tuple(step.ingest_and_models for step in steps),
                tuple(step.ingest_and_models / full for step in steps),
                goal="1 % changed",
                note=f"ingest {steps[-1].ingest:.2f} s, models {steps[-1].models:.2f} s, whole "
                f"command {min(whole):.2f} s; ratio to the same two of the full run "
                f"({full:.2f} s); slowest: {_slowest(steps[-1])}",
            )
        )

    def _nothing_changed(self) -> None:
        seconds = [self._ledger.command("run").seconds for _ in range(self.options.runs)]
        # Timed without the probes, proved with them.
        child, count, packages = self._probed_run()
        started = packages & {"dagster", "dbt", "orchestration"}
        if "Nothing" not in child.output:
            raise BrokenBenchmarkError(f"a run without news said: {child.output[-500:]}")
        seen = "cannot be told here" if count is None else f"{count} opened"
        self._add(
            Figure("nothing changed", tuple(seconds), goal="nothing changed",
                   note=f"source files: {seen}; started of dagster, dbt, orchestration: "
                   f"{', '.join(sorted(started)) or 'none'}"),
        )  # fmt: skip
        if count or started:
            raise BrokenBenchmarkError(
                f"nothing changed, yet {count} source files were opened and "
                f"{sorted(started)} imported"
            )

    def _answers(self) -> None:
        times = time_answers(self._ledger.settings)
        slowest = max(times, key=lambda item: item.median)
        self._add(
            Figure("answers, slowest median", (slowest.median,), goal="answers",
                   note=f"{slowest.question}; max of {len(times)} questions "
                   f"{max(item.slowest for item in times) * 1000:.0f} ms"),
        )  # fmt: skip
        limit = GOALS["answers"][0]
        for item in sorted(times, key=lambda item: item.question):
            mark = "" if item.slowest <= limit else "  above the goal at its slowest"
            self.options.say(
                f"    {item.question:40} median {item.median * 1000:6.1f} ms  "
                f"max {item.slowest * 1000:6.1f} ms  first {item.first * 1000:6.1f} ms{mark}"
            )

    def _start_up(self) -> None:
        for arguments in (("--help",), ("skills", "top")):
            seconds = tuple(self._ledger.command(*arguments).seconds for _ in range(START_UPS))
            name = " ".join(("agentledger", *arguments))
            self._add(Figure(name, seconds, goal="start-up"))

    # ---- parts

    @property
    def _ledger(self) -> Ledger:
        if self.ledger is None:
            raise BrokenBenchmarkError("no whole run was made")
        return self.ledger

    def _probed_run(self) -> tuple[Measured, int | None, set[str]]:
        """A run of which is known what source files it opened and what it imported."""
        folder = self.options.work / "probe"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        watch = OpenWatch(project / ".session-buddy" for project in self.projects)
        extra = {
            "PYTHONPATH": str(REPO_ROOT / "benchmarks" / "probe"),
            "AGENTLEDGER_BENCH_PROBE": str(folder),
        }
        child = self._ledger.command("run", extra=extra)
        opened = watch.opened()
        packages = {name for report in folder.iterdir() for name in report.read_text().splitlines()}
        if "agentledger" not in packages:
            raise BrokenBenchmarkError("the import probe was not loaded")
        return child, None if opened is None else len(opened), packages

    def _expect_run(self, state: str, accepted: int) -> None:
        run = self._ledger.last_run()
        self._expect("the run's state", run.get("state"), state)
        self._expect("the run accepted", run.get("totals", {}).get("accepted"), accepted)

    def _expect(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            raise BrokenBenchmarkError(f"{what} {found!r}, expected {expected!r}")

    def _add(self, *figures: Figure) -> None:
        self.figures += figures

    def _note(self, volume: str, seconds: list[float]) -> str:
        return f"{volume}, {self.megabytes / min(seconds):.0f} MB/s at best"

    def _against_plain(self, ingest: list[float], plain: list[float]) -> str:
        if not plain:
            return ""
        return f"{ingest[0] / plain[0]:.2f} x the plain form"

    def _profile(self, whole: list[float]) -> str:
        step = self.steps[-1]
        return (
            f"last round {whole[-1]:.1f} s: ingest {step.ingest:.1f}, models {step.models:.1f}, "
            f"tests {step.tests:.1f} (the last two summed over threads); slowest: {_slowest(step)}"
        )


def _slowest(steps: Steps) -> str:
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.slowest_models[:3])
