"""Named jobs.

Belongs here: which assets run together. Does not belong here: when (`schedules.py`, `sensors.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.dbt_project import tagged_models
from orchestration.run_scope import DOCS, KNOWLEDGE, SNAPSHOT

UnresolvedJob = Any
"""`define_asset_job` returns a type that Dagster does not export."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of the code location."""

    refresh: UnresolvedJob
    docs: UnresolvedJob
    agent_metrics: UnresolvedJob
    agent_feedback: UnresolvedJob
    agent_evolution: UnresolvedJob
    knowledge_export: UnresolvedJob

    def all(self) -> list[UnresolvedJob]:
        """All of them, for `Definitions`."""
        return [
            self.refresh,
            self.docs,
            self.agent_metrics,
            self.agent_feedback,
            self.agent_evolution,
            self.knowledge_export,
        ]


def build_jobs(manifest: Mapping[str, Any]) -> Jobs:
    """Make the jobs.

    One job refreshes everything: what is published is copied together, so a job that left some
    models out of new rows would publish marts of two different moments. The jobs of agents build
    what ages by the clock alone, and refuse to where rows are not built yet (ADR 0012).

    Args:
        manifest: dbt's, which says how often a model ages (`tags`).
    """
    documentation = dg.AssetSelection.assets(DOCS)
    knowledge = dg.AssetSelection.assets(KNOWLEDGE)

    def tick(name: str, *tags: str, description: str) -> UnresolvedJob:
        return dg.define_asset_job(
            name,
            selection=dg.AssetSelection.assets(*tagged_models(manifest, set(tags)), SNAPSHOT),
            description=f"{description} Reads no file; a whole run does this, too.",
        )

    return Jobs(
        refresh=dg.define_asset_job(
            "refresh",
            selection=dg.AssetSelection.all() - documentation - knowledge,
            description="The whole ledger: collect every source, build and test every model, "
            "publish. Safe at any time: nothing is counted twice, and readers keep the last good "
            "build until a better one is there.",
        ),
        docs=dg.define_asset_job(
            "docs",
            selection=documentation,
            description="Make the dbt docs site anew from what is built.",
        ),
        agent_metrics=tick(
            "agent_metrics",
            "every_5_minutes",
            description="Windows of agents move on: closed ones are added, rolling ones age out.",
        ),
        agent_feedback=tick(
            "agent_feedback",
            *("every_5_minutes", "every_30_minutes"),
            description="Windows of agents move on, and what is thought of the last week.",
        ),
        agent_evolution=tick(
            "agent_evolution",
            "as_of",
            description="All that ages by the clock; declared changes of agents are judged again.",
        ),
        knowledge_export=dg.define_asset_job(
            "knowledge_export",
            selection=knowledge,
            description="Write the validated patterns that are published to exports/knowledge.",
        ),
    )
