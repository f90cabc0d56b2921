"""The SQL that reads the marts of workflows; each function one mart, one scope.

Belongs here: which rows of a mart, and in which order. Does not belong here: any metric, and what a
decision means for a given list of steps (`workflows.py`).
"""

from collections.abc import Sequence

from agentledger import reads
from agentledger.query.answers import Answer, read_answer
from agentledger.query.scope import Scope, UnknownNameError, unknown_name
from agentledger.query.skill_marts import is_bindable
from agentledger.snapshot import Snapshot


def read_correlation(
    snapshot: Snapshot, scope: Scope, workflow: str | None, skill: str | None
) -> Answer:
    """Associations of skills with success, per workflow; what is proven first."""
    return read_answer(
        snapshot,
        """
        select *
        from marts.workflow_skill_correlation
        where project_id = ?
            and (? is null or workflow_name = ?)
            and (? is null or skill_name = ?)
        order by
            workflow_name,
            case evidence when 'confirmed' then 1 when 'provisional' then 2 else 3 end,
            abs(phi) desc nulls last,
            usage_count desc,
            skill_name
        """,
        [scope.project_id, workflow, workflow, skill, skill],
    )


def read_sequences(snapshot: Snapshot, scope: Scope, workflow: str | None) -> Answer:
    """Sequences of one workflow or of all, the recommended one first, unranked ones last."""
    return read_answer(
        snapshot,
        """
        select *
        from marts.workflow_sequences
        where project_id = ? and (? is null or workflow_name = ?)
        order by workflow_name, sequence_rank nulls last, runs desc, sequence
        """,
        [scope.project_id, workflow, workflow],
    )


def read_decisions(snapshot: Snapshot, scope: Scope, skills: Sequence[str]) -> Answer:
    """What the step rule says of some skills; no row for a skill that nothing is known of."""
    names = [name for name in dict.fromkeys(skills) if is_bindable(name)]
    return read_answer(
        snapshot,
        """
        select *
        from marts.workflow_step_decisions
        where project_id = ? and list_contains(cast(? as varchar[]), skill_name)
        order by skill_name
        """,
        [scope.project_id, names],
    )


def check_names(
    snapshot: Snapshot, scope: Scope, workflow: str | None, skill: str | None = None
) -> None:
    """Refuse a workflow that this scope never ran, and a skill that none of its runs used.

    Where no run of any workflow is known there is nothing to be mistaken about: that is an empty
    answer and no error.

    Raises:
        UnknownNameError: With the names near to it.
    """
    workflows = _known_names(snapshot, scope, "workflow_name")
    for kind, name, known, command in (
        ("workflow", workflow, workflows, "agentledger workflows recommend"),
        (
            "skill in a workflow",
            skill,
            _known_names(snapshot, scope, "skill_name"),
            "agentledger workflows correlation",
        ),
    ):
        if name is not None and name not in known and (workflows or not is_bindable(name)):
            raise UnknownNameError(unknown_name(kind, name, known, command))
    if workflow in workflows:
        reads.note_subject("workflow", workflow)


def _known_names(snapshot: Snapshot, scope: Scope, column: str) -> list[str]:
    """Values of one of our own columns in the marts of workflows."""
    sequences = "union select workflow_name from marts.workflow_sequences where project_id = ?"
    is_workflow = column == "workflow_name"
    answer = read_answer(
        snapshot,
        f"""
        select distinct {column} from marts.workflow_skill_correlation where project_id = ?
        {sequences if is_workflow else ""}
        order by 1
        """,
        [scope.project_id] * (2 if is_workflow else 1),
    )
    return [str(row[0]) for row in answer.rows]
