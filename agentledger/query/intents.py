"""Questions about intents: what is asked back, denied, overridden, not filled, and what failed.

Belongs here: the questions that return rows, their arguments and what they refuse. Does not belong
here: the SQL (`intent_marts.py`), the report (`intent_report.py`), boosts (`boost_proposals.py`).
"""

from datetime import date
from typing import Final

from agentledger.query import intent_marts
from agentledger.query.answers import Answer
from agentledger.query.intent_periods import check_limits, find_intent_period
from agentledger.reads import recorded
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot

MIN_COUNT: Final = 2
"""Once is chance; what happened twice is worth a line."""

TOP: Final = 20
"""Rows that fit on a screen."""


def ask(
    question: str,
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    min_count: int = MIN_COUNT,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Answer one of `intent_marts.QUESTIONS`, most frequent first.

    Args:
        question: Its name.
        since: A UTC day, or a time back from the newest build such as 7d; included.
        until: The same; left out.
        prompt_version: One version; `(unknown)` for events that name none.
        min_count: Rows that count less are left out.
        top: Rows at most.
        settings: Names the data home; read from the environment by default.

    Raises:
        UsageError: When an argument cannot be read.
        UnknownNameError: When no event names that prompt version.
        NothingPublishedError: When no run has published yet.
    """
    check_limits(min_count, top)
    with open_snapshot(settings) as snapshot:
        period = find_intent_period(snapshot, since, until, prompt_version)
        return intent_marts.read_question(snapshot, question, period, min_count, top)


@recorded("intents clarify")
def clarify_verbs(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    min_count: int = MIN_COUNT,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Verbs that had to be clarified, of all events of the verb; arguments as in `ask`."""
    return ask("clarify", since, until, prompt_version, min_count, top, settings=settings)


@recorded("intents overrides")
def overrides(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    min_count: int = MIN_COUNT,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Which verb was forced in place of which, of all events that settled on a verb."""
    return ask("overrides", since, until, prompt_version, min_count, top, settings=settings)


@recorded("intents override-events")
def override_events(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """The newest single events in which another verb was forced."""
    check_limits(1, top)
    with open_snapshot(settings) as snapshot:
        period = find_intent_period(snapshot, since, until, prompt_version)
        return intent_marts.read_override_events(snapshot, period, top)


@recorded("intents denies")
def denies(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    min_count: int = MIN_COUNT,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Verbs that the registry denied, of the events in which they were offered or denied."""
    return ask("denies", since, until, prompt_version, min_count, top, settings=settings)


@recorded("intents arg-failures")
def arg_failures(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    min_count: int = MIN_COUNT,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Arguments that could not be filled, per verb."""
    return ask("arg-failures", since, until, prompt_version, min_count, top, settings=settings)


@recorded("intents macro-denies")
def macro_denies(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    min_count: int = MIN_COUNT,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Verbs that the check of macros denied, of all events whose macro was checked."""
    return ask("macro-denies", since, until, prompt_version, min_count, top, settings=settings)


@recorded("intents failure-modes")
def failure_modes(
    since: str | date | None = None,
    until: str | date | None = None,
    prompt_version: str | None = None,
    min_count: int = MIN_COUNT,
    top: int = TOP,
    *,
    settings: Settings | None = None,
) -> Answer:
    """How utterances ended and with which error, success included; `share` is of all events."""
    return ask("failure-modes", since, until, prompt_version, min_count, top, settings=settings)


@recorded("intents aliases")
def alias_proposals(top: int = TOP, *, settings: Settings | None = None) -> Answer:
    """Verbs that users reached only in other words: an alias would have helped."""
    check_limits(1, top)
    with open_snapshot(settings) as snapshot:
        return intent_marts.read_alias_proposals(snapshot, top)
