"""Named jobs.

Belongs here: which assets run together. Does not belong here: when (`schedules.py`, `sensors.py`).
"""

from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.resources import DOCS, SNAPSHOT

SKILL_GROUPS = ("skills", "core", "ops")
"""Model folders that the refresh of the skill metrics builds, with all they are made from."""

UnresolvedJob = Any
"""`define_asset_job` returns a type that Dagster does not export."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of the code location."""

    refresh: UnresolvedJob
    skill_aggregates_refresh: UnresolvedJob
    docs: UnresolvedJob

    def all(self) -> list[UnresolvedJob]:
        """All of them, for `Definitions`."""
        return [self.refresh, self.skill_aggregates_refresh, self.docs]


def build_jobs() -> Jobs:
    """Make the jobs."""
    snapshot = dg.AssetSelection.assets(SNAPSHOT)
    documentation = dg.AssetSelection.assets(DOCS)
    raw = dg.AssetSelection.groups("raw")
    skills = dg.AssetSelection.groups(*SKILL_GROUPS).upstream()
    return Jobs(
        refresh=dg.define_asset_job(
            "refresh",
            selection=dg.AssetSelection.all() - documentation,
            description="The whole ledger: collect every source, build and test every model, "
            "publish. Safe at any time: nothing is counted twice, and readers keep the last good "
            "build until a better one is there.",
        ),
        skill_aggregates_refresh=dg.define_asset_job(
            "skill_aggregates_refresh",
            # All of raw: one collection writes all of it.
            selection=(raw | skills | snapshot) - documentation,
            description="The skill metrics: collect every source, build and test what they need, "
            "publish. What the hourly schedule starts.",
        ),
        docs=dg.define_asset_job(
            "docs",
            selection=documentation,
            description="Make the dbt docs site anew from what is built.",
        ),
    )
