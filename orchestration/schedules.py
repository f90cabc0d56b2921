"""Cron → job.

Belongs here: when a job runs by the clock. Does not belong here: what a job is (`jobs.py`), whether
there is anything to do (`readiness.py`).

Schedules and the sensor run by default. They live only as long as `agentledger dev` does, read only
what the owner opted in to, and a user who leaves the UI open expects numbers that follow the files;
a switch in the UI stops each of them for good.
"""

import dagster as dg

from agentledger.settings import Settings
from orchestration.jobs import Jobs
from orchestration.readiness import reason_to_skip
from orchestration.resources import TRIGGER_TAG

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

    return [skill_aggregates_hourly, docs_daily, retention_daily]
