"""What an orchestrator tells of an utterance: the intent, its execution, the assistant's message.

Belongs here: the allow-lists of these three formats and the raw columns they become. Does not
belong here: the SQL of a kind of field (`event_columns.py`).

Source of the formats: formats.md section 5 of the shared documents.
"""

from agentledger.ingest import event_columns as kept
from agentledger.ingest import event_list_columns as kept_lists
from agentledger.ingest import private_texts
from agentledger.ingest.event_format import EventFormat, texts

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
    "semreg_denied_verbs": kept_lists.names("semreg_denied_verbs"),
    "verb_candidates_pre": kept_lists.candidates("verb_candidates_pre"),
    "verb_candidates_post": kept_lists.candidates("verb_candidates_post"),
    "dsl_hash": kept.short_identifier("dsl_hash"),
    "run_sheet_entry_id": kept.short_identifier("run_sheet_entry_id"),
    "macro_semreg_checked": kept.boolean("macro_semreg_checked"),
    "macro_denied_verbs": kept_lists.names("macro_denied_verbs"),
    "error_code": kept.class_name("error_code"),
    "dominant_entity_hash": kept.hashed("dominant_entity_id"),
    "entity_kind_filtered": kept.boolean("entity_kind_filtered"),
    "pruned_verbs_count": kept.number("pruned_verbs_count"),
    "toctou_recheck_performed": kept.boolean("toctou_recheck_performed"),
    "surface_full_count": kept.number("surface_full_count"),
    "surface_pack_scoped_count": kept.number("surface_pack_scoped_count"),
    "soft_stage_flow": kept_lists.stage_flow("soft_stage_flow"),
    "state_observer": kept_lists.observations("state_observer"),
    "entity_confidence": kept.number("entity_confidence"),
    "missing_args": kept_lists.names("missing_args"),
    **{name: kept.short_name(name) for name in _INTENT_NAMES},
}

INTENT_EVENTS = EventFormat(
    name="intent_events",
    told_by=(
        frozenset({"utterance_hash", "outcome"}),
        frozenset({"event_id", "outcome", "entrypoint"}),
    ),
    fields=texts(
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
    texts=private_texts.INTENT,
    vault_fields=frozenset({"utterance"}),
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
    fields=texts(*_EXECUTION_COLUMNS),
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
    fields=texts(
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
    texts=private_texts.CHAT,
    vault_fields=frozenset({"assistant_message"}),
)  # fmt: skip
