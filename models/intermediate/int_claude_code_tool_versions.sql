{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='tool_call_key',
    on_schema_change='fail'
) }}
{#- Every block that calls a tool or brings its result. Of each call one block is kept, and of its
    result one; the others are copies. A call that gained a block brings all of its blocks. #}
{%- set columns -%}
        tool_call_key,
        message_key,
        record_key,
        content_hash,
        source_id,
        source_project_id,
        source_kind,
        session_id,
        agent_id,
        tool_name,
        skill_name,
        subagent_type,
        error_class,
        workdir_id,
        file_id,
        line_no,
        ordinal,
        position,
        load_seq,
        is_call,
        is_error,
        is_sidechain,
        ts_suspicious,
        occurred_at
{%- endset %}
with {{ rows_of_arrived_keys(
    'blocks', ref('stg_claude_code__tool_blocks'), 'tool_call_key', columns
) }},

ranked as (
    select
        *,
        max(load_seq) over (partition by tool_call_key) as key_load_seq,
        row_number() over (
            partition by tool_call_key, is_call order by {{ earliest_first() }}, position
        ) as owner_rank,
        bool_or(is_error) over (partition by tool_call_key, is_call) as any_is_error,
        min(error_class) over (partition by tool_call_key, is_call) as any_error_class,
        first_value(session_id) over (
            partition by tool_call_key, is_call order by {{ earliest_first() }}, position
        ) as owner_session_id
    from blocks
)

select
    {{ columns }},
    key_load_seq,
    owner_rank = 1 as is_kept,
    case
        when owner_rank = 1 then null
        when coalesce(session_id, '') <> coalesce(owner_session_id, '') then 'fork_replay'
        else 'snapshot_copy'
    end as drop_reason,
    owner_rank = 1 and any_is_error as kept_is_error,
    case when owner_rank = 1 then any_error_class end as kept_error_class
from ranked
