"""Answers put together from several marts, all read from one build.

Belongs here: the summary of a scope, everything about one skill. Does not belong here: any
computation; totals are a mart's.
"""

from datetime import date
from typing import Any, Final

from agentledger.query import skill_marts
from agentledger.query.answers import json_value
from agentledger.query.periods import ALL_TIME_BUCKET, Period, parse_period
from agentledger.query.scope import Scope, find_scope
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import Snapshot, open_snapshot

SUMMARY_SKILLS: Final = 5
"""Skills that a summary lists per ranking."""

SHOWN_BUCKETS: Final = 8
"""Buckets of recent history beside a single skill: two months of weeks."""


@recorded("skills summary")
def get_skill_summary(
    project: str | None = None,
    window: str = "all",
    bucket: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Sum up a scope: totals over its skills, the first skills by uses and by quality, insights.

    `totals` is None where nothing was used.

    Args:
        project: Name, id or path; all projects by default.
        window: 'daily', 'weekly', 'monthly' or 'all'.
        bucket: A day of the bucket wanted; the newest bucket by default.
        settings: Names the data home; read from the environment by default.

    Raises:
        UnknownNameError: When the project is unknown.
        UsageError: When an argument cannot be read.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = find_scope(snapshot, settings, project)
        period = parse_period(snapshot.build.as_of, window, bucket)
        if period.bucket is None:
            period = Period(window, skill_marts.newest_bucket(snapshot, scope, window))
        totals = skill_marts.read_totals(snapshot, scope, period)
        tops = {
            rank: skill_marts.read_top(snapshot, scope, period, rank, SUMMARY_SKILLS).records()
            for rank in ("rank_by_uses", "rank_by_quality")
        }
        return {
            **provenance(snapshot, scope),
            "window": window,
            "bucket_start": json_value(period.bucket),
            "totals": next(iter(totals.records()), None),
            "top_by_uses": tops["rank_by_uses"],
            "top_by_quality": tops["rank_by_quality"],
            "insights": skill_marts.read_insights(snapshot, scope, None).records(),
        }


@recorded("skills show")
def get_skill(
    name: str,
    project: str | None = None,
    window: str = "weekly",
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Tell everything about one skill: over all time, recent buckets, insights.

    Without `since` and `until` the newest buckets are given, at most SHOWN_BUCKETS.

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
        all_time = Period("all", ALL_TIME_BUCKET)
        history = skill_marts.read_history(snapshot, scope, period, name).records()
        effectiveness = skill_marts.read_effectiveness(snapshot, scope, name).records()
        return {
            **provenance(snapshot, scope),
            "skill_name": name,
            "all_time": skill_marts.read_history(snapshot, scope, all_time, name).records()[0],
            "effectiveness": next(iter(effectiveness), None),
            "insights": skill_marts.read_insights(snapshot, scope, name).records(),
            "window": window,
            "history": history if period.is_range else history[-SHOWN_BUCKETS:],
        }


def provenance(snapshot: Snapshot, scope: Scope) -> dict[str, Any]:
    """Where an answer comes from: the build, its instant, the scope."""
    return {
        "build_id": snapshot.build.build_id,
        "as_of": json_value(snapshot.build.as_of),
        "project_id": scope.project_id,
        "project_name": scope.project_name,
    }
