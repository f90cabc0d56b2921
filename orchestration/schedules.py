"""Cron → job.

Belongs here: when a job runs by the clock. Does not belong here: what a job is (`jobs.py`), whether
there is anything to do (`readiness.py`).

Schedules and the sensor run by default. They live only as long as `agentledger dev` does, read only
what the owner opted in to, and a user who leaves the UI open expects numbers that follow the files;
a switch in the UI stops each of them for good.
"""

from typing import Any

import dagster as dg

from agentledger.settings import Settings
from orchestration.jobs import Jobs
from orchestration.readiness import reason_to_skip, reason_to_skip_tick
from orchestration.resources import TRIGGER_TAG

EVERY_5_MINUTES = "*/5 * * * *"
EVERY_30_MINUTES = "*/30 * * * *"
HOURLY = "0 * * * *"
DAILY_AT_MIDNIGHT = "0 0 * * *"


def build_schedules(settings: Settings, jobs: Jobs) -> list[dg.ScheduleDefinition]:
    """Make the schedules; all of them tell time in UTC.

    Args:
        settings: The data home that is asked for new work.
        jobs: What the schedules start.
    """

    @dg.schedule(
        name="skill_aggregates_hourly",
        cron_schedule=HOURLY,
        execution_timezone="UTC",
        job=jobs.refresh,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The whole ledger, hourly; skips while a run is writing or nothing is new.",
    )
    def skill_aggregates_hourly() -> dg.RunRequest | dg.SkipReason:
        reason = reason_to_skip(settings)
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={TRIGGER_TAG: "schedule:skill_aggregates_hourly"})

    @dg.schedule(
        name="docs_daily",
        cron_schedule=DAILY_AT_MIDNIGHT,
        execution_timezone="UTC",
        job=jobs.docs,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The dbt docs site, each day at 00:00 UTC; skips while nothing is built.",
    )
    def docs_daily() -> dg.RunRequest | dg.SkipReason:
        if not settings.published_pointer.exists():
            return dg.SkipReason("Nothing is published yet, so there is nothing to document.")
        return dg.RunRequest(tags={TRIGGER_TAG: "schedule:docs_daily"})

    @dg.schedule(
        name="retention_daily",
        cron_schedule=DAILY_AT_MIDNIGHT,
        execution_timezone="UTC",
        job=jobs.refresh,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Removes what is older than `retention_days` each day at 00:00 UTC; skips "
        "while everything is kept or nothing is due.",
    )
    def retention_daily() -> dg.RunRequest | dg.SkipReason:
        reason = reason_to_skip(settings)
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={TRIGGER_TAG: "schedule:retention_daily"})

    @dg.schedule(
        name="knowledge_export_daily",
        cron_schedule=DAILY_AT_MIDNIGHT,
        execution_timezone="UTC",
        job=jobs.knowledge_export,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Validated patterns to exports/knowledge, each day at 00:00 UTC; skips while "
        "nothing is published.",
    )
    def knowledge_export_daily() -> dg.RunRequest | dg.SkipReason:
        if not settings.published_pointer.exists():
            return dg.SkipReason("Nothing is published yet, so there is nothing to export.")
        return dg.RunRequest(tags={TRIGGER_TAG: "schedule:knowledge_export_daily"})

    return [
        skill_aggregates_hourly,
        docs_daily,
        retention_daily,
        knowledge_export_daily,
        *_agent_schedules(settings, jobs),
    ]


def _agent_schedules(settings: Settings, jobs: Jobs) -> list[dg.ScheduleDefinition]:
    """What is new makes a whole run every 5 minutes; else what ages by the clock alone moves on."""

    @dg.schedule(
        name="agent_metrics_refresh",
        cron_schedule=EVERY_5_MINUTES,
        execution_timezone="UTC",
        job=jobs.refresh,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every 5 minutes the whole ledger, when something is new.",
    )
    def agent_metrics_refresh() -> dg.RunRequest | dg.SkipReason:
        reason = reason_to_skip(settings)
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={TRIGGER_TAG: "schedule:agent_metrics_refresh"})

    return [agent_metrics_refresh] + [
        _tick_schedule(settings, name, cron, job, description)
        for name, cron, job, description in (
            ("agent_metrics_tick", EVERY_5_MINUTES, jobs.agent_metrics, "windows of agents"),
            ("agent_feedback_tick", EVERY_30_MINUTES, jobs.agent_feedback, "feedback on agents"),
            ("agent_evolution_tick", HOURLY, jobs.agent_evolution, "changes of agents"),
        )
    ]


def _tick_schedule(
    settings: Settings, name: str, cron: str, job: Any, description: str
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        cron_schedule=cron,
        execution_timezone="UTC",
        job=job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"When nothing is new: {description} by the clock alone.",
    )
    def tick() -> dg.RunRequest | dg.SkipReason:
        reason = reason_to_skip_tick(settings)
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={TRIGGER_TAG: f"schedule:{name}"})

    return tick
