"""Named jobs.

Belongs here: which assets run together. Does not belong here: when (`schedules.py`, `sensors.py`).
"""

from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.resources import DOCS

UnresolvedJob = Any
"""`define_asset_job` returns a type that Dagster does not export."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of the code location."""

    refresh: UnresolvedJob
    docs: UnresolvedJob

    def all(self) -> list[UnresolvedJob]:
        """All of them, for `Definitions`."""
        return [self.refresh, self.docs]


def build_jobs() -> Jobs:
    """Make the jobs.

    One job refreshes everything: what is published is copied together, so a job that left some
    models out would publish marts of two different moments.
    """
    documentation = dg.AssetSelection.assets(DOCS)
    return Jobs(
        refresh=dg.define_asset_job(
            "refresh",
            selection=dg.AssetSelection.all() - documentation,
            description="The whole ledger: collect every source, build and test every model, "
            "publish. Safe at any time: nothing is counted twice, and readers keep the last good "
            "build until a better one is there.",
        ),
        docs=dg.define_asset_job(
            "docs",
            selection=documentation,
            description="Make the dbt docs site anew from what is built.",
        ),
    )
