{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_trajectories() }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- The records of sessions in their order, for whoever follows one of them: kinds, times, tokens,
    tools and lengths; no text. -#}
-- depends_on: {{ ref('int_agent_telemetry_versions') }}
{%- set since = trusted_load_seq() %}
select
    ---------- ids
    records.telemetry_key,
    records.turn_key,
    records.project_id,
    records.session_key,
    records.turn_unit,
    ---------- text
    records.record_type,
    records.model,
    records.stop_reason_base,
    records.stop_detail,
    records.chat_mode,
    records.turn_intent,
    records.tool_names,
    ---------- numerics
    records.seq,
    records.turn_seq,
    records.seq_in_turn,
    records.offset_ms,
    records.duration_ms,
    records.rounds,
    records.tool_call_count,
    records.tool_result_count,
    records.prompt_tokens,
    records.completion_tokens,
    records.total_tokens,
    records.total_computed,
    records.user_message_length,
    records.system_prompt_length,
    records.history_messages,
    records.history_length,
    records.response_length,
    records.thoughts_length,
    records.key_load_seq as load_seq,
    ---------- booleans
    records.is_open,
    records.is_outside_span,
    records.ts_suspicious,
    ---------- timestamps
    records.occurred_at
from {{ ref('int_agent_telemetry_records') }} as records
inner join {{ ref('stg_ledger__projects') }} as projects
    on records.project_id = projects.project_id
where projects.is_active
{%- if since is not none %}
    and records.turn_unit in ({{ touched_telemetry_sessions(since) }})
{%- endif %}
