"""Questions about agents, answered from the marts as they are.

Belongs here: which rows of which mart, and what is refused. Does not belong here: any metric; all
of them are columns of the marts. Notes on declared changes are added from their own file.
"""

import json
from datetime import UTC, date, datetime
from typing import Any, Final

from agentledger import agent_changes, reads
from agentledger.errors import UsageError
from agentledger.query.agent_totals import total_of_windows
from agentledger.query.answers import Answer, read_answer
from agentledger.query.periods import parse_period
from agentledger.query.scope import UnknownNameError, near_names, unknown_name
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import Snapshot, open_snapshot

WINDOWS: Final = ("last_hour", "last_day", "last_week")
SIZES: Final = ("5m", "1h", "1d", "1w")

# Parts that models need to merge rows; no reader's business.
_READABLE: Final = """
    columns(lambda c: c not in (
        'cost_cents_sum', 'cost_cents_sumsq', 'latency_ms_sum', 'latency_ms_sumsq',
        'latency_zero_n', 'latency_hist', 'refreshed_at'
    ))
"""


@recorded("agents list")
def all_metrics(window: str = "last_day", *, settings: Settings | None = None) -> Answer:
    """How every agent does now, most in need first; agents without tasks have no figures.

    Args:
        window: 'last_hour', 'last_day' or 'last_week' before the build's `as_of`.
        settings: Names the data home; read from the environment by default.

    Raises:
        UsageError: When there is no such window.
        NothingPublishedError: When no run has published yet.
    """
    _check("window", window, WINDOWS)
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        return read_answer(
            snapshot,
            f"""
            select *
            from (select agent_id, health, priority from marts.agent_health)
            left join (
                select {_READABLE} from marts.agent_metrics_rolling where window_name = ?
            ) using (agent_id)
            order by priority desc, task_count desc nulls last, agent_id
            """,
            [window],
        )


@recorded("agents show")
def metrics_for(
    agent: str, window: str = "last_day", *, settings: Settings | None = None
) -> Answer:
    """How one agent does now: one row, or none when it has no tasks in the window.

    Raises:
        UnknownNameError: When no such agent was ever seen.
        UsageError: When there is no such window.
        NothingPublishedError: When no run has published yet.
    """
    _check("window", window, WINDOWS)
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        check_agent(snapshot, agent)
        return read_answer(
            snapshot,
            f"select {_READABLE} from marts.agent_metrics_rolling "
            "where agent_id = ? and window_name = ?",
            [agent, window],
        )


