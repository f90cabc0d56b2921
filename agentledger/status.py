"""The state of the current and the last runs, in `status.json`; true also after a crash.

Belongs here: writing the state as a run moves on, and reading it back. Written atomically at every
step. Whether a run is alive is never taken from the file: the run lock, which the kernel frees when
its holder dies, decides.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agentledger import files, purge_requests, warehouse
from agentledger.errors import AgentLedgerError
from agentledger.ingest.reports import CollectionReport
from agentledger.purge_requests import PurgeRequest
from agentledger.settings import Settings

SCHEMA_VERSION = 1
RECENT_PURGES = 20
"""Purges kept in the short list; `raw.purges` has all of them."""

RECENT_RUNS = 20
"""Runs kept in the short list; `collection_runs` in the snapshot has all of them."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `status.json` says, corrected by the run lock."""

    current_run: dict[str, Any] | None
    last_run: dict[str, Any] | None
    last_success: dict[str, Any] | None
    recent_runs: list[dict[str, Any]]
    last_check: dict[str, Any] | None = None
    """When it was last found that there was nothing to do, and who asked."""
    purges: list[dict[str, Any]] = field(default_factory=list)
    """What was removed for good, newest first."""
    pending_purges: list[dict[str, Any]] = field(default_factory=list)
    """What was asked to be removed and is not yet."""

    def as_dict(self) -> dict[str, Any]:
        """Give the status as JSON-serialisable data."""
        return {
            "schema_version": SCHEMA_VERSION,
            "current_run": self.current_run,
            "last_run": self.last_run,
            "last_success": self.last_success,
            "recent_runs": self.recent_runs,
            "last_check": self.last_check,
            "purges": self.purges,
            "pending_purges": self.pending_purges,
        }


def read_status(settings: Settings) -> Status:
    """Read the status; before the first run everything is empty.

    A run that is written as running while nobody holds the run lock has crashed, and is shown so.
    """
    facts = _read(settings)
    current = facts.get("current_run")
    if current is not None and not warehouse.run_lock_is_held(settings):
        current = {**current, "state": "crashed"}
    return Status(
        current_run=current,
        last_run=facts.get("last_run"),
        last_success=facts.get("last_success"),
        recent_runs=facts.get("recent_runs", []),
        last_check=facts.get("last_check"),
        purges=facts.get("purges", []),
        pending_purges=[
            {"kind": request.kind, "requested_at": request.requested_at}
            for request in purge_requests.pending_requests(settings)
        ],
    )


def begin_run(settings: Settings, run_id: str, trigger: str, started_at: datetime) -> None:
    """Note that a run holds the lock and begins; a crashed one before it moves to the history."""
    facts = _read(settings)
    crashed = facts.get("current_run")
    if crashed is not None and crashed["run_id"] != run_id:
        _remember(facts, {**crashed, "state": "crashed", "ended_at": None})
    facts["current_run"] = {
        "run_id": run_id,
        "trigger": trigger,
        "started_at": _text(started_at),
        "state": "running",
        "step": "starting",
        "pid": os.getpid(),
    }
    _write(settings, facts)


def set_step(settings: Settings, step: str) -> None:
    """Note what the run is doing now."""
    facts = _read(settings)
    if facts.get("current_run") is not None:
        facts["current_run"]["step"] = step
        _write(settings, facts)


def record_collection(settings: Settings, report: CollectionReport) -> None:
    """Note what the run collected, with the files that could not be read."""
    facts = _read(settings)
    if facts.get("current_run") is not None:
        collected = report.as_dict()
        facts["current_run"] |= {
            "load_seq": collected["load_seq"],
            "sources": collected["sources"],
            "totals": collected["totals"],
            "collect_seconds": round(collected["seconds"], 3),
        }
        _write(settings, facts)


def record_facts(settings: Settings, **facts_of_run: Any) -> None:
    """Note further facts of the current run, such as `as_of` or the published build."""
    facts = _read(settings)
    if facts.get("current_run") is not None:
        facts["current_run"] |= facts_of_run
        _write(settings, facts)


