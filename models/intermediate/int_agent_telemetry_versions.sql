{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='telemetry_key',
    on_schema_change='fail'
) }}
{#- A version that knows why the turn ended wins over one that does not, then the larger figures;
    then content decides. #}
{{ versions_of(
    ref('stg_events__agent_telemetry'),
    'telemetry_key',
    [
        'telemetry_key', 'record_key', 'content_hash', 'project_id', 'source_id', 'event_id',
        'session_id', 'session_key', 'turn_unit', 'record_type', 'model', 'stop_reason_raw',
        'stop_reason_base', 'stop_detail', 'turn_intent', 'chat_mode', 'tool_names', 'file_id',
        'line_no', 'ordinal', 'load_seq', 'rounds', 'stated_tool_call_count', 'named_tool_count',
        'tool_result_count', 'prompt_tokens', 'completion_tokens', 'total_tokens',
        'total_computed', 'duration_ms', 'user_message_length', 'system_prompt_length',
        'history_messages', 'history_length', 'response_length', 'thoughts_length',
        'totals_disagree', 'ts_suspicious', 'occurred_at',
    ],
    "case when versions.stop_reason_base = 'unknown' then 1 else 0 end, "
    ~ "greatest(coalesce(versions.total_computed, -1), coalesce(versions.total_tokens, -1)) desc, "
    ~ "coalesce(versions.duration_ms, -1) desc"
) }}
