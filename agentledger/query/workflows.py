"""Questions about workflows: which skills help, which order to take, which steps to keep.

Belongs here: the questions, their arguments and what they refuse, and applying the decisions of
the marts to a list of steps. Does not belong here: the SQL (`workflow_marts.py`), any decision
about a skill: `workflow_step_decisions` holds it, with its rule and its evidence.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentledger.errors import UsageError
from agentledger.query import workflow_marts
from agentledger.query.answers import Answer
from agentledger.query.overview import provenance
from agentledger.query.scope import Scope, find_scope
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import Snapshot, open_snapshot

EXCLUDE: Final = "exclude"
"""The one decision of `workflow_step_decisions` that changes a sequence."""

NO_DATA: Final = {
    "decision": "keep_default",
    "evidence": "no_data",
    "reason": "no_data",
    "recommendation": "Keep the step: nothing is known of this skill.",
}
"""What stands in place of a decision about a skill that no record names."""

_EVIDENCE: Final = (
    "success_rate", "success_rate_low", "success_rate_high", "successful_completions",
    "known_outcomes", "unknown_outcomes", "include_step_rate", "workflow_runs",
    "workflow_runs_completed", "workflow_runs_failed",
)  # fmt: skip
"""Columns of `workflow_step_decisions` that a step's evidence consists of."""


@recorded("workflows correlation")
def workflow_correlation(
    workflow: str | None = None,
    skill: str | None = None,
    project: str | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Which skills go together with runs that succeed; an association, never a cause.

    Args:
        workflow: One workflow; all by default.
        skill: One skill; all by default.
        project: Name, id or path; all projects by default.
        settings: Names the data home; read from the environment by default.

    Raises:
        UnknownNameError: When the workflow, the skill or the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = find_scope(snapshot, settings, project)
        workflow_marts.check_names(snapshot, scope, workflow, skill)
        return workflow_marts.read_correlation(snapshot, scope, workflow, skill)


@recorded("workflows recommend")
def workflow_recommendation(
    workflow: str | None = None,
    project: str | None = None,
    *,
    settings: Settings | None = None,
) -> Answer:
    """Orders of skills that workflows took, the recommended one (`is_recommended`) first.

    Sequences with too few runs have no rank and come last.

    Raises:
        UnknownNameError: When the workflow or the project is unknown.
        NothingPublishedError: When no run has published yet.
    """
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = find_scope(snapshot, settings, project)
        workflow_marts.check_names(snapshot, scope, workflow)
        return workflow_marts.read_sequences(snapshot, scope, workflow)


@recorded("workflows optimize")
def optimize_workflow(
    steps: Sequence[str],
    project: str | None = None,
    workflow: str | None = None,
    *,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Turn a fixed sequence of skills into the one that the outcomes speak for.

    A step leaves only where its skill surely fails too often; it is never dropped for lack of
    data, and a skill that no record names stays with the reason `no_data`. The order stays.

    Args:
        steps: Names of skills, in the order of the workflow; repeats are allowed.
        project: Name, id or path; the outcomes of all projects by default.
        workflow: Name of the workflow, to show beside it the order that its runs recommend.
        settings: Names the data home; read from the environment by default.

    Returns:
        JSON-ready: `steps_in`, `steps_out`, `is_changed`; `changes`, one item per step that left,
        with position (from 1), skill, action, reason, evidence and the figures behind it;
        `steps`, the same for every step; `recommended`, the best proven sequence of the workflow
        or None, and `recommendation_status`: 'not_asked', 'no_data', 'insufficient_data',
        'provisional' or 'confirmed'; and where the answer comes from.

    Raises:
        UsageError: When there are no steps, or one is no name.
        UnknownNameError: When the project is unknown, or the workflow while others are known.
        NothingPublishedError: When no run has published yet.
    """
    names = _checked_steps(steps)
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        scope = find_scope(snapshot, settings, project)
        workflow_marts.check_names(snapshot, scope, workflow)
        decisions = workflow_marts.read_decisions(snapshot, scope, names).records()
        status, recommended = _recommended(snapshot, scope, workflow)
        judged = judge_steps(names, decisions)
        kept = [step["skill_name"] for step in judged if step["is_kept"]]
        return {
            **provenance(snapshot, scope),
            "workflow_name": workflow,
            "steps_in": names,
            "steps_out": kept,
            "is_changed": kept != names,
            "changes": [_change(step) for step in judged if not step["is_kept"]],
            "steps": judged,
            "recommendation_status": status,
            "recommended": recommended,
        }


def judge_steps(
    steps: Sequence[str], decisions: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Put beside each step what the mart decided of its skill.

    Args:
        steps: Names of skills, in order.
        decisions: Rows of `workflow_step_decisions` of one scope.
    """
    known = {row["skill_name"]: row for row in decisions}
    judged = []
    for position, name in enumerate(steps, start=1):
        row = known.get(name, NO_DATA)
        judged.append(
            {
                "position": position,
                "skill_name": name,
                "is_kept": row["decision"] != EXCLUDE,
                **{key: row[key] for key in NO_DATA},
                **{key: row.get(key) for key in _EVIDENCE},
            }
        )
    return judged


def _change(step: Mapping[str, Any]) -> dict[str, Any]:
    return {"action": "removed", **{key: step[key] for key in step if key != "is_kept"}}


def _recommended(
    snapshot: Snapshot, scope: Scope, workflow: str | None
) -> tuple[str, dict[str, Any] | None]:
    """The recommended sequence of a workflow, and how sure it is."""
    if workflow is None:
        return "not_asked", None
    rows = workflow_marts.read_sequences(snapshot, scope, workflow).records()
    first = next((row for row in rows if row["is_recommended"]), None)
    if first is None:
        return ("insufficient_data" if rows else "no_data"), None
    return str(first["evidence"]), first


def _checked_steps(steps: Sequence[str]) -> list[str]:
    if isinstance(steps, str):
        raise UsageError(f"Give the steps as a list of skill names, such as [{steps!r}].")
    names = list(steps)
    if not names:
        raise UsageError("There are no steps. Give the names of the skills, in their order.")
    for position, name in enumerate(names, start=1):
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"Step {position} is {name!r}, expected the name of a skill.")
    return names
