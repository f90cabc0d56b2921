"""The Dagster code location: everything put together.

Belongs here: `build_defs`, which names each part once; add a new asset module, job, schedule or
sensor here. Tests and tools that need another data home or other resources pass them in. Does not
belong here: the parts themselves. This is the only module of the project that acts on import: it
reads the settings and the prepared manifest, and opens nothing else.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt.dbt_manifest import validate_manifest

from agentledger.settings import Settings, load_settings
from orchestration.assets.dbt import build_dbt_assets
from orchestration.assets.publish import build_publish_assets
from orchestration.assets.raw import build_raw_assets
from orchestration.checks import build_checks
from orchestration.dbt_project import LedgerTranslator, get_dbt_project
from orchestration.dbt_resource import LocalDbtResource
from orchestration.jobs import build_jobs
from orchestration.resources import LedgerRun, WarehouseResource
from orchestration.schedules import build_schedules
from orchestration.sensors import build_sensors


def build_defs(
    *, settings: Settings | None = None, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Put the code location together.

    Args:
        settings: The data home; read from the environment by default.
        resource_overrides: Resources by key that replace the usual ones.

    Raises:
        AgentLedgerError: When the dbt manifest was not prepared; says `make manifest`.
    """
    settings = load_settings() if settings is None else settings
    project = get_dbt_project()
    manifest = validate_manifest(project.manifest_path)
    jobs = build_jobs(manifest)
    return dg.Definitions(
        assets=[
            *build_raw_assets(manifest),
            build_dbt_assets(project, LedgerTranslator(), manifest),
            *build_publish_assets(manifest),
        ],
        asset_checks=build_checks(),
        jobs=jobs.all(),
        schedules=build_schedules(settings, jobs),
        sensors=build_sensors(settings, jobs),
        resources={
            "ledger_run": LedgerRun.from_settings(settings),
            "warehouse": WarehouseResource.from_settings(settings),
            "dbt": LocalDbtResource.for_project(project, settings),
            **(resource_overrides or {}),
        },
        # In process, for every run however it is started: LedgerRun then lives as long as the run,
        # and with it the run lock.
        executor=dg.in_process_executor,
    )


defs = build_defs()
