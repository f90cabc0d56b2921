"""How a headless run talks to the terminal.

Belongs here: progress lines on standard error (one line that is rewritten, when it is a terminal)
and the summary on standard output. Does not belong here: what a run does.
"""

import json
import os
import shutil
import sys
import time
from typing import Any, TextIO

from agentledger.ingest.reports import CollectionReport
from agentledger.publish import PublishReport
from orchestration.progress import BuildCounts, Listener

LINE_EVERY_SECONDS = 2.0
"""Without a terminal a line is kept for ever: a long build says now and then how far it is."""

PROBLEMS_SHOWN = 10
"""The summary names this many files; `agentledger status` names them all."""

STEP_WORDS = {
    "collect": "collecting",
    "check": "checking what was collected",
    "build": "building and testing the models",
    "publish": "publishing",
    "purge": "completing the purge",
    "docs": "writing the docs site",
}


class Terminal(Listener):
    """Shows progress on standard error and remembers what the summary needs."""

    def __init__(self) -> None:
        """Listen on a copy of standard error."""
        # A copy of the stream: while a run captures output the original goes elsewhere.
        self.stream: TextIO = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)
        self.rewrites = self.stream.isatty()
        self.started = time.monotonic()
        self.build = BuildCounts()
        self.collection: CollectionReport | None = None
        self.published_report: PublishReport | None = None
        self.last_line_at = 0.0
        self.is_line_open = False

    def step(self, name: str) -> None:
        """One line per step."""
        self.say(STEP_WORDS.get(name, name))

    def collecting(self, what: str, done_bytes: int, total_bytes: int) -> None:
        """How far the collection is, now and then."""
        share = done_bytes / total_bytes if total_bytes else 1.0
        self._now_and_then(f"  {share:4.0%} of {total_bytes / 1e6:,.1f} MB, {what}")

    def collected(self, report: CollectionReport) -> None:
        """What the collection gave, in one line."""
        self.collection = report
        totals = report.totals()
        self.say(
            f"  {totals['files_collected']} of {totals['files_found']} file(s) read, "
            f"{totals['accepted']:,} record(s) accepted, {totals['rejected']:,} rejected, "
            f"{totals['already_known']:,} already known"
        )

    def node_done(self, build: BuildCounts, name: str, status: str, seconds: float) -> None:
        """How far dbt is, now and then; every failure at once."""
        self.build = build
        if status in ("error", "fail", "runtime error", "warn"):
            self.say(f"  {status}: {name}")
        self._now_and_then(f"  {build.done}/{build.total} {name} ({seconds:.1f} s)")

    def published(self, report: PublishReport) -> None:
        """Which build readers see now."""
        self.published_report = report
        self.say(f"  build {report.build_id}")

    def say(self, message: str) -> None:
        """A line that stays."""
        self._clear()
        self.stream.write(f"[{time.monotonic() - self.started:6.1f} s] {message}\n")

    def _now_and_then(self, line: str) -> None:
        now = time.monotonic()
        if self.rewrites:
            self._clear()
            self.stream.write(line[: shutil.get_terminal_size().columns - 1])
            self.stream.flush()
            self.is_line_open = True
        elif now - self.last_line_at >= LINE_EVERY_SECONDS:
            self.stream.write(f"[{now - self.started:6.1f} s] {line}\n")
            self.last_line_at = now

    def _clear(self) -> None:
        if self.is_line_open:
            self.stream.write("\r\x1b[K")
            self.is_line_open = False


def summary(outcome: dict[str, Any]) -> str:
    """The last words of a run, for a person.

    Args:
        outcome: As `outcome_of` gives it; `--json` prints the same facts.
    """
    lines = [_headline(outcome)]
    totals = outcome.get("totals")
    if totals:
        lines.append(
            f"  files      {totals['files_found']} found, {totals['files_collected']} read, "
            f"{totals['files_skipped']} unchanged, {totals['files_quarantined']} unreadable"
        )
        lines.append(
            f"  records    {totals['records_read']:,} read = {totals['accepted']:,} accepted "
            f"+ {totals['already_known']:,} already known + {totals['rejected']:,} rejected"
        )
    lines += _problem_lines(outcome.get("problems", []))
    if outcome.get("models") or outcome.get("tests"):
        lines.append(
            f"  models     {outcome['models']} built, {outcome['models_kept']} unchanged, "
            f"{outcome['models_failed']} failed, {outcome['skipped']} skipped"
        )
        lines.append(
            f"  tests      {outcome['tests']} run, {outcome['tests_failed']} failed, "
            f"{outcome['tests_warned']} warned"
        )
    if outcome.get("build_id"):
        lines.append(f"  published  {outcome['build_id']}")
    if outcome.get("error"):
        lines.append(f"  error      {outcome['error']}")
    lines.append(f"  next       {outcome['next']}")
    return "\n".join(lines)


def _headline(outcome: dict[str, Any]) -> str:
    words = {
        "succeeded": "The ledger is up to date",
        "nothing_new": "Nothing is new; the ledger is up to date",
        "failed": "The run failed",
    }
    return f"{words[outcome['state']]} ({outcome['seconds']:.1f} s)."


def _problem_lines(problems: list[dict[str, str]]) -> list[str]:
    lines = [
        f"  problem    {problem['path']}: {problem['reason']}"
        + (f" ({problem['detail']})" if problem["detail"] else "")
        for problem in problems[:PROBLEMS_SHOWN]
    ]
    more = len(problems) - PROBLEMS_SHOWN
    return [*lines, f"  problem    and {more} more"] if more > 0 else lines


def outcome_of(
    terminal: Terminal, *, run_id: str, state: str, error: str | None, home: str
) -> dict[str, Any]:
    """The facts of a run, for the summary and for `--json`."""
    collection, report, build = terminal.collection, terminal.published_report, terminal.build
    problems = [
        {"path": problem.path, "reason": problem.reason, "detail": problem.detail}
        for source in (collection.sources if collection else [])
        for problem in source.problems
    ]
    return {
        "run_id": run_id,
        "state": state,
        "seconds": round(time.monotonic() - terminal.started, 2),
        "home": home,
        "totals": collection.totals() if collection else None,
        "problems": problems,
        "models": build.models,
        "models_kept": build.kept,
        "models_failed": len(build.models_failed),
        "tests": build.tests,
        "tests_failed": len(build.tests_failed) + len(build.tests_broken),
        "tests_warned": len(build.tests_warned),
        "skipped": build.skipped,
        "build_id": report.build_id if report else None,
        "error": error,
        "next": _next_step(state),
    }


def _next_step(state: str) -> str:
    if state == "failed":
        return "mend what the error names, then `agentledger run`; `agentledger status` says more"
    return "`agentledger skills top`, `agentledger status`, or `agentledger dev` for the UI"


def write(outcome: dict[str, Any], *, as_json: bool) -> None:
    """Put the outcome on standard output."""
    text = json.dumps(outcome, indent=2) if as_json else summary(outcome)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
