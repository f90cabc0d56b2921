"""Runs of workflows, uses of skills and reads of this ledger, as logs of events tell them.

Belongs here: the allow-lists of these formats and the raw columns they become. Does not belong
here: the SQL of a kind of field (`event_columns.py`), the documents of skill trackers
(`skill_metrics_projection.py`).

Source of the formats: formats.md sections 1 and 2 of the shared documents.
"""

from agentledger import privacy
from agentledger.ingest import event_columns as kept
from agentledger.ingest import event_list_columns as kept_lists
from agentledger.ingest.event_format import EventFormat, texts

_WORKFLOW_COLUMNS = {
    "workflow_id": kept.identifier("workflow_id"),
    "workflow_name": kept.title("workflow_name"),
    "named_project": kept.identifier("project_id"),
    "started_at": kept.time("started_at"),
    "completed_at": kept.time("completed_at"),
    "status": kept.class_name("status"),
    "skills_used": kept_lists.titles("skills_used"),
    "total_duration_ms": kept.number("total_duration_ms"),
    "error_length": "length(coalesce(x.metadata ->> 'error', x.metadata ->> 'error_message'))",
    "error_hash": "case when coalesce(x.metadata ->> 'error', x.metadata ->> 'error_message') "
    "is not null then "
    + privacy.sql_keyed_hash(
        privacy.sql_normalised("coalesce(x.metadata ->> 'error', x.metadata ->> 'error_message')")
    )
    + " end",
}

WORKFLOW_EXECUTIONS = EventFormat(
    name="workflow_executions",
    told_by=(frozenset({"workflow_id", "workflow_name"}),),
    fields=texts(
        "workflow_id", "workflow_name", "project_id", "started_at", "completed_at", "status",
        "total_duration_ms",
    )
    | {"skills_used": "JSON", "metadata": "JSON"},
    columns=_WORKFLOW_COLUMNS,
    free_fields=("workflow_name", "status"),
    identity="workflow_id",
    must_have="workflow_id is not null and workflow_name is not null and started_at is not null",
    project_field="project_id",
    wrappers=frozenset({"workflow_executions"}),
)  # fmt: skip

LEDGER_READS = EventFormat(
    name="ledger_reads",
    told_by=(frozenset({"surface", "question"}),),
    fields=texts(
        "event_id", "ts", "surface", "question", "subject_kind", "subject_name", "duration_ms",
        "succeeded",
    ),
    columns={
        "event_id": kept.identifier("event_id"),
        "ts": kept.time("ts"),
        "surface": kept.class_name("surface"),
        # Two words at most, such as `skills top`: our own names, no caller's text.
        "question": "case when regexp_full_match(trim(x.question), '[A-Za-z_.-]{1,40}"
        "( [A-Za-z_.-]{1,40}){0,2}') then trim(x.question) else 'other' end",
        "subject_kind": kept.class_name("subject_kind"),
        "subject_name": kept.title("subject_name"),
        "duration_ms": kept.number("duration_ms"),
        "succeeded": kept.boolean("succeeded"),
    },
    identity="event_id",
    must_have="event_id is not null and ts is not null",
)  # fmt: skip

_SKILL_COLUMNS = {
    "event_id": kept.identifier("event_id"),
    "named_project": kept.identifier("project_id"),
    "skill_name": kept.title("skill_name"),
    "invoked_at": kept.time("invoked_at"),
    "session_id": kept.identifier("session_id"),
    "completed": kept.boolean("completed"),
    "duration_seconds": kept.number("duration_seconds"),
    "alternatives": kept_lists.titles("alternatives_considered"),
    "selection_rank": kept.number("selection_rank"),
    "workflow_path": kept.class_name("workflow_path"),
    "error_class": kept.class_name("error_type"),
    "error_length": kept.length("error_type"),
}

SKILL_INVOCATIONS = EventFormat(
    name="skill_invocations",
    told_by=(frozenset({"event_id", "skill_name", "invoked_at"}),),
    fields=texts(
        "event_id", "project_id", "skill_name", "invoked_at", "session_id", "completed",
        "duration_seconds", "selection_rank", "workflow_path", "error_type",
    )
    | {"alternatives_considered": "JSON"},
    columns=_SKILL_COLUMNS,
    identity="event_id",
    must_have="event_id is not null and skill_name is not null and invoked_at is not null",
    project_field="project_id",
    wrappers=frozenset({"skill_invocations"}),
    other_table="skill_usage",
    # An id tells true repeats apart, so that none of them is numbered.
    row_select="* exclude (line_no, byte_offset, ordinal, event_id, flags), "
    "line_no - 1 as ordinal, cast(to_json(string_split(flags, ',')) as varchar) as flags, "
    "0 as repeat_ordinal, 'EV' as variant",
)  # fmt: skip
