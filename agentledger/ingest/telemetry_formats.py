"""Model calls and turns as one table or log of `agent_telemetry` tells them.

Belongs here: the allow-list of its rows. Prompts, histories, answers, thoughts and what tools were
given or gave are private: of each its length and keyed hash stay, and the vault keeps the text of
sources whose owner wants that. Does not belong here: which call belongs to which turn (the models),
finished tasks (`usage_formats.py`).

Source of the format: formats.md section 3 of the shared documents.
"""

from collections.abc import Mapping

from agentledger.ingest import event_columns as kept
from agentledger.ingest import event_list_columns as kept_lists
from agentledger.ingest.event_format import EventFormat, texts

_REASON = "split_part(trim(x.stop_reason), ':', 1)"
_DETAIL = (
    "nullif(substr(trim(x.stop_reason), length(split_part(trim(x.stop_reason), ':', 1)) + 2), '')"
)

_COLUMNS = {
    "event_id": kept.identifier("id"),
    "ts": kept.time("created_at"),
    "record_type": kept.class_name("record_type"),
    "named_project": kept.identifier("project_id"),
    "session_id": kept.identifier("session_id"),
    "model": kept.name("model_used"),
    "stop_reason": kept.class_name_of(_REASON),
    "stop_detail": kept.class_name_of(_DETAIL),
    "rounds": kept.number("rounds"),
    "tool_call_count": kept.number("tool_call_count"),
    "turn_intent": kept.class_name("turn_intent"),
    "chat_mode": kept.class_name("chat_mode"),
    "prompt_tokens": kept.number("prompt_tokens"),
    "completion_tokens": kept.number("completion_tokens"),
    "total_tokens": kept.number("total_tokens"),
    "duration_ms": kept.number("duration_ms"),
    "tool_names": kept_lists.member_names("tool_calls"),
    "tool_result_count": kept_lists.list_length("tool_results"),
    "user_message_length": kept.length("user_message"),
    "user_message_hash": kept.hashed_text("user_message"),
    "system_prompt_length": kept.length("system_prompt"),
    "system_prompt_hash": kept.hashed_text("system_prompt"),
    "history_messages": kept_lists.list_length("chat_history"),
    "history_length": kept.length("chat_history"),
    "response_length": kept.length("response_text"),
    "response_hash": kept.hashed_text("response_text"),
    "thoughts_length": kept.length("response_thoughts"),
}

_TEXTS = {
    "system_prompt": kept.text("system_prompt"),
    "chat_history": kept_lists.members("chat_history"),
    "user_message": kept.text("user_message"),
    "response_thoughts": kept.text("response_thoughts"),
    "response_text": kept.text("response_text"),
    "tool_calls": kept_lists.members("tool_calls"),
    "tool_results": kept_lists.members("tool_results"),
}

AGENT_TELEMETRY = EventFormat(
    name="agent_telemetry",
    told_by=(
        frozenset({"model_used", "duration_ms", "record_type"}),
        frozenset({"model_used", "duration_ms", "chat_history"}),
    ),
    fields=texts(
        "id", "created_at", "record_type", "project_id", "session_id", "user_message",
        "model_used", "system_prompt", "response_text", "response_thoughts", "stop_reason",
        "rounds", "tool_call_count", "turn_intent", "chat_mode", "prompt_tokens",
        "completion_tokens", "total_tokens", "duration_ms",
    )
    | dict.fromkeys(("chat_history", "tool_calls", "tool_results"), "JSON"),
    columns=_COLUMNS,
    identity="event_id",
    must_have="event_id is not null and ts is not null and model is not null",
    project_field="project_id",
    wrappers=frozenset({"agent_telemetry"}),
    texts=_TEXTS,
    json_texts=frozenset({"chat_history", "tool_calls", "tool_results"}),
)  # fmt: skip

TELEMETRY_FORMATS: Mapping[str, EventFormat] = {AGENT_TELEMETRY.name: AGENT_TELEMETRY}
