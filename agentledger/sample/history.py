"""Made-up invocations of one project: sessions in a working week, outcomes, durations.

Belongs here: chance, seeded and without a clock. Does not belong here: how a record is written
(`writers.py`), which skills exist (`catalogue.py`).
"""

import itertools
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agentledger.sample import catalogue
from agentledger.sample.catalogue import Skill

DAYS = 120
"""Length of the history before the reference date."""

HOUR_WEIGHTS = (0, 0, 0, 0, 0, 0, 1, 3, 8, 12, 13, 10, 5, 9, 12, 12, 10, 7, 4, 3, 2)
"""Work begins at six and has no session after eight in the evening: none runs past midnight."""

DAY_WEIGHTS = (10, 11, 12, 11, 8, 1.5, 1)
"""Monday to Sunday."""

MAX_SESSION_LENGTH = 14


@dataclass(slots=True)
class Invocation:
    """One use of a skill, before any format; texts that may need escapes are JSON text already."""

    skill: str
    at: datetime  # wall clock of the writing machine
    session: str
    workflow: str | None
    outcome: str  # success | failure | abandoned | pending
    seconds: float | None
    is_timed: bool  # whether the caller measured the duration
    error: str | None  # JSON text
    followups: list[str]
    query: str | None  # JSON text
    alternatives: list[str]
    rank: int | None


def seeded(*parts: object) -> random.Random:
    """A generator of its own for each purpose, so that one more project changes no other."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - invented data, no secret


def invent(rng: random.Random, count: int, until: date) -> Iterator[Invocation]:
    """Invent the invocations of one project, session by session; not in order of time.

    Args:
        rng: Decides everything.
        count: How many.
        until: The first day without events.
    """
    world = _World(rng, until)
    left = count
    while left:
        length = min(left, 1 + int(rng.expovariate(0.25)), MAX_SESSION_LENGTH)
        yield from world.session(length)
        left -= length


class _World:
    """Tables of one project, computed once."""

    def __init__(self, rng: random.Random, until: date) -> None:
        self.rng = rng
        self.days = [until - timedelta(days=DAYS - number) for number in range(DAYS)]
        # Use grows by half over the period.
        self.day_weights = list(
            itertools.accumulate(
                DAY_WEIGHTS[day.weekday()] * (1 + number / DAYS / 2)
                for number, day in enumerate(self.days)
            )
        )
        self.hour_weights = list(itertools.accumulate(HOUR_WEIGHTS))
        # Each project leans towards some skills.
        self.skill_weights = list(
            itertools.accumulate(skill.weight * rng.uniform(0.8, 1.2) for skill in catalogue.SKILLS)
        )
        self.names = [skill.name for skill in catalogue.SKILLS]
        self.queries = [
            json.dumps(query.format(thing=thing), ensure_ascii=False)
            for query in catalogue.QUERIES
            for thing in catalogue.THINGS
        ]
        self.messages = [json.dumps(message) for message in catalogue.ERROR_MESSAGES]
        self.classes = [json.dumps(name) for name in catalogue.ERROR_CLASSES]

    def session(self, length: int) -> Iterator[Invocation]:
        """One sitting: a few skills, minutes apart, under one session id."""
        rng = self.rng
        number = rng.choices(range(DAYS), cum_weights=self.day_weights)[0]
        hour = rng.choices(range(len(HOUR_WEIGHTS)), cum_weights=self.hour_weights)[0]
        at = datetime.combine(self.days[number], time(hour)) + timedelta(
            microseconds=rng.randrange(3_600_000_000)
        )
        session = f"sess-{rng.getrandbits(48):012x}"
        workflow = rng.choice(catalogue.WORKFLOWS) if rng.random() < 0.85 else None
        age = number / DAYS
        for skill in rng.choices(catalogue.SKILLS, cum_weights=self.skill_weights, k=length):
            yield self._invocation(skill, at, session, workflow, age)
            at += timedelta(seconds=20 + rng.expovariate(1 / 240))

    def _invocation(
        self, skill: Skill, at: datetime, session: str, workflow: str | None, age: float
    ) -> Invocation:
        rng = self.rng
        outcome = self._outcome(skill, age)
        seconds = None
        if outcome != "pending":
            seconds = round(skill.median_seconds * math.exp(rng.gauss(0.0, skill.spread)), 3)
        error = None
        if outcome == "failure":
            error = rng.choice(self.classes if rng.random() < 0.7 else self.messages)
        return Invocation(
            skill=skill.name,
            at=at,
            session=session,
            workflow=workflow,
            outcome=outcome,
            seconds=seconds,
            is_timed=rng.random() < 0.65,
            error=error,
            followups=[] if outcome == "pending" else self._followups(skill),
            query=rng.choice(self.queries) if rng.random() < 0.7 else None,
            alternatives=rng.sample(self.names, rng.randrange(3)),
            rank=(1 if rng.random() < skill.rank else rng.randrange(2, 5))
            if rng.random() < 0.8
            else None,
        )

    def _outcome(self, skill: Skill, age: float) -> str:
        rng = self.rng
        if rng.random() < skill.unknown:
            return "pending"
        success = skill.success_at_first + (skill.success_at_last - skill.success_at_first) * age
        if rng.random() < success:
            return "success"
        return "failure" if rng.random() < 0.75 else "abandoned"

    def _followups(self, skill: Skill) -> list[str]:
        rng = self.rng
        # Geometric: most uses need none, a few need many.
        count, stop = 0, 1 / (1 + skill.followups)
        while count < 12 and rng.random() > stop:
            count += 1
        return [
            rng.choice(catalogue.ACTIONS if rng.random() < 0.8 else catalogue.FREE_ACTIONS)
            for _ in range(count)
        ]
