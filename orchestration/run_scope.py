"""What a run is: what started it, and how much of the ledger it makes.

Belongs here: what is told from the tags, the job and the selection of a run. Does not belong here:
the run while it lasts (`resources.py`), which jobs there are (`jobs.py`), how runs ended
(`outcome.py`, `history.py`).
"""

from collections.abc import Mapping, Set

import dagster as dg

DOCS = dg.AssetKey(["published", "docs"])
"""The docs site: a run of it alone collects nothing and is not the ledger's last run."""

SNAPSHOT = dg.AssetKey(["published", "snapshot"])
"""What readers open."""

WHOLE_RUN_STEPS = frozenset({"collect", "build", "published__snapshot"})
"""Steps that every whole run has."""

KNOWLEDGE = dg.AssetKey(["exports", "knowledge"])
"""What is made to be shared; a run of it alone only reads what is published."""

TICK_JOBS = frozenset({"agent_metrics", "agent_feedback", "agent_evolution"})
"""Jobs that build nothing but what ages by the clock, from rows that are built already."""

TRIGGER_TAG = "agentledger/trigger"
"""Run tag that says what started a run; without it, Dagster's own tags and then `ui` do."""

FULL_REFRESH_TAG = "agentledger/full_refresh"
"""Run tag `true`: rebuild the incremental models from all of raw."""


def trigger_of(tags: Mapping[str, str]) -> str:
    """Say what started a run: `cli`, `schedule:<name>`, `sensor:<name>` or `ui`."""
    if TRIGGER_TAG in tags:
        return str(tags[TRIGGER_TAG])
    for kind in ("schedule", "sensor"):
        if name := tags.get(f"dagster/{kind}_name"):
            return f"{kind}:{name}"
    return "ui"


def is_docs_only(run: dg.DagsterRun) -> bool:
    """Whether a run makes nothing but what is read from a finished build."""
    return run.job_name in ("docs", "knowledge_export") or (
        bool(run.asset_selection) and run.asset_selection <= {DOCS, KNOWLEDGE}
    )


def is_whole_run(run: dg.DagsterRun, models: Set[dg.AssetKey]) -> bool:
    """Whether a run leaves out nothing from collecting to publishing.

    Args:
        run: Started as the job `refresh`, or from a selection in the UI.
        models: Every model of the project.
    """
    steps = run.step_keys_to_execute
    if steps and not set(steps) >= WHOLE_RUN_STEPS:
        return False
    if run.asset_selection:
        return run.asset_selection >= models | {SNAPSHOT}
    return run.job_name == "refresh"
