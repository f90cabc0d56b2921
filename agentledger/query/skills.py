"""Questions about skills, answered from the marts as they are.

Belongs here: the questions that return rows, their arguments and what they refuse. Does not belong
here: the SQL (`skill_marts.py`), answers put together from several marts (`overview.py`).
"""

from datetime import date
from typing import Final

from agentledger.errors import UsageError
from agentledger.query import skill_marts
from agentledger.query.answers import Answer
from agentledger.query.periods import parse_period
from agentledger.query.scope import ALL_PROJECTS, Scope, find_scope
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import Snapshot, open_snapshot

RANKS: Final = {"uses": "rank_by_uses", "quality": "rank_by_quality"}
"""Ways to rank, and the column of `top_skills` that holds each rank."""


@recorded("skills top")
def top_skills(
    window: str = "all",
    bucket: str | date | None = None,
    project: str | None = None,
    by: str = "uses",
    limit: int = 10,
    min_success_rate: float | None = None,
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Rank skills by uses or by quality (lower bound of the success rate), per bucket.

    Args:
        window: 'daily', 'weekly', 'monthly' or 'all'.
        bucket: A day of the bucket wanted; the newest bucket by default.
        project: Name, id or path; all projects by default.
        by: 'uses' or 'quality'; the latter leaves out skills without enough known outcomes.
        limit: Skills per bucket.
        min_success_rate: Fraction 0..1; skills without enough known outcomes never pass.
        since: Answer every bucket from this one on.
        until: Stop before this bucket.
        settings: Names the data home; read from the environment by default.

    Raises:
        UsageError: When an argument cannot be read.
        UnknownNameError: When the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    if by not in RANKS:
        raise UsageError(f"Unknown ranking {by!r}. Give one of {', '.join(RANKS)}.")
    if limit < 1:
        raise UsageError(f"A limit of {limit} leaves nothing. Give 1 or more.")
    if min_success_rate is not None and not 0 <= min_success_rate <= 1:
        raise UsageError(
            f"A success rate of {min_success_rate:g} is not a fraction. "
            "Give a number from 0 to 1, such as 0.9 for 90 %."
        )
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = find_scope(snapshot, settings, project)
        period = parse_period(snapshot.build.as_of, window, bucket, since, until)
        return skill_marts.read_top(snapshot, scope, period, RANKS[by], limit, min_success_rate)


@recorded("skills history")
def skill_history(
    name: str,
    project: str | None = None,
    window: str = "daily",
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """All buckets of one skill, oldest first; a bucket without uses has no row.

    Raises:
        UnknownNameError: When the skill or the project is unknown.
        UsageError: When an argument cannot be read.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = find_scope(snapshot, settings, project)
        period = parse_period(snapshot.build.as_of, window, None, since, until)
        skill_marts.check_skill(snapshot, scope, name)
        return skill_marts.read_history(snapshot, scope, period, name)


@recorded("skills effectiveness")
def skill_effectiveness(
    skill: str | None = None,
    project: str | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """How well each skill works over all time, most used first: rates, counts, evidence.

    Raises:
        UnknownNameError: When the skill or the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = _scope_of(snapshot, settings, project, skill)
        return skill_marts.read_effectiveness(snapshot, scope, skill)


@recorded("skills insights")
def skill_insights(
    skill: str | None = None,
    project: str | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """What the evidence says should be looked at, most urgent first.

    Raises:
        UnknownNameError: When the skill or the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = _scope_of(snapshot, settings, project, skill)
        return skill_marts.read_insights(snapshot, scope, skill)


@recorded("skills compare")
def skill_comparison(skill: str, *, settings: Settings | None = None) -> Answer:
    """Compare one skill over the projects, best first: shrunken rates, proven differences.

    No row where no outcome of the skill is known.

    Raises:
        UnknownNameError: When the skill is unknown.
        NothingPublishedError: When no run has published yet.
    """
    with open_snapshot(settings) as snapshot:
        skill_marts.check_skill(snapshot, Scope(ALL_PROJECTS, None), skill)
        return skill_marts.read_comparison(snapshot, skill)


@recorded("skills cost")
def skill_costs(
    skill: str | None = None,
    project: str | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """What skills of transcripts cost, by each rule that says which model calls are theirs.

    One row per skill and rule; `cost_spread_usd` is how far the rules are apart. None where a rule
    cannot tell; a lower bound where `cost_is_lower_bound`. No row for a skill that no transcript
    names.

    Raises:
        UnknownNameError: When the skill or the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = _scope_of(snapshot, settings, project, skill)
        return skill_marts.read_costs(snapshot, scope, skill)


def _scope_of(
    snapshot: Snapshot, settings: Settings, project: str | None, skill: str | None
) -> Scope:
    """The scope of a question, once it is sure that a skill that was named is known in it."""
    scope = find_scope(snapshot, settings, project)
    if skill is not None:
        skill_marts.check_skill(snapshot, scope, skill)
    return scope
