"""`python -m benchmarks.run`: measure, compare with the bare statement, print ratios.

Belongs here: arguments, the frame around the measurements, the exit code. Does not belong here:
measuring (`measurements.py`), goals (`figures.py`).

Exit codes: 0 measured (a missed goal is reported), 1 a ratio goal missed under `--check`, 2
something broke.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import emit_overhead, figures
from benchmarks.agents import measure_agents
from benchmarks.generate import DEFAULT_CACHE, SIZES, VARIANTS
from benchmarks.intents import measure_intents
from benchmarks.measurements import Bench, BrokenBenchmarkError, Options
from benchmarks.processes import ChildFailedError

MEASURES = {"intents": measure_intents, "agents": measure_agents}
"""Logs of events: what measures them."""

EXIT_DONE, EXIT_MISSED, EXIT_BROKEN = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the asked variants; return the exit code."""
    asked = _parser().parse_args(arguments)
    variants = VARIANTS if asked.variant == "both" else (asked.variant,)
    variants = () if asked.variant in MEASURES else variants
    asked.cache.mkdir(parents=True, exist_ok=True)
    machine = figures.machine_line()
    print(machine)
    all_figures: dict[str, list[figures.Figure]] = {}
    # Beside the data, on the same disk: a temporary folder of the system may be memory.
    with tempfile.TemporaryDirectory(dir=asked.cache, prefix="work-") as work:
        for variant in variants:
            options = Options(
                size=SIZES[asked.size],
                runs=asked.runs,
                cache=asked.cache,
                work=Path(work),
                with_plain=not asked.skip_plain_baseline,
                ingest_only=asked.ingest_only,
                say=_say,
            )
            bench = Bench(options, variant)
            try:
                bench.measure()
            except (BrokenBenchmarkError, ChildFailedError, LookupError) as error:
                print(figures.table(bench.figures))
                print(f"broken: {error}", file=sys.stderr)
                return EXIT_BROKEN
            all_figures[variant] = bench.figures
            print(f"\n{variant}, {asked.size}, rounds: {asked.runs} (min / median / max)")
            print(figures.table(bench.figures) + "\n", flush=True)
        for name, measure in MEASURES.items():
            if asked.variant not in ("both", name) or asked.ingest_only:
                continue
            try:
                found = measure(asked.size, asked.cache, Path(work), _say)
            except (ChildFailedError, LookupError) as error:
                print(f"broken: {error}", file=sys.stderr)
                return EXIT_BROKEN
            all_figures[name] = found
            print(f"\n{name}, {asked.size}\n" + figures.table(found) + "\n", flush=True)
        all_figures["emit"] = emit_overhead.figures(Path(work))
        print(figures.table(all_figures["emit"]) + "\n", flush=True)
    if asked.json:
        asked.json.write_text(_as_json(machine, asked, all_figures), encoding="utf-8")
    missed = [f for found in all_figures.values() for f in figures.missed_ratios(found)]
    return EXIT_MISSED if asked.check and missed else EXIT_DONE


def _say(text: str) -> None:
    print(text, flush=True)


def _as_json(
    machine: str, asked: argparse.Namespace, found: dict[str, list[figures.Figure]]
) -> str:
    document = {
        "machine": machine,
        "size": asked.size,
        "runs": asked.runs,
        "variants": {name: [item.as_dict() for item in items] for name, items in found.items()},
    }
    return json.dumps(document, indent=2) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--variant", choices=(*VARIANTS, *MEASURES, "both"), default="both")
    parser.add_argument("--runs", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    parser.add_argument(
        "--cache", type=Path, default=DEFAULT_CACHE, help="where the files are kept"
    )
    parser.add_argument(
        "--skip-plain-baseline",
        action="store_true",
        help="leave out the slow form (large: minutes)",
    )
    parser.add_argument("--ingest-only", action="store_true", help="leave out what needs dbt")
    parser.add_argument("--check", action="store_true", help="exit 1 when a ratio goal is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
