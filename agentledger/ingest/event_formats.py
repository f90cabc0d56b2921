"""The formats of event logs: how each is told by its shape, and what may be read of it.

Belongs here: per format the fields of the allow-list, the raw column that each becomes, and the
identity. Does not belong here: the SQL of a kind of field (`event_columns.py`), reading files
(`event_stage.py`).

Source of the formats: formats.md sections 2, 4 and 5 of the shared documents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentledger import privacy
from agentledger.ingest import event_columns as kept


@dataclass(frozen=True, slots=True)
class EventFormat:
    """One shape of events."""

    name: str
    """Also the raw table, unless `table` names another."""
    told_by: tuple[frozenset[str], ...]
    """Sets of names, any of which all present means this format."""
    fields: Mapping[str, Any]
    """Allow-list: field → DuckDB type it is parsed as, or the fields of an object or list."""
    columns: Mapping[str, str]
    """Raw column → SQL over the parsed record `x`, a relation with a column per field."""
    identity: str
    """Raw column that identifies the event; when it is missing, the content does."""
    must_have: str
    """SQL over the raw columns: without it the line is looked at by the tolerant path."""
    short_fields: tuple[str, ...] = ()
    """Fields that usually hold names or ids, looked at together as `x.are_short`."""
    free_fields: tuple[str, ...] = ()
    """Fields, also columns, of which what is no name is withheld; the column `withheld` tells."""
    project_field: str | None = None
    """Field that names the project where a source speaks of projects of its own."""
    wrappers: frozenset[str] = field(default_factory=frozenset)
    """Root members of a document that may hold the list of events."""
    not_told_by: frozenset[str] = field(default_factory=frozenset)
    """Names that mean another format."""
    known_names: frozenset[str] = field(default_factory=frozenset)
    """Further names that are known and left alone."""
    takes_any_object: bool = False
    """Whether, once a file is of this format, every object in it is a record."""
    glimpses: Mapping[str, str] = field(default_factory=dict)
    """SQL over `x` and the line `x.record`: what `columns` and `parts` read and nobody keeps."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Further raw table → SQL of a list of structs over `x`, one row of that table each."""
    unknown_inside: str | None = None
    """SQL of a list of the unknown names inside the members, or NULL."""
    other_table: str | None = None
    """Raw table of records that other sources bring, too."""
    row_select: str = "*"
    """SQL select list from a staged row to the raw row."""

    @property
    def table(self) -> str:
        """Raw table of the rows."""
        return self.other_table or self.name


def _texts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "VARCHAR")


_INTENT_NAMES = (
    "entrypoint", "subject_ref_type", "semreg_mode", "chosen_verb_fqn", "selection_source",
    "forced_verb_fqn", "outcome", "prompt_version", "dominant_entity_kind",
    "allowed_verbs_fingerprint", "toctou_result", "toctou_new_fingerprint",
)  # fmt: skip

_INTENT_COLUMNS = {
    "event_id": kept.short_identifier("event_id"),
    "ts": kept.time("ts"),
    "session_id": kept.short_identifier("session_id"),
    "actor_hash": kept.hashed("actor_id"),
    "utterance_hash": kept.rekeyed("utterance_hash"),
    "preview_length": kept.length("utterance_preview"),
    # Only our own recorder masks its previews, where its owner switched them on.
    "utterance_preview": "case when x.hash_scheme = 'hmac-sha256' "
    "then left(x.utterance_preview, 80) end",
    "scope_length": kept.length("scope", "scope_length"),
    "scope_hash": f"coalesce({kept.hashed_text('scope')}, {kept.identifier('scope_hash')})",
    "subject_ref_hash": kept.hashed("subject_ref_id"),
    "semreg_denied_verbs": kept.names("semreg_denied_verbs"),
    "verb_candidates_pre": kept.candidates("verb_candidates_pre"),
    "verb_candidates_post": kept.candidates("verb_candidates_post"),
    "dsl_hash": kept.short_identifier("dsl_hash"),
    "run_sheet_entry_id": kept.short_identifier("run_sheet_entry_id"),
    "macro_semreg_checked": kept.boolean("macro_semreg_checked"),
    "macro_denied_verbs": kept.names("macro_denied_verbs"),
    "error_code": kept.class_name("error_code"),
    "dominant_entity_hash": kept.hashed("dominant_entity_id"),
    "entity_kind_filtered": kept.boolean("entity_kind_filtered"),
    "pruned_verbs_count": kept.number("pruned_verbs_count"),
    "toctou_recheck_performed": kept.boolean("toctou_recheck_performed"),
    "surface_full_count": kept.number("surface_full_count"),
    "surface_pack_scoped_count": kept.number("surface_pack_scoped_count"),
    "soft_stage_flow": kept.stage_flow("soft_stage_flow"),
    "state_observer": kept.observations("state_observer"),
    "entity_confidence": kept.number("entity_confidence"),
    "missing_args": kept.names("missing_args"),
    **{name: kept.short_name(name) for name in _INTENT_NAMES},
}

