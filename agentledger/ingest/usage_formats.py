"""Finished tasks of agents, as logs and tables tell them, and what people say of agents.

Belongs here: the allow-lists of our own contract, of `execution_metrics` and `ai_usage_events`,
which land beside it in `raw.usage_events`, of suggestion feedback, which has no agent, cost or
latency and so a table of its own, and of what their owner declares: changes of agents, judgements
of patterns. Does not belong here: what a default of 0 means (the staging
models), model calls and turns (`telemetry_formats.py`).

Source of the formats: formats.md section 4 of the shared documents.
"""

from collections.abc import Mapping

from agentledger.ingest import event_columns as kept
from agentledger.ingest import event_list_columns as kept_lists
from agentledger.ingest.event_format import EventFormat, texts

CONTRACT, EXECUTION_METRICS, AI_USAGE_EVENTS = "contract", "execution_metrics", "ai_usage_events"
"""Values of `variant`: whose defaults and units a row has."""


def _tokens(*names: str) -> dict[str, str]:
    return {name: kept.figure(name) for name in names}


USAGE_COLUMNS = {
    "event_id": kept.identifier("event_id"),
    "agent_id": kept.title("agent_id"),
    "ts": kept.time("occurred_at"),
    "task_type": kept.class_name("task_type"),
    "success": kept.boolean("success"),
    "cost_cents": kept.figure("cost_cents"),
    "latency_ms": kept.figure("latency_ms"),
    "patterns": kept_lists.name_counts("patterns"),
    "provider": kept.name("provider"),
    "model": kept.name("model"),
    **_tokens(
        "prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens",
        "total_tokens",
    ),
    "session_id": kept.identifier("session_id"),
    "named_project": kept.identifier("project_id"),
    "task_run_id": kept.identifier("run_id"),
    "error_class": kept.class_name("error_type"),
    "schema_version": kept.number("schema_version"),
}  # fmt: skip

_TASK_SELECT = "*, '{variant}' as variant"

USAGE_EVENTS = EventFormat(
    name="usage_events",
    told_by=(frozenset({"agent_id", "occurred_at"}),),
    fields=texts(
        "event_id", "agent_id", "occurred_at", "task_type", "success", "cost_cents", "latency_ms",
        "provider", "model", "prompt_tokens", "completion_tokens", "cache_read_tokens",
        "cache_write_tokens", "total_tokens", "session_id", "project_id", "run_id", "error_type",
        "schema_version",
    )
    | {"patterns": "JSON"},
    columns=USAGE_COLUMNS,
    free_fields=("agent_id", "task_type", "model"),
    identity="event_id",
    must_have="event_id is not null and agent_id is not null and ts is not null",
    project_field="project_id",
    wrappers=frozenset({"usage_events"}),
    known_names=frozenset({"hash_scheme"}),
    row_select=_TASK_SELECT.format(variant=CONTRACT),
)  # fmt: skip

_EXECUTION_COLUMNS = {
    "event_id": kept.identifier("id"),
    "ts": kept.time("inserted_at"),
    "task_type": kept.class_name("task_type"),
    "success": kept.boolean("success"),
    "cost_cents": kept.figure("cost_cents"),
    "latency_ms": kept.figure("latency_ms"),
    "provider": kept.name("provider"),
    "model": kept.name("model"),
    **_tokens("prompt_tokens", "completion_tokens"),
    "total_tokens": kept.figure("tokens_used"),
    "task_run_id": kept.identifier("run_id"),
}

EXECUTION_METRICS_ROWS = EventFormat(
    name="execution_metrics",
    told_by=(frozenset({"tokens_used", "latency_ms", "success"}),),
    fields=texts(
        "id", "run_id", "task_type", "model", "provider", "cost_cents", "tokens_used",
        "prompt_tokens", "completion_tokens", "latency_ms", "success", "inserted_at",
    ),
    columns=_EXECUTION_COLUMNS,
    identity="event_id",
    must_have="event_id is not null and ts is not null",
    known_names=frozenset({"updated_at"}),
    wrappers=frozenset({"execution_metrics"}),
    other_table="usage_events",
    row_select=_TASK_SELECT.format(variant=EXECUTION_METRICS),
)  # fmt: skip

