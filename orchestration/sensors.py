"""New files → run.

Belongs here: sensors. Does not belong here: what counts as new (`agentledger/ingest/plan.py`).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from agentledger.settings import Settings
from orchestration.jobs import Jobs
from orchestration.readiness import reason_to_skip
from orchestration.run_scope import TRIGGER_TAG

LOOK_EVERY_SECONDS = 60
"""Asking lists the registered files, a few milliseconds; answers a minute old are fresh enough."""

STARTING_MINUTES = 5
"""How long a run may be on its way before it is taken for lost; it takes seconds."""

ON_ITS_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
]


def build_sensors(settings: Settings, jobs: Jobs) -> list[dg.SensorDefinition]:
    """Make the sensors.

    Args:
        settings: The data home that is asked for new work.
        jobs: What the sensors start.
    """

    @dg.sensor(
        name="new_data",
        job=jobs.refresh,
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a run when a source has new data. Asks the ledger each time and keeps "
        "no memory of its own, so nothing is missed when a run fails.",
    )
    def new_data(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if _is_on_its_way(context.instance):
            return dg.SkipReason("A run is starting right now. The next tick asks again.")
        reason = reason_to_skip(settings)
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={TRIGGER_TAG: "sensor:new_data"})

    return [new_data]


def _is_on_its_way(instance: dg.DagsterInstance) -> bool:
    """Whether a run was launched that has not come to the run lock yet."""
    since = datetime.now(UTC) - timedelta(minutes=STARTING_MINUTES)
    return instance.get_runs_count(dg.RunsFilter(statuses=ON_ITS_WAY, created_after=since)) > 0
