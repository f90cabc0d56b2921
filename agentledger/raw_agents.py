"""The raw tables of agents: finished tasks, suggestion feedback, model calls and turns.

Belongs here: their DDL and what a row of each is. Does not belong here: how they are filled
(`ingest/usage_formats.py`, `ingest/telemetry_formats.py`), the other tables (`raw_tables.py`).
"""

AGENT_COLUMNS: dict[str, str] = {
    # One row per finished task of an agent (formats.md 4); `variant` names the writer, whose
    # defaults and units the values have; `patterns` is a JSON object name -> count.
    "usage_events": """
        variant varchar not null,
        event_id varchar, agent_id varchar, ts varchar, started_at varchar, task_type varchar,
        success varchar, cost_cents varchar, cost_usd varchar, latency_ms varchar,
        patterns varchar, provider varchar, model varchar, model_version varchar,
        prompt_tokens varchar, completion_tokens varchar, cache_read_tokens varchar,
        cache_write_tokens varchar, total_tokens varchar,
        session_id varchar, named_project varchar, task_run_id varchar, error_class varchar,
        time_to_first_token_ms varchar, tokens_per_second varchar, cost_tier varchar,
        complexity varchar, had_tools varchar, had_vision varchar, had_reasoning varchar,
        was_auto_selected varchar, schema_version varchar, withheld varchar
    """,
    # What people thought of a suggestion; no task of an agent (formats.md 4.2).
    "suggestion_feedback": """
        event_id varchar, ts varchar, updated_at varchar, codebase_hash varchar, category varchar,
        is_accepted varchar, confidence varchar, suggestion_length bigint, suggestion_hash varchar
    """,
    # A change of an agent that its owner declared (`agent_changes.py`); never the note on it.
    "agent_changes": """
        event_id varchar, agent_id varchar, ts varchar, declared_at varchar, metric varchar,
        note_length bigint, withheld varchar
    """,
    # What somebody thinks of a pattern (`pattern_judgements.py`); never the note on it.
    "pattern_judgements": """
        event_id varchar, pattern varchar, ts varchar, declared_at varchar, quality varchar,
        note_length bigint, withheld varchar
    """,
    # One row per model call or turn (formats.md 3); texts as length and keyed hash, `tool_names`
    # a JSON list in order.
    "agent_telemetry": """
        event_id varchar, ts varchar, record_type varchar, named_project varchar,
        session_id varchar, model varchar, stop_reason varchar, stop_detail varchar,
        rounds varchar, tool_call_count varchar, turn_intent varchar, chat_mode varchar,
        prompt_tokens varchar, completion_tokens varchar, total_tokens varchar,
        duration_ms varchar, tool_names varchar, tool_result_count bigint,
        user_message_length bigint, user_message_hash varchar,
        system_prompt_length bigint, system_prompt_hash varchar,
        history_messages bigint, history_length bigint,
        response_length bigint, response_hash varchar, thoughts_length bigint
    """,
}
"""The fields of each record; `raw_tables.py` puts before them what every event carries."""
