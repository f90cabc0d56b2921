"""Whether the ledger can be trusted right now, with each reason against it.

Belongs here: the verdict, a pure function of what others found, and the gathering of what it needs.
Does not belong here: the state of runs (`status.py`), printing (`cli/`).

Broken is never reported as empty: a ledger that cannot be read, or whose last run failed, says so
even where it holds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agentledger.errors import AgentLedgerError, NothingPublishedError, RunLockedError
from agentledger.query.answers import read_answer
from agentledger.query.drift import DRIFT, drift_in_words
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot

STALE_AFTER: Final = timedelta(hours=24)
"""The hourly schedule missed a whole day: nobody is refreshing this ledger."""

MAX_REJECT_SHARE: Final = 0.05
"""Above one record in twenty, a source's format changed rather than a few lines were bad."""

MODELS_NAMED: Final = 5
"""Unpriced models that a note names; the rest are counted."""

DRIFT_NAMED: Final = 5
"""Likewise of what tools wrote that nobody told us of."""

UNHEALTHY_RUN_STATES: Final = {"failed": "failed", "crashed": "was killed before it ended"}


TABLE_PREFIX: Final = "postgres://"
"""How the ledger of files names a table on a server."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a verdict rests on."""

    status: Mapping[str, Any]
    """The content of status.json, with a crashed run recognised."""
    snapshot_problem: str | None
    """Why the snapshot cannot be read; None when it can, or none is published."""
    is_published: bool
    holds_records: bool
    """Whether any project holds a record, of any kind, whose time can be believed."""
    missing_paths: tuple[str, ...] = ()
    """Registered projects and sources that are no longer on disk."""
    has_new_data: bool | None = None
    """Whether sources changed since the last run; None when that cannot be told."""
    unpriced: tuple[tuple[str, int, int], ...] = ()
    """Models with calls of unknown cost: name, such calls, their tokens."""
    drift: tuple[str, ...] = ()
    """What tools wrote that nobody told us of, in words."""
    gaps: int = 0
    """Figures of `reconciliation` that lie further apart than the tolerance."""


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict: 'ok', 'stale', 'broken' or 'empty', and why."""

    state: str
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and nothing against the ledger itself."""

    @property
    def is_ok(self) -> bool:
        """Whether there is nothing against it."""
        return self.state == "ok"


def judge_health(findings: Findings, now: datetime) -> Health:
    """Give the verdict; every reason is listed, the gravest decides the state."""
    broken = _broken_reasons(findings)
    empty = _empty_reasons(findings)
    stale = _stale_reasons(findings, now)
    for state, reasons in (("broken", broken), ("empty", empty), ("stale", stale)):
        if reasons:
            # Staleness of a ledger that never ran says nothing; of a broken one it does.
            reasons = reasons if state == "empty" else broken + empty + stale
            return Health(state, reasons, _notes(findings))
    return Health("ok", notes=_notes(findings))


def _notes(findings: Findings) -> list[str]:
    notes = _unpriced_notes(findings)
    more = len(findings.drift) - DRIFT_NAMED
    notes += findings.drift[:DRIFT_NAMED]
    if more > 0:
        notes.append(f"{more} more such names are new. `agentledger doctor` lists them.")
    if findings.gaps:
        notes.append(
            f"{findings.gaps} figures differ between two sources that tell of the same. "
            "`agentledger usage reconcile` shows both."
        )
    return notes


def _unpriced_notes(findings: Findings) -> list[str]:
    if not findings.unpriced:
        return []
    calls = sum(found[1] for found in findings.unpriced)
    models = ", ".join(found[0] for found in findings.unpriced[:MODELS_NAMED])
    more = len(findings.unpriced) - MODELS_NAMED
    return [
        f"{calls:,} model calls have no price, so costs that hold them are lower bounds: {models}"
        + (f" and {more} more." if more > 0 else ".")
        + " `agentledger usage unpriced` lists them."
    ]


