"""What is wrong around the ledger, and what to do about it.

Belongs here: the findings of `agentledger doctor`, each with what, where and what to do; the
gathering of what they rest on. Does not belong here: whether the ledger's own state is good
(`health.py`), printing (`cli/state.py`), mending anything.

Findings that need file names read the warehouse, and only when no run holds it: a doctor does not
wait.
"""

import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agentledger import registry
from agentledger.errors import AgentLedgerError, NothingPublishedError, RunLockedError
from agentledger.query.answers import read_answer
from agentledger.query.drift import DRIFT, drift_in_words
from agentledger.query.warehouse_rows import opened_at_once, read_rows
from agentledger.settings import Settings, claude_code_folder
from agentledger.snapshot import open_snapshot

DEFAULT_CLEANUP_DAYS: Final = 30
"""What Claude Code keeps when its settings name no `cleanupPeriodDays`."""

CLEANUP_MARGIN: Final = 0.5
"""Of the days kept: a last run older than this leaves too little time for the next one."""

MAX_UNPARSED_SHARE: Final = 0.05
"""Above one record in twenty, a format changed rather than a few lines were bad."""

EXAMPLES: Final = 5

_UNPRICED: Final = """
    select model, unpriced_calls, unpriced_tokens from marts.v_unpriced_models
    order by unpriced_tokens desc, model
"""
_UNPARSED: Final = """
    select source_kind, unparsed_share, occurrences from marts.source_drift
    where what = 'unparsed_share' and unparsed_share > ?
"""
_PATHS: Final = "select file_id, path from raw.files where file_id in (select unnest(?::bigint[]))"
_SUBAGENTS: Final = """
    select min(files.path) as path, min(told.line_no) as line_no, told.result_agent_id as agent
    from raw.claude_code_lines as told
    left join raw.files as files on files.file_id = told.file_id
    where told.result_agent_id is not null and not exists (
        select 1 from raw.claude_code_lines as own
        where own.agent_id = told.result_agent_id and own.has_usage
    )
    group by told.source_id, told.result_agent_id
    order by 1, 2
"""
_TIMES: Final = """
    select files.path as path, lines.line_no as line_no
    from intermediate.int_llm_call_versions as lines
    left join raw.files as files on files.file_id = lines.file_id
    where lines.ts_suspicious
    order by path, line_no
"""
_ENDS: Final = """
    select files.path as path, results.line_no as line_no
    from intermediate.int_tool_call_versions as results
    inner join intermediate.int_tool_call_versions as calls
        on calls.tool_call_key = results.tool_call_key and calls.is_call and calls.is_kept
    left join raw.files as files on files.file_id = results.file_id
    where not results.is_call and results.is_kept and results.occurred_at < calls.occurred_at
    order by path, line_no
"""
_PENDING: Final = """
    select path, message from raw.files where state in ('pending', 'unreadable')
    order by state, path
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should look at."""

    check: str
    what: str
    where: str
    what_to_do: str
    is_wrong: bool = True
    """Whether it ends the doctor with 1; otherwise it is worth knowing."""

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON-serialisable data."""
        return asdict(self)


def examine(settings: Settings, status: Mapping[str, Any], now: datetime) -> list[Finding]:
    """Look at everything; opens no source file, waits for nobody.

    Args:
        settings: Names the data home.
        status: The content of status.json, with a crashed run recognised.
        now: The instant, aware.
    """
    findings = [*_permissions(settings), *_retention(settings, status, now)]
    drift: list[dict[str, Any]] = []
    try:
        with open_snapshot(settings) as snapshot:
            drift = read_answer(snapshot, DRIFT).records()
            findings += _unparsed(read_answer(snapshot, _UNPARSED, [MAX_UNPARSED_SHARE]).records())
            findings += _unpriced(read_answer(snapshot, _UNPRICED).records())
    except NothingPublishedError:
        todo = "Type `agentledger run`."
        return [*findings, Finding("published", "Nothing is published.", str(settings.home), todo)]
    except AgentLedgerError as error:
        todo = "Type `agentledger run --full-refresh`."
        return [*findings, Finding("published", str(error), str(settings.home), todo)]
    return findings + _of_warehouse(settings, drift)


def _of_warehouse(settings: Settings, drift: Sequence[Mapping[str, Any]]) -> list[Finding]:
    try:
        with opened_at_once(settings) as connection:
            file_ids = [row["example_file_id"] for row in drift if row["example_file_id"]]
            paths = {
                row["file_id"]: row["path"] for row in read_rows(connection, _PATHS, [file_ids])
            }
            return [
                *_drift(drift, paths),
                *_subagents(read_rows(connection, _SUBAGENTS, [])),
                *_clocks(read_rows(connection, _TIMES, []), read_rows(connection, _ENDS, [])),
                *_pending(read_rows(connection, _PENDING, [])),
            ]
    except RunLockedError:
        return [
            *_drift(drift, {}),
            Finding(
                "warehouse",
                "A run is writing: subagents, clocks and pending files were not looked at.",
                str(settings.warehouse_path),
                "Ask again when it has ended.",
                is_wrong=False,
            ),
        ]


def _permissions(settings: Settings) -> list[Finding]:
    findings = []
    for path, wanted in ((settings.home, 0o700), (settings.key_path, 0o600)):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue
        if mode & ~wanted & 0o077:
            findings.append(
                Finding(
                    "permissions",
                    f"Others may look into it (mode {mode:03o}).",
                    str(path),
                    f"Type: chmod {wanted:03o} '{path}'",
                )
            )
    return findings


def _retention(settings: Settings, status: Mapping[str, Any], now: datetime) -> list[Finding]:
    """What Claude Code deletes before it is read is gone for good."""
    config = registry.load_config(settings)
    if not any(source.kind == "claude-code" for source in config.sources):
        return []
    path = claude_code_folder().parent / "settings.json"
    days, problem = _cleanup_days(path)
    if problem:
        return [problem]
    looked = [
        (status.get("last_success") or {}).get("ended_at"),
        (status.get("last_check") or {}).get("at"),
    ]
    stamps = [datetime.fromisoformat(stamp) for stamp in looked if stamp]
    age = now - max(stamps) if stamps else None
    if age is not None and age <= timedelta(days=days * CLEANUP_MARGIN):
        return []
    since = "never" if age is None else f"{age.days} days ago"
    return [
        Finding(
            "retention",
            f"Claude Code deletes sessions after {days} days, and the last good run was {since}.",
            str(path),
            "Type `agentledger run`, let `agentledger dev` run on its own, or raise "
            "`cleanupPeriodDays` in that file.",
        )
    ]


def _cleanup_days(path: Path) -> tuple[float, Finding | None]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return DEFAULT_CLEANUP_DAYS, None
    except (OSError, ValueError) as error:
        todo = "Mend it; without it nobody knows how long sessions are kept."
        return 0, Finding("retention", f"It cannot be read: {error}", str(path), todo)
    days = document.get("cleanupPeriodDays") if isinstance(document, dict) else None
    if isinstance(days, bool) or not isinstance(days, int | float) or days < 0:
        return DEFAULT_CLEANUP_DAYS, None
    return days, None


def _unparsed(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    return [
        Finding(
            "unparsed",
            f"{row['unparsed_share']:.1%} of the records of the last run could not be read "
            f"({row['occurrences']:,}).",
            row["source_kind"],
            "`agentledger status` lists files and reasons.",
        )
        for row in rows
    ]


def _unpriced(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    if not rows:
        return []
    calls = sum(row["unpriced_calls"] for row in rows)
    names = _listed([str(row["model"]) for row in rows])
    return [
        Finding(
            "unpriced",
            f"{calls:,} model calls have no price, so costs that hold them are lower bounds.",
            names,
            "Give them one in config.toml: `agentledger usage unpriced` says how.",
        )
    ]


def _drift(rows: Sequence[Mapping[str, Any]], paths: Mapping[int, str]) -> list[Finding]:
    todo = {
        "tool_version": "Nothing, unless numbers look odd: `agentledger explain` shows their rows.",
        "unparsed_share": "`agentledger status` lists files and reasons.",
    }
    findings = []
    for row in rows:
        path = paths.get(row["example_file_id"] or -1)
        line = f":{row['example_line_no']}" if row["example_line_no"] else ""
        findings.append(
            Finding(
                f"drift_{row['what']}",
                drift_in_words(row),
                f"{path}{line}" if path else row["source_kind"],
                todo.get(row["what"], "Look for a newer agentledger; its lines are kept."),
                # A new version is news, and a name that nobody knows may be a slip of one file.
                is_wrong=row["what"] in ("usage_key", "unparsed_share", "line_type"),
            )
        )
    return findings


def _subagents(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    if not rows:
        return []
    return [
        Finding(
            "subagents",
            f"{len(rows)} subagents ended, and no model call of theirs is known: their tokens are "
            "missing.",
            _listed([f"{row['path']}:{row['line_no']}" for row in rows]),
            "Put their files back (SESSION/subagents/agent-ID.jsonl), if there is a copy.",
            is_wrong=True,
        )
    ]


def _clocks(times: Sequence[Mapping[str, Any]], ends: Sequence[Mapping[str, Any]]) -> list[Finding]:
    findings = []
    for rows, what in (
        (times, "have a time that nobody can believe, and are in no day"),
        (ends, "of tools ended before they began; their durations are unknown"),
    ):
        if rows:
            # Of each file the first place is enough to look at.
            first: dict[str, int] = {}
            for row in rows:
                first.setdefault(row["path"], row["line_no"])
            findings.append(
                Finding(
                    "clocks",
                    f"{len(rows):,} records {what}.",
                    _listed([f"{path}:{line_no}" for path, line_no in first.items()]),
                    "Set the clock of that machine; what is written stays as it is.",
                )
            )
    return findings


def _pending(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    if not rows:
        return []
    return [
        Finding(
            "pending",
            f"{len(rows)} files were not read to their end.",
            _listed([str(row["path"]) for row in rows]),
            "Type `agentledger run`; `agentledger status` says why they were left.",
        )
    ]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more
