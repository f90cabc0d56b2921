"""What people and evaluators think of agents, answered from the mart as it is.

Belongs here: the scores of agents by name and window. Does not belong here: any figure (`models/`,
agent_scores), what agents did (`agents.py`), printing (`cli/agent_scores.py`).
"""

import json
from typing import Any, Final

from agentledger import reads
from agentledger.errors import UsageError
from agentledger.query.answers import Answer, read_answer
from agentledger.query.scope import UnknownNameError, unknown_name
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import Snapshot, open_snapshot

WINDOWS: Final = ("last_day", "last_week", "last_month", "all")


@recorded("agents scores")
def scores(
    agent: str | None = None, window: str = "last_month", *, settings: Settings | None = None
) -> Answer:
    """Scores of agents by name and kind: how many, mean, share true, categories, and the trend.

    The trend compares with the time of equal length before, and is told only where both sides have
    enough values. A score is evidence beside success and never decides it.

    Args:
        agent: One agent; all by default.
        window: 'last_day', 'last_week', 'last_month' (30 days) before the build's `as_of`, or
            'all'.
        settings: Names the data home; read from the environment by default.

    Raises:
        UnknownNameError: When no such agent was ever seen.
        UsageError: When there is no such window.
        NothingPublishedError: When no run has published yet.
    """
    if window not in WINDOWS:
        raise UsageError(f"Unknown window {window!r}. Give one of {', '.join(WINDOWS)}.")
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        if agent is not None:
            _check(snapshot, agent)
        return read_answer(
            snapshot,
            """
            select agent_id, score_name, score_kind, window_name, window_start, score_count,
                value_count, mean_value, min_value, max_value, boolean_count, true_count, true_rate,
                true_rate_low, true_rate_high, category_counts, source_counts, previous_count,
                previous_mean_value, previous_true_rate, change, change_low, change_high, trend,
                last_scored_at
            from marts.agent_scores
            where window_name = ? and (? is null or agent_id = ?)
            order by agent_id, score_name, score_kind
            """,
            [window, agent, agent],
        )


def records(answer: Answer) -> list[dict[str, Any]]:
    """The rows as dicts that `json.dumps` takes, counts by name as dicts of their own."""
    rows = answer.records()
    for row in rows:
        for name in ("category_counts", "source_counts"):
            row[name] = None if row[name] is None else json.loads(row[name])
    return rows


def _check(snapshot: Snapshot, agent: str) -> None:
    reads.note_subject("agent")
    # What is told elsewhere may have been scored here, and is no task.
    known = read_answer(
        snapshot,
        "select agent_id from marts.agent_health union select agent_id from marts.agent_scores",
    )
    names = [row[0] for row in known.rows]
    if agent not in names:
        raise UnknownNameError(unknown_name("agent", agent, names, "agentledger agents list"))
    reads.note_subject("agent", agent)
