"""Made-up tasks of agents: one that got better, one that costs too much, one slow one.

Belongs here: the agents of the sample and what their tasks look like. Does not belong here: the
format (formats.md 4), other logs of events (`event_logs.py`).
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

DAYS = 60

AGENTS: dict[str, dict[str, Any]] = {
    "code-reviewer": {"rate": 0.96, "cents": 1.2, "ms": 900, "patterns": ["review", "diff"]},
    "test-writer": {"rate": 0.84, "cents": 2.1, "ms": 1600, "patterns": ["fixtures"]},
    "architect": {"rate": 0.93, "cents": 6.5, "ms": 1800, "patterns": ["supervision", "review"]},
    "log-searcher": {"rate": 0.97, "cents": 0.4, "ms": 3200, "patterns": []},
}
TASK_TYPES = ("code", "testing", "analysis", "search", "chat")


def agent_tasks(rng: random.Random, count: int, until: date) -> Iterator[dict[str, Any]]:
    """Invent finished tasks of the last weeks, some of unknown outcome or cost, one absurdly dear.

    Args:
        rng: Decides everything.
        count: How many.
        until: First day without events.
    """
    start = datetime.combine(until - timedelta(days=DAYS), time())
    for number in range(count):
        agent = rng.choice(list(AGENTS))
        known = AGENTS[agent]
        at = start + timedelta(microseconds=rng.randrange(DAYS * 86_400_000_000))
        # The test writer got better halfway.
        is_late = at >= start + timedelta(days=DAYS // 2)
        rate = known["rate"] + (0.08 if agent == "test-writer" and is_late else 0.0)
        tokens = rng.randrange(400, 9000)
        yield {
            "event_id": f"task-{rng.getrandbits(96):024x}",
            "agent_id": agent,
            "occurred_at": at.isoformat(timespec="microseconds") + "Z",
            "task_type": rng.choice(TASK_TYPES),
            "success": None if rng.random() < 0.03 else rng.random() < rate,
            "cost_cents": _cost(rng, known["cents"], is_outlier=number == count // 2),
            "latency_ms": round(known["ms"] * rng.lognormvariate(0.0, 0.4), 1),
            "patterns": {name: rng.randrange(1, 4) for name in known["patterns"]},
            "provider": "sample",
            "model": "sample-large" if agent == "architect" else "sample-small",
            "prompt_tokens": tokens,
            "completion_tokens": tokens // 7,
            "total_tokens": tokens + tokens // 7,
            "session_id": f"session-{rng.randrange(400)}",
            "schema_version": 1,
        }


def _cost(rng: random.Random, cents: float, *, is_outlier: bool) -> float | None:
    if is_outlier:
        return 99_900.0
    return None if rng.random() < 0.05 else round(cents * rng.lognormvariate(0.0, 0.5), 4)
