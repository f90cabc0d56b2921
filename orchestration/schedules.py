"""Cron → job.

Belongs here: when a job runs by the clock. Does not belong here: what a job is (`jobs.py`), whether
there is anything to do (`readiness.py`).

Schedules and the sensor run by default. They live only as long as `agentledger dev` does, read only
what the owner opted in to, and a user who leaves the UI open expects numbers that follow the files;
a switch in the UI stops each of them for good.
"""

from collections.abc import Callable
from typing import Any

import dagster as dg

from agentledger.settings import Settings
from orchestration.jobs import Jobs
from orchestration.readiness import reason_to_skip, reason_to_skip_tick
from orchestration.run_scope import TRIGGER_TAG

EVERY_5_MINUTES = "*/5 * * * *"
EVERY_30_MINUTES = "*/30 * * * *"
HOURLY = "0 * * * *"
DAILY_AT_MIDNIGHT = "0 0 * * *"


def build_schedules(settings: Settings, jobs: Jobs) -> list[dg.ScheduleDefinition]:
    """Make the schedules; all of them tell time in UTC.

    What is new makes a whole run, every 5 minutes for the agents; when nothing is, what ages by the
    clock alone moves on.

    Args:
        settings: The data home that is asked for new work.
        jobs: What the schedules start.
    """

    def nothing_new() -> str | None:
        return reason_to_skip(settings)

    def nothing_ages() -> str | None:
        return reason_to_skip_tick(settings)

    def nothing_published(what: str) -> Callable[[], str | None]:
        said = f"Nothing is published yet, so there is nothing to {what}."
        return lambda: None if settings.published_pointer.exists() else said

    by_the_clock = "When nothing is new: {} by the clock alone."
    return [
        _schedule(
            "skill_aggregates_hourly", HOURLY, jobs.refresh, nothing_new,
            "The whole ledger, hourly; skips while a run is writing or nothing is new.",
        ),
        _schedule(
            "docs_daily", DAILY_AT_MIDNIGHT, jobs.docs, nothing_published("document"),
            "The dbt docs site, each day at 00:00 UTC; skips while nothing is built.",
        ),
        _schedule(
            "retention_daily", DAILY_AT_MIDNIGHT, jobs.refresh, nothing_new,
            "Removes what is older than `retention_days` each day at 00:00 UTC; skips while "
            "everything is kept or nothing is due.",
        ),
        _schedule(
            "knowledge_export_daily", DAILY_AT_MIDNIGHT, jobs.knowledge_export,
            nothing_published("export"),
            "Validated patterns to exports/knowledge, each day at 00:00 UTC; skips while nothing "
            "is published.",
        ),
        _schedule(
            "agent_metrics_refresh", EVERY_5_MINUTES, jobs.refresh, nothing_new,
            "Every 5 minutes the whole ledger, when something is new.",
        ),
        _schedule(
            "agent_metrics_tick", EVERY_5_MINUTES, jobs.agent_metrics, nothing_ages,
            by_the_clock.format("windows of agents"),
        ),
        _schedule(
            "agent_feedback_tick", EVERY_30_MINUTES, jobs.agent_feedback, nothing_ages,
            by_the_clock.format("feedback on agents"),
        ),
        _schedule(
            "agent_evolution_tick", HOURLY, jobs.agent_evolution, nothing_ages,
            by_the_clock.format("changes of agents"),
        ),
    ]  # fmt: skip


def _schedule(
    name: str,
    cron: str,
    job: Any,
    reason_to_wait: Callable[[], str | None],
    description: str,
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        cron_schedule=cron,
        execution_timezone="UTC",
        job=job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def schedule() -> dg.RunRequest | dg.SkipReason:
        reason = reason_to_wait()
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={TRIGGER_TAG: f"schedule:{name}"})

    return schedule
