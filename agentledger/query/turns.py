"""Questions about turns: why they ended, and which were cut off early.

Belongs here: the rows of the marts of turns, their scope and range. Does not belong here: any
measure (a range sums daily counts, and its rates are the functions that the models publish), one
session in detail (`replay.py`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from agentledger.errors import UsageError
from agentledger.query.answers import Answer, read_answer
from agentledger.query.periods import Period, parse_period
from agentledger.query.scope import ALL_PROJECTS, Scope, find_scope
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import Snapshot, open_snapshot

MODES: Final = ("vibe", "collaborate", "delegate", "other", "unknown")
"""Values of `chat_mode`."""

ALL_MODES: Final = "__all__"
TOP: Final = 20
"""Rows that fit on a screen."""

_CUTOFF_COUNTS: Final = ("turns", "known_turns", "early_cutoffs", "early_aborts")


@dataclass(frozen=True, slots=True)
class _Question:
    """Days, project and mode that somebody asked about."""

    since: str | date | None
    until: str | date | None
    project: str | None
    mode: str | None


@dataclass(frozen=True, slots=True)
class _Condition:
    """The rows of a mart that a question is about."""

    sql: str
    values: list[Any]


@recorded("turns stop-reasons")
def stop_reasons(
    since: str | date | None = None,
    until: str | date | None = None,
    project: str | None = None,
    mode: str | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Why turns ended, most frequent first; turns without a reason are the row `unknown`.

    Args:
        since: First UTC day, or a time back from the newest build such as 7d.
        until: Stop before this day.
        project: Name, id or path; all projects by default.
        mode: One of `MODES`; all by default.
        settings: Names the data home; read from the environment by default.

    Raises:
        UsageError: When an argument cannot be read.
        UnknownNameError: When the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        asked = _of_buckets(_Question(since, until, project, mode), snapshot, settings)
        return read_answer(
            snapshot,
            f"""
            with counted as (
                select
                    stop_reason_base,
                    cast(sum(turns) as bigint) as turns,
                    cast(sum(sum(turns)) over () as bigint) as group_turns,
                    cast(sum(rounds_sum) as bigint) as rounds_sum,
                    cast(sum(rounds_n) as bigint) as rounds_n,
                    min(first_ended_at) as first_ended_at,
                    max(last_ended_at) as last_ended_at
                from marts.turn_stop_reasons
                where {asked.sql}
                group by stop_reason_base
            )
            select
                stop_reason_base, turns, group_turns,
                marts.rate(turns, group_turns) as share,
                marts.rate_low(turns, group_turns) as share_low,
                marts.rate_high(turns, group_turns) as share_high,
                marts.rate(rounds_sum, rounds_n) as avg_rounds, rounds_n,
                marts.rate_evidence(group_turns) as evidence,
                first_ended_at, last_ended_at
            from counted
            order by turns desc, stop_reason_base
            """,
            asked.values,
        )


@recorded("turns cut-off")
def cut_off(
    since: str | date | None = None,
    until: str | date | None = None,
    project: str | None = None,
    mode: str | None = None,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """The newest turns that were cut off early; arguments as in `stop_reasons`."""
    if top < 1:
        raise UsageError(f"--top {top} is no number of rows. Give 1 or more.")
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        asked = _of_turns(_Question(since, until, project, mode), snapshot, settings)
        return read_answer(
            snapshot,
            f"""
            select
                ended_at, project_id, project_name, session_key, turn_seq, stop_reason_base,
                stop_detail, chat_mode, turn_intent, model, rounds, tool_call_count, llm_calls,
                total_tokens, duration_ms, turn_key
            from marts.turns_cut_off_early
            left join (select project_id, project_name from marts.dim_projects)
                using (project_id)
            where {asked.sql}
            order by ended_at desc, turn_key
            limit ?
            """,
            [*asked.values, top],
        )


@recorded("turns cut-off-rate")
def cutoff_rate(
    since: str | date | None = None,
    until: str | date | None = None,
    project: str | None = None,
    mode: str | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """One row: how many turns were cut off early, of those whose reason and rounds are known."""
    settings = load_settings() if settings is None else settings
    sums = ", ".join(f"cast(coalesce(sum({n}), 0) as bigint) as {n}" for n in _CUTOFF_COUNTS)
    with open_snapshot(settings) as snapshot:
        asked = _of_buckets(_Question(since, until, project, mode), snapshot, settings)
        return read_answer(
            snapshot,
            f"""
            select
                *,
                marts.rate(early_cutoffs, known_turns) as early_cutoff_rate,
                marts.rate_low(early_cutoffs, known_turns) as early_cutoff_rate_low,
                marts.rate_high(early_cutoffs, known_turns) as early_cutoff_rate_high,
                marts.rate_evidence(known_turns) as evidence
            from (select {sums} from marts.turn_cutoff_rates where {asked.sql})
            """,
            asked.values,
        )


def _of_buckets(question: _Question, snapshot: Snapshot, settings: Settings) -> _Condition:
    """Rows of a mart with windows: the one bucket of all time, or the days of a range."""
    scope, period = _scope_and_days(question, snapshot, settings)
    parts = ["project_id = ?", "chat_mode = ?", "time_window = ?"]
    values: list[Any] = [
        scope.project_id,
        _mode(question.mode),
        "daily" if period.is_range else "all",
    ]
    for sign, day in ((">=", period.since), ("<", period.until)):
        if day is not None:
            parts.append(f"bucket_start {sign} ?")
            values.append(day)
    return _Condition(" and ".join(parts), values)


def _of_turns(question: _Question, snapshot: Snapshot, settings: Settings) -> _Condition:
    """Rows of single turns."""
    scope, period = _scope_and_days(question, snapshot, settings)
    parts, values = ["true"], []
    for part, value in (
        ("project_id = ?", None if scope.project_id == ALL_PROJECTS else scope.project_id),
        ("chat_mode = ?", None if _mode(question.mode) == ALL_MODES else question.mode),
        ("occurred_on >= ?", period.since),
        ("occurred_on < ?", period.until),
    ):
        if value is not None:
            parts.append(part)
            values.append(value)
    return _Condition(" and ".join(parts), values)


def _scope_and_days(
    question: _Question, snapshot: Snapshot, settings: Settings
) -> tuple[Scope, Period]:
    scope = find_scope(snapshot, settings, question.project)
    days = parse_period(snapshot.build.as_of, "daily", None, question.since, question.until)
    return scope, days


def _mode(mode: str | None) -> str:
    if mode is None:
        return ALL_MODES
    if mode not in MODES:
        raise UsageError(f"Unknown mode {mode!r}. Give one of {', '.join(MODES)}.")
    return mode
