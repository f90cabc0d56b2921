"""Made-up telemetry to try the ledger on: realistic, seeded, with some input bad on purpose.

Belongs here: how many projects and records there are and where they lie. Does not belong here: what
they hold (`history.py`, `catalogue.py`), how it is written (`writers.py`, `damage.py`).

The same arguments write the same bytes; no clock is read.
"""

import random
from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path

from agentledger.errors import UsageError
from agentledger.sample.agent_turns import write_agent_turns
from agentledger.sample.catalogue import PROJECT_NAMES
from agentledger.sample.damage import DAMAGES, damage_files
from agentledger.sample.event_logs import write_event_logs
from agentledger.sample.history import invent, seeded
from agentledger.sample.report import SampleFile, SampleProject, SampleReport
from agentledger.sample.writers import V2_AWARE_SINCE, VARIANTS, write_document

__all__ = ["DEFAULT_UNTIL", "SampleFile", "SampleProject", "SampleReport", "write_sample"]

DEFAULT_UNTIL = date(2026, 9, 1)
"""First day without events. A month after V2 writers began to write offsets, so that both kinds of
time stand in one file."""

MARKER = ".agentledger-sample"
"""Marks a directory that a sample may overwrite: real telemetry is never written over."""

VALID_IN_DAMAGED = 4
"""Valid records in each damaged file, where there are enough records in all."""


def write_sample(
    directory: Path,
    projects: int,
    records: int,
    seed: int,
    *,
    events: int = 0,
    until: date = DEFAULT_UNTIL,
) -> SampleReport:
    """Write made-up projects, each with its `.session-buddy/skill_metrics.json`.

    Times without an offset are the wall clock of UTC: register the projects with zone UTC
    to read them as they are meant.

    Args:
        directory: Where to write; new, empty, or an earlier sample.
        projects: Projects without damage; some with files bad on purpose come on top.
        records: Valid records in all files together.
        seed: The same seed writes the same files.
        events: Utterances in the logs of an orchestrator, shared out over the projects, with
            results of their commands, runs of workflows and turns of an assistant beside them.
        until: The first day without events; the history is the 120 days before it.

    Raises:
        UsageError: When a number is not positive or the directory holds something else.
    """
    if projects < 1 or records < 0:
        raise UsageError("A sample needs at least one project and no negative number of records.")
    _claim(directory)
    damaged_with_records = sum(damage.holds_records for damage in DAMAGES)
    spare = max(0, records - projects)
    valid_each = min(VALID_IN_DAMAGED, spare // (2 * damaged_with_records))
    sizes = _sizes(seeded(seed, "sizes"), projects, records - valid_each * damaged_with_records)
    written = [
        _write_project(directory, number, size, seed, until) for number, size in enumerate(sizes)
    ]
    written += _write_damaged(directory, seed, valid_each, until)
    logs: Counter[str] = Counter()
    for number in range(projects if events else 0):
        folder = directory / project_name(number) / ".session-buddy"
        share = events // projects + (number < events % projects)
        logs.update(write_event_logs(folder, seeded(seed, "events", number), share, until))
        turns = write_agent_turns(folder, seeded(seed, "turns", number), share // 2, until)
        logs.update(agent_telemetry=turns)
    return SampleReport(directory, seed, until.isoformat(), tuple(written), dict(logs))


def project_name(number: int) -> str:
    """Name of the n-th project, counted from 0; the names repeat with a number."""
    turn, position = divmod(number, len(PROJECT_NAMES))
    return PROJECT_NAMES[position] + (f"-{turn + 1}" if turn else "")


def _claim(directory: Path) -> None:
    marker = directory / MARKER
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file. Give a directory.")
    if directory.is_dir() and any(directory.iterdir()) and not marker.exists():
        raise UsageError(
            f"{directory} holds files that are not a sample. Give a new or an empty directory."
        )
    directory.mkdir(parents=True, exist_ok=True)
    marker.write_text("Made-up telemetry written by `agentledger sample`.\n", encoding="utf-8")


def _sizes(rng: random.Random, projects: int, records: int) -> list[int]:
    """Share the records out: a few busy projects, many quiet ones, none without a record."""
    weights = [rng.lognormvariate(0.0, 0.6) for _ in range(projects)]
    least = 1 if records >= projects else 0
    free = records - least * projects
    sizes = [least + int(free * weight / sum(weights)) for weight in weights]
    for number in range(records - sum(sizes)):
        sizes[number % projects] += 1
    return sizes


def _write_project(
    directory: Path, number: int, size: int, seed: int, until: date
) -> SampleProject:
    rng = seeded(seed, "project", number)
    name = project_name(number)
    variant = VARIANTS[number % len(VARIANTS)]
    calls = list(invent(rng, size, until))
    text = write_document(
        variant,
        calls,
        # Trackers indent; the design's writer and every other V2 store write one line.
        indent=variant in ("V0", "V1", "VX") or (variant == "V2" and number % 2 == 1),
        written_at=datetime.combine(until, time()) - timedelta(seconds=rng.randrange(3600)),
        aware_since=V2_AWARE_SINCE + timedelta(days=rng.randrange(15)),
    )
    path = _write(directory / name, "skill_metrics.json", text.encode())
    if not size:
        variant_or_none = {"V0": "V0/V1", "V1": "V0/V1"}.get(variant, variant)
        file = SampleFile(_relative(path, directory), variant_or_none, 0, "empty")
    else:
        file = SampleFile(_relative(path, directory), variant, size)
    return SampleProject(name, directory / name, (file,))


def _write_damaged(directory: Path, seed: int, valid_each: int, until: date) -> list[SampleProject]:
    files: dict[str, list[SampleFile]] = {}
    for damage, made in damage_files(seeded(seed, "damage"), valid_each, until):
        path = _write(directory / damage.project, damage.file_name, made.content)
        files.setdefault(damage.project, []).append(
            SampleFile(
                _relative(path, directory),
                made.variant,
                made.records,
                made.state,
                made.rejects,
                made.unknown_fields,
                damage.what,
            )
        )
    return [SampleProject(name, directory / name, tuple(found)) for name, found in files.items()]


def _write(project: Path, file_name: str, content: bytes) -> Path:
    folder = project / ".session-buddy"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name
    path.write_bytes(content)
    return path


def _relative(path: Path, directory: Path) -> str:
    return path.relative_to(directory).as_posix()
