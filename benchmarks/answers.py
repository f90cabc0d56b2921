"""Time every answer of `agentledger.query`, in one process, as a long-lived reader would ask.

Belongs here: what each function is asked; one that is not listed is called without arguments, so
that a new one cannot be forgotten. Does not belong here: checking the answers.
"""

import inspect
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentledger import query
from agentledger.settings import Settings

REPEATS = 20


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """How long one question took, seconds."""

    question: str
    first: float
    """The first call, which is not among the repeats."""
    median: float
    slowest: float


def time_answers(settings: Settings) -> list[AnswerTime]:
    """Ask each question `REPEATS` times, after one call that warms up."""
    skill = str(query.get_top_skills(settings=settings)["skill_name"].iloc[0])
    return [_time(name, ask) for name, ask in _questions(settings, skill).items()]


def _questions(settings: Settings, skill: str) -> dict[str, Callable[[], Any]]:
    needed = {
        "get_skill": [(skill,)],
        "get_skill_history": [(skill,)],
        "run_sql": [("select skill_name, total_invocations from marts.top_skills limit 100",)],
    }
    options: dict[str, list[dict[str, Any]]] = {
        "get_top_skills": [{}, {"window": "daily"}, {"by": "quality"}],
        "get_skill_summary": [{}, {"window": "weekly"}],
        "get_clarify_verbs": [{}, {"since": "28d"}],
        "get_denies": [{}, {"since": "28d"}],
        "get_intent_report": [{}, {"since": "28d"}],
    }
    questions = {}
    for name in query.__all__:
        function = getattr(query, name)
        if not inspect.isfunction(function):
            continue
        for positional in needed.get(name, [()]):
            for named in options.get(name, [{}]):
                label = name + "".join(f" {key}={value}" for key, value in named.items())
                questions[label] = _bound(function, positional, {**named, "settings": settings})
    return questions


def _bound(
    function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Callable[[], Any]:
    return lambda: function(*positional, **named)


def _time(question: str, ask: Callable[[], Any]) -> AnswerTime:
    seconds = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - started)
    return AnswerTime(question, seconds[0], statistics.median(seconds[1:]), max(seconds[1:]))