INTENT_EVENTS = EventFormat(
    name="intent_events",
    told_by=(
        frozenset({"utterance_hash", "outcome"}),
        frozenset({"event_id", "outcome", "entrypoint"}),
    ),
    fields=_texts(
        "event_id", "ts", "session_id", "actor_id", "utterance_hash", "utterance_preview", "scope",
        "scope_length", "scope_hash", "subject_ref_id", "dsl_hash", "run_sheet_entry_id",
        "macro_semreg_checked", "error_code", "dominant_entity_id", "entity_kind_filtered",
        "pruned_verbs_count", "toctou_recheck_performed", "surface_full_count",
        "surface_pack_scoped_count", "entity_confidence", "hash_scheme", *_INTENT_NAMES,
    )
    | dict.fromkeys(
        ("semreg_denied_verbs", "verb_candidates_pre", "verb_candidates_post",
         "macro_denied_verbs", "soft_stage_flow", "state_observer", "missing_args"),
        "JSON",
    ),
    columns=_INTENT_COLUMNS,
    short_fields=("event_id", "session_id", "dsl_hash", "run_sheet_entry_id", *_INTENT_NAMES),
    free_fields=(*_INTENT_NAMES, "error_code"),
    identity="event_id",
    must_have="event_id is not null and outcome is not null and ts is not null",
    wrappers=frozenset({"intent_events"}),
)  # fmt: skip

_EXECUTION_COLUMNS = {
    "event_id": kept.identifier("event_id"),
    "ts": kept.time("ts"),
    "intent_event_id": kept.identifier("intent_event_id"),
    "run_sheet_entry_id": kept.identifier("run_sheet_entry_id"),
    "dsl_hash": kept.identifier("dsl_hash"),
    "success": kept.boolean("success"),
    "error_class": kept.class_name("error_class"),
}

INTENT_EXECUTIONS = EventFormat(
    name="intent_executions",
    told_by=(
        frozenset({"intent_event_id", "success"}),
        frozenset({"run_sheet_entry_id", "success"}),
        frozenset({"dsl_hash", "success"}),
    ),
    fields=_texts(*_EXECUTION_COLUMNS),
    columns=_EXECUTION_COLUMNS,
    free_fields=("error_class",),
    identity="event_id",
    must_have="event_id is not null and ts is not null",
    wrappers=frozenset({"intent_executions"}),
    not_told_by=frozenset({"agent_id", "skill_name", "outcome"}),
)

CHAT_EVENTS = EventFormat(
    name="chat_events",
    told_by=(frozenset({"assistant_message_hash"}),),
    fields=_texts(
        "event_id", "ts", "session_id", "turn_id", "assistant_message_hash",
        "assistant_message_preview", "intent_event_id", "hash_scheme",
    ),
    columns={
        "event_id": kept.identifier("event_id"),
        "ts": kept.time("ts"),
        "session_id": kept.identifier("session_id"),
        "turn_id": kept.identifier("turn_id"),
        "assistant_message_hash": kept.rekeyed("assistant_message_hash"),
        "preview_length": kept.length("assistant_message_preview"),
        "intent_event_id": kept.identifier("intent_event_id"),
    },
    identity="event_id",
    must_have="event_id is not null and assistant_message_hash is not null and ts is not null",
    wrappers=frozenset({"chat_events"}),
)  # fmt: skip

_WORKFLOW_COLUMNS = {
    "workflow_id": kept.identifier("workflow_id"),
    "workflow_name": kept.title("workflow_name"),
    "named_project": kept.identifier("project_id"),
    "started_at": kept.time("started_at"),
    "completed_at": kept.time("completed_at"),
    "status": kept.class_name("status"),
    "skills_used": kept.titles("skills_used"),
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
    fields=_texts(
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
    fields=_texts(
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
    "alternatives": kept.titles("alternatives_considered"),
    "selection_rank": kept.number("selection_rank"),
    "workflow_path": kept.class_name("workflow_path"),
    "error_class": kept.class_name("error_type"),
    "error_length": kept.length("error_type"),
}

SKILL_INVOCATIONS = EventFormat(
    name="skill_invocations",
    told_by=(frozenset({"event_id", "skill_name", "invoked_at"}),),
    fields=_texts(
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

FORMATS: Mapping[str, EventFormat] = {
    format_.name: format_
    for format_ in (
        INTENT_EVENTS, INTENT_EXECUTIONS, CHAT_EVENTS, WORKFLOW_EXECUTIONS, LEDGER_READS,
        SKILL_INVOCATIONS,
    )
}  # fmt: skip

WRAPPERS = frozenset(name for item in FORMATS.values() for name in item.wrappers)


def recognise(
    names: Iterable[str], formats: Mapping[str, EventFormat] = FORMATS
) -> EventFormat | None:
    """Tell the format of a record by the names of its members; None when it is none of these."""
    present = frozenset(names)
    for candidate in formats.values():
        if present & candidate.not_told_by:
            continue
        if any(told <= present for told in candidate.told_by):
            return candidate
    return None
