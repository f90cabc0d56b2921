"""What is told of a benchmark: goals, figures, the table, the machine.

Belongs here: the goals with their units, comparing, formatting. Does not belong here: measuring.
"""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

GOALS = {
    # key: (limit, unit); a ratio is to the best form of the bare statement unless the name says.
    "ingest": (1.0, "x"),
    "whole run": (2.5, "x"),
    "peak memory": (4.0, "GB"),
    "1 % changed": (0.15, "x"),
    "event ingest": (1.5, "x"),
    "1 % more events": (0.05, "x"),
    "transcript ingest": (2.0, "x"),
    "transcript memory": (2.0, "GB"),
    "1 % more transcripts": (0.05, "x"),
    "nothing changed": (1.5, "s"),
    "answers": (0.05, "s"),
    "agent answers": (0.02, "s"),
    "start-up": (0.6, "s"),
    "emit": (20.0, "µs"),
}
PACKAGES = ("duckdb", "dagster", "dbt-core", "dbt-duckdb", "pandas")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report."""

    name: str
    seconds: tuple[float, ...] = ()
    """Every single measurement, in the order in which it was taken."""
    ratios: tuple[float, ...] = ()
    """Pairwise: each round's own measurement over the same round's yardstick."""
    value: float | None = None
    """A measurement that is not a time."""
    unit: str = "s"
    goal: str | None = None
    """Key of `GOALS`; None where nothing is asked."""
    note: str = ""

    @property
    def judged(self) -> float | None:
        """The number that is held against the goal: medians where it was repeated."""
        if self.goal is None:
            return None
        if GOALS[self.goal][1] == "x":
            return statistics.median(self.ratios) if self.ratios else None
        if self.value is not None:
            return self.value
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a measurement."""
        if self.goal is None or self.judged is None:
            return None
        return self.judged <= GOALS[self.goal][0]

    def as_dict(self) -> dict[str, Any]:
        """Give the figure as JSON-serialisable data."""
        goal = GOALS[self.goal] if self.goal else None
        return {**asdict(self), "limit": goal, "judged": self.judged, "is_met": self.is_met}


def missed_ratios(figures: Sequence[Figure]) -> list[Figure]:
    """Figures whose ratio goal is missed: what `--check` fails on.

    Times in seconds depend on the machine and are only reported.
    """
    return [
        figure
        for figure in figures
        if figure.is_met is False and figure.goal and GOALS[figure.goal][1] == "x"
    ]


def machine_line() -> str:
    """Cores, memory and versions, without the name of the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = "memory unknown"
    if Path("/proc/meminfo").exists():
        kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
        memory = f"{kilobytes / 1024 / 1024:.0f} GB"
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{cores} cores, {memory}, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}"
    )


def table(figures: Sequence[Figure]) -> str:
    """The report as lines of text: min / median / max where a figure was repeated."""
    rows = [("figure", "measured", "ratio", "goal", "met")]
    for figure in figures:
        goal = GOALS[figure.goal] if figure.goal else None
        met = {True: "yes", False: "NO", None: "-"}[figure.is_met]
        ratio = _spread(figure.ratios, "x")
        shown = f"<= {goal[0]:g} {goal[1]}" if goal else "-"
        rows.append((figure.name, _measured(figure), ratio or "-", shown, met))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
        elif figures[number - 1].note:
            lines.append(f"    {figures[number - 1].note}")
    return "\n".join(lines)


def _measured(figure: Figure) -> str:
    if figure.value is not None:
        return f"{figure.value:.3g} {figure.unit}"
    return _spread(figure.seconds, figure.unit) or "not measured"


def _spread(numbers: Sequence[float], unit: str) -> str:
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f"{numbers[0]:.3f} {unit}"
    low, middle, high = min(numbers), statistics.median(numbers), max(numbers)
    return f"{low:.3f} / {middle:.3f} / {high:.3f} {unit}"