_AI_USAGE_COLUMNS = {
    "event_id": kept.identifier("request_id"),
    "ts": f"coalesce({kept.time('completed_at')}, {kept.time('created_at')})",
    "started_at": kept.time("started_at"),
    "task_type": kept.class_name("task_type"),
    "success": kept.boolean("success"),
    "cost_usd": kept.figure("estimated_cost"),
    "latency_ms": kept.figure("duration_ms"),
    "provider": kept.name("provider"),
    "model": kept.name("model_id"),
    "model_version": kept.name("model_version"),
    **_tokens("prompt_tokens", "completion_tokens", "total_tokens"),
    "session_id": kept.identifier("session_id"),
    "error_class": kept.class_name("error_type"),
    "time_to_first_token_ms": kept.number("time_to_first_token"),
    "tokens_per_second": kept.number("tokens_per_second"),
    "cost_tier": kept.name("cost_tier"),
    "complexity": kept.name("complexity"),
    "had_tools": kept.boolean("had_tools"),
    "had_vision": kept.boolean("had_vision"),
    "had_reasoning": kept.boolean("had_reasoning"),
    "was_auto_selected": kept.boolean("was_auto_selected"),
}

AI_USAGE_ROWS = EventFormat(
    name="ai_usage_events",
    told_by=(
        frozenset({"request_id", "model_id", "task_type"}),
        frozenset({"request_id", "estimated_cost"}),
    ),
    fields=texts(
        "request_id", "completed_at", "created_at", "started_at", "task_type", "success",
        "estimated_cost", "duration_ms", "provider", "model_id", "model_version", "prompt_tokens",
        "completion_tokens", "total_tokens", "session_id", "error_type", "time_to_first_token",
        "tokens_per_second", "cost_tier", "complexity", "had_tools", "had_vision", "had_reasoning",
        "was_auto_selected",
    ),
    columns=_AI_USAGE_COLUMNS,
    identity="event_id",
    must_have="event_id is not null and ts is not null",
    known_names=frozenset(
        {"id", "user_id", "error_message", "selection_reason", "alternative_models", "inserted_at",
         "updated_at"}
    ),
    wrappers=frozenset({"ai_usage_events"}),
    other_table="usage_events",
    row_select=_TASK_SELECT.format(variant=AI_USAGE_EVENTS),
)  # fmt: skip

SUGGESTION_FEEDBACK = EventFormat(
    name="suggestion_feedback",
    told_by=(frozenset({"codebase_id", "suggestion", "accepted"}),),
    fields=texts(
        "id", "codebase_id", "category", "suggestion", "accepted", "confidence", "inserted_at",
        "updated_at",
    ),
    columns={
        "event_id": kept.identifier("id"),
        "ts": kept.time("inserted_at"),
        "updated_at": kept.time("updated_at"),
        "codebase_hash": kept.hashed("codebase_id"),
        "category": kept.class_name("category"),
        "is_accepted": kept.boolean("accepted"),
        "confidence": kept.number("confidence"),
        "suggestion_length": kept.length("suggestion"),
        "suggestion_hash": kept.hashed_text("suggestion"),
    },
    identity="event_id",
    must_have="event_id is not null and ts is not null",
    known_names=frozenset({"context"}),
    wrappers=frozenset({"suggestion_feedback"}),
)  # fmt: skip


def _declaration(
    name: str, told_by: str, own: Mapping[str, str], event_id: str, of: str, at: str
) -> EventFormat:
    """A format in which an owner declares something.

    Args:
        name: Of the format.
        told_by: Names that all present mean this format, with a blank between.
        own: Columns that no other declaration has.
        event_id: Member that identifies the declaration.
        of: Member and column that names what is declared something of.
        at: Member that tells since when it holds.
    """
    return EventFormat(
        name=name,
        told_by=(frozenset(told_by.split()),),
        fields=texts(event_id, at, "declared_at", "note", *own),
        columns={
            "event_id": kept.identifier(event_id),
            "ts": kept.time(at),
            "declared_at": kept.time("declared_at"),
            "note_length": kept.length("note"),
            **own,
        },
        free_fields=(of,),
        identity="event_id",
        must_have=f"event_id is not null and {of} is not null and ts is not null",
    )


AGENT_CHANGES = _declaration(
    "agent_changes",
    told_by="change_id agent_id changed_at",
    own={"agent_id": kept.title("agent_id"), "metric": kept.class_name("metric")},
    event_id="change_id",
    of="agent_id",
    at="changed_at",
)

PATTERN_JUDGEMENTS = _declaration(
    "pattern_judgements",
    told_by="judgement_id pattern quality",
    own={"pattern": kept.name("pattern"), "quality": kept.figure("quality")},
    event_id="judgement_id",
    of="pattern",
    at="judged_at",
)

USAGE_FORMATS: Mapping[str, EventFormat] = {
    item.name: item
    for item in (
        USAGE_EVENTS,
        EXECUTION_METRICS_ROWS,
        AI_USAGE_ROWS,
        SUGGESTION_FEEDBACK,
        AGENT_CHANGES,
        PATTERN_JUDGEMENTS,
    )
}