def gather_findings(settings: Settings, status: Mapping[str, Any]) -> Findings:
    """Look at the snapshot, the registered paths and the file ledger; opens no source file."""
    problem, is_published, holds_records = None, True, False
    unpriced: list[tuple[str, int, int]] = []
    drift: tuple[str, ...] = ()
    gaps = 0
    try:
        with open_snapshot(settings) as snapshot:
            # Records of any kind, as `data_freshness` lists them.
            held = "select 1 from marts.data_freshness where health <> 'empty' limit 1"
            holds_records = bool(read_answer(snapshot, held).rows)
            unpriced = read_answer(
                snapshot,
                "select model, unpriced_calls, unpriced_tokens from marts.v_unpriced_models "
                "order by unpriced_tokens desc, model",
            ).rows
            drift = tuple(map(drift_in_words, read_answer(snapshot, DRIFT).records()))
            told_apart = "select measure from marts.reconciliation where not is_within_tolerance"
            gaps = len(read_answer(snapshot, told_apart).rows)
    except NothingPublishedError:
        is_published = False
    except AgentLedgerError as error:
        problem = str(error)
    return Findings(
        status=status,
        snapshot_problem=problem,
        is_published=is_published,
        holds_records=holds_records,
        missing_paths=_missing_paths(settings),
        has_new_data=_has_new_data(settings),
        unpriced=tuple(unpriced),
        drift=drift,
        gaps=gaps,
    )


def _broken_reasons(findings: Findings) -> list[str]:
    reasons = []
    if findings.snapshot_problem:
        reasons.append(findings.snapshot_problem)
    elif findings.status.get("last_success") and not findings.is_published:
        reasons.append("A run succeeded and nothing is published. Type `agentledger run`.")
    run = findings.status.get("last_run") or {}
    current = findings.status.get("current_run") or {}
    for candidate in (run, current):
        ended = UNHEALTHY_RUN_STATES.get(candidate.get("state", ""))
        if ended:
            step = f" in step {candidate['step']!r}" if candidate.get("step") else ""
            error = f": {candidate['error']}" if candidate.get("error") else "."
            reasons.append(f"The last run ({candidate.get('run_id', '–')}) {ended}{step}{error}")
    reasons += _table_reasons(run)
    reasons += _reject_reasons(findings.status.get("last_success") or run)
    reasons += [f"{path} is registered and no longer there." for path in findings.missing_paths]
    return reasons


def _table_reasons(run: Mapping[str, Any]) -> list[str]:
    """Tables on servers that the last run could not read to their end."""
    return [
        f"{problem['path']} was not read to its end: {problem['detail']}."
        for source in run.get("sources") or []
        for problem in source.get("problems") or []
        if str(problem.get("path", "")).startswith(TABLE_PREFIX)
    ]


def _reject_reasons(run: Mapping[str, Any]) -> list[str]:
    totals = run.get("totals") or {}
    read, rejected = totals.get("records_read") or 0, totals.get("rejected") or 0
    if rejected <= MAX_REJECT_SHARE * read:
        return []
    return [
        f"{rejected} of {read} records were rejected in the last collection, more than "
        f"{MAX_REJECT_SHARE:.0%}. `agentledger status` lists files and reasons."
    ]


def _empty_reasons(findings: Findings) -> list[str]:
    if not findings.status.get("last_success"):
        return ["No run has succeeded yet. Type `agentledger run`."]
    if findings.is_published and not findings.holds_records and not findings.snapshot_problem:
        return ["The ledger holds no record. Register a project (`agentledger register PATH`)."]
    return []


def _stale_reasons(findings: Findings, now: datetime) -> list[str]:
    last_run = findings.status.get("last_run") or {}
    stamps = [
        (findings.status.get("last_success") or {}).get("ended_at"),
        # A run that found nothing to do proves as much as one that read something.
        (findings.status.get("last_check") or {}).get("at"),
        last_run.get("ended_at") if last_run.get("state") == "nothing_new" else None,
    ]
    checked = [datetime.fromisoformat(stamp) for stamp in stamps if stamp]
    # A ledger that is old because nothing happened since is not stale.
    if not checked or now - max(checked) <= STALE_AFTER or findings.has_new_data is False:
        return []
    hours = int((now - max(checked)).total_seconds() // 3600)
    what = "sources have new data" if findings.has_new_data else "sources could not be compared"
    return [f"The last good run ended {hours} hours ago and {what}. Type `agentledger run`."]


def _missing_paths(settings: Settings) -> tuple[str, ...]:
    from agentledger import registry

    config = registry.load_config(settings)
    paths = [project.path for project in config.projects]
    paths += [source.location for source in config.sources if source.postgres is None]
    return tuple(path for path in paths if not Path(path).exists())


def _has_new_data(settings: Settings) -> bool | None:
    from agentledger.ingest import plan

    try:
        return plan.new_work(settings).anything
    except RunLockedError:
        return None  # a run is at it this moment