def end_run(
    settings: Settings, state: str, ended_at: datetime, error: str | None = None
) -> dict[str, Any] | None:
    """Note how the current run ended; return its entry, or None when none was begun.

    Args:
        settings: Names the data home.
        state: `succeeded` or `failed`.
        ended_at: The instant, aware.
        error: What a person must know when it failed.
    """
    facts = _read(settings)
    run = facts.pop("current_run", None)
    if run is None:
        return None
    started = datetime.fromisoformat(run["started_at"])
    run |= {
        "state": state,
        "ended_at": _text(ended_at),
        "seconds": round((ended_at - started).total_seconds(), 3),
        "error": error,
    }
    facts["last_run"] = run
    if state == "succeeded":
        facts["last_success"] = run
    _remember(facts, run)
    facts["current_run"] = None
    _write(settings, facts)
    return run


def record_nothing_new(settings: Settings, at: datetime, trigger: str) -> None:
    """Note that a run was asked for and had nothing to do; the last real run stays the last run."""
    facts = _read(settings)
    facts["last_check"] = {"at": _text(at), "trigger": trigger, "state": "nothing_new"}
    _write(settings, facts)


def record_purges(settings: Settings, records: list[dict[str, Any]]) -> None:
    """Note what was removed for good: counts only; a repeated note changes nothing."""
    facts = _read(settings)
    noted = {record["purge_id"] for record in records}
    older = [entry for entry in facts.get("purges", []) if entry["purge_id"] not in noted]
    facts["purges"] = [*reversed(records), *older][:RECENT_PURGES]
    _write(settings, facts)


def forget(settings: Settings, requests: Sequence[PurgeRequest]) -> None:
    """Take out what the entries of ended runs tell of sources that were purged."""
    if all(request.kind == "retention" for request in requests):
        return
    facts = _read(settings)
    for name in ("last_run", "last_success", "current_run"):
        if facts.get(name):
            facts[name] = _without_sources(facts[name], requests)
    facts["recent_runs"] = [_without_sources(run, requests) for run in facts.get("recent_runs", [])]
    _write(settings, facts)


def _without_sources(run: dict[str, Any], requests: Sequence[PurgeRequest]) -> dict[str, Any]:
    """The entry of a run in status.json without what it tells of the sources that went."""
    ids = {name for request in requests for name in (*request.project_ids, *request.source_ids)}
    kept = dict(run)
    if isinstance(kept.get("sources"), list):
        kept["sources"] = [
            source
            for source in kept["sources"]
            if not ids & {source.get("source_id"), source.get("project_id")}
        ]
    if kept.get("error"):
        # It may quote a value of any row.
        kept["error"] = "(removed by a purge)"
    return kept


def _remember(facts: dict[str, Any], run: dict[str, Any]) -> None:
    short = {
        name: run.get(name)
        for name in ("run_id", "trigger", "started_at", "ended_at", "state", "seconds", "error")
    }
    totals = run.get("totals") or {}
    short |= {"accepted": totals.get("accepted"), "rejected": totals.get("rejected")}
    facts["recent_runs"] = ([short, *facts.get("recent_runs", [])])[:RECENT_RUNS]


def _read(settings: Settings) -> dict[str, Any]:
    try:
        facts = json.loads(settings.status_path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        # Written atomically, so damage means that something else touched it.
        raise AgentLedgerError(_damaged(settings)) from error
    if not isinstance(facts, dict) or not all(
        isinstance(facts.get(name) or {}, dict)
        for name in ("current_run", "last_run", "last_success")
    ):
        raise AgentLedgerError(_damaged(settings))
    return facts


def _damaged(settings: Settings) -> str:
    return (
        f"{settings.status_path} is damaged. Remove it: only the history of runs is lost, "
        "and the next run writes it anew."
    )


def _write(settings: Settings, facts: dict[str, Any]) -> None:
    files.make_private_folder(settings.home)
    facts["schema_version"] = SCHEMA_VERSION
    files.replace_text(settings.status_path, json.dumps(facts, indent=1, default=str) + "\n")


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