@recorded("agents history")
def history(
    agent: str,
    size: str = "1d",
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """The closed windows of one agent, oldest first; a window without tasks has no row.

    Args:
        agent: The agent.
        size: '5m', '1h', '1d' or '1w'.
        since: First UTC day, or a time back such as 7d.
        until: Stop before this UTC day.
        settings: Names the data home; read from the environment by default.

    Raises:
        UnknownNameError: When no such agent was ever seen.
        UsageError: When an argument cannot be read.
        NothingPublishedError: When no run has published yet.
    """
    return history_and_total(agent, size, since, until, settings=settings)[0]


@recorded("agents total")
def history_total(
    agent: str,
    size: str = "1d",
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """The same windows as one: counts and sums added, rates of the sums, quantiles by histograms.

    One row, or none without windows. `p50_latency_estimate_ms` and `p95_latency_estimate_ms` are
    within 1 % of a latency that was measured; those of each window are exact. Arguments and errors
    are those of `history`.
    """
    return history_and_total(agent, size, since, until, settings=settings)[1]


@recorded("agents history")
def history_and_total(
    agent: str,
    size: str,
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> tuple[Answer, Answer]:
    """Both of these, of one build."""
    _check("size", size, SIZES)
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        check_agent(snapshot, agent)
        condition, days = _days(snapshot, since, until)
        values = [agent, size, *days]
        windows = read_answer(
            snapshot,
            f"select {_READABLE} from marts.agent_metrics "
            f"where agent_id = ? and window_size = ?{condition} order by window_start",
            values,
        )
        return windows, total_of_windows(snapshot, condition, values)


@recorded("agents feedback")
def feedback(agent: str | None = None, *, settings: Settings | None = None) -> Answer:
    """What stands out in the last week of agents, and what to change; most urgent first.

    Raises:
        UnknownNameError: When no such agent was ever seen.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        if agent is not None:
            check_agent(snapshot, agent)
        return read_answer(
            snapshot,
            """
            select issues.*, health.health, health.priority, advice.suggestion,
                advice.confidence, advice.expected_gain_pct, advice.gain_basis, advice.effort
            from marts.agent_feedback_issues as issues
            join marts.agent_suggestions as advice using (agent_id, as_of, issue_type)
            join marts.agent_health as health using (agent_id, as_of)
            where ? is null or agent_id = ?
            order by health.priority desc, issues.n desc, agent_id, issue_type
            """,
            [agent, agent],
        )


@recorded("agents evolution")
def evolution(agent: str | None = None, *, settings: Settings | None = None) -> Answer:
    """Whether declared changes helped, the latest first.

    Raises:
        UnknownNameError: When no such agent was ever seen.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        if agent is not None:
            check_agent(snapshot, agent)
        return read_answer(
            snapshot,
            """
            select * from marts.agent_evolution
            where ? is null or agent_id = ?
            order by changed_at desc, agent_id, change_id
            """,
            [agent, agent],
        )


@recorded("agents metrics")
def get_metrics_for(
    agent: str, window: str = "last_day", *, settings: Settings | None = None
) -> dict[str, Any] | None:
    """The figures of one agent in a rolling window as a dict; None when it has no tasks there.

    `patterns_used` is a dict pattern → uses. Arguments and errors are those of `metrics_for`.
    """
    rows = records(metrics_for(agent, window, settings=settings))
    return rows[0] if rows else None


def records(answer: Answer) -> list[dict[str, Any]]:
    """The rows as dicts that `json.dumps` takes, `patterns_used` as a dict of its own."""
    rows = answer.records()
    for row in rows:
        if row.get("patterns_used") is not None:
            row["patterns_used"] = json.loads(row["patterns_used"])
    return rows


def noted(answer: Answer, settings: Settings) -> list[dict[str, Any]]:
    """The rows of `evolution` with the notes of whoever declared the changes."""
    notes = agent_changes.read_notes(settings)
    return [row | {"note": notes.get(row["change_id"])} for row in answer.records()]


def check_agent(snapshot: Snapshot, agent: str) -> None:
    """Refuse an agent that was never seen.

    Raises:
        UnknownNameError: With names that are near to it.
    """
    reads.note_subject("agent")
    known = _known(snapshot)
    if agent not in known:
        raise UnknownNameError(unknown_name("agent", agent, known, "agentledger agents list"))
    reads.note_subject("agent", agent)


def unknown_agent(agent: str, settings: Settings) -> list[str] | None:
    """Names near to an agent that was never seen; None when it was.

    Raises:
        NothingPublishedError: When no run has published yet.
    """
    with open_snapshot(settings) as snapshot:
        known = _known(snapshot)
    return None if agent in known else near_names(agent, known)


def _known(snapshot: Snapshot) -> list[str]:
    return [row[0] for row in read_answer(snapshot, "select agent_id from marts.agent_health").rows]


def _check(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"Unknown {what} {given!r}. Give one of {', '.join(known)}.")


def _days(
    snapshot: Snapshot, since: str | date | None, until: str | date | None
) -> tuple[str, list[Any]]:
    if since is None and until is None:
        return "", []
    period = parse_period(snapshot.build.as_of, "daily", None, since, until)
    parts: list[str] = []
    values: list[Any] = []
    for bound, sign in ((period.since, ">="), (period.until, "<")):
        if bound is not None:
            parts.append(f" and window_start {sign} ?")
            values.append(datetime(bound.year, bound.month, bound.day, tzinfo=UTC))
    return "".join(parts), values
