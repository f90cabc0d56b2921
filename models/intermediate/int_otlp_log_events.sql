{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- Every copy of every event of Claude Code's log. An event is its session, sequence, name and
    time; one without a sequence is its content, as often as one file holds it. #}
{%- set columns -%}
        record_key,
        content_hash,
        source_id,
        source_project_id,
        source_kind,
        session_id,
        prompt_id,
        request_id,
        tool_use_id,
        agent_id,
        event_name,
        model,
        query_source,
        tool_name,
        skill_name,
        plugin_name,
        agent_name,
        invocation_trigger,
        skill_source,
        decision,
        stated_status,
        error_type,
        file_id,
        line_no,
        ordinal,
        load_seq,
        event_sequence,
        input_fresh_tokens,
        cache_write_tokens,
        cache_read_tokens,
        output_tokens,
        total_tokens,
        duration_ms,
        recorded_cost_usd,
        is_identified,
        is_success,
        ts_suspicious,
        occurred_at
{%- endset %}
with {{ rows_of_arrived_keys(
    'versions', '(select * from ' ~ ref('stg_otlp__logs') ~ ' where is_claude_code)',
    'record_key', columns
) }},

numbered as (
    select
        *,
        max(load_seq) over (partition by record_key) as key_load_seq,
        case
            when is_identified then 1
            else row_number() over (
                partition by record_key, file_id order by line_no, ordinal, load_seq
            )
        end as occurrence
    from versions
),

ranked as (
    select
        *,
        {{ key_128(["'otlp log'", 'cast(record_key as varchar)', 'cast(occurrence as varchar)']) }}
            as event_key,
        row_number() over (
            partition by record_key, occurrence
            order by
                output_tokens desc nulls last,
                duration_ms desc nulls last,
                content_hash, line_no, ordinal, source_id, file_id, load_seq
        ) as version_rank,
        row_number() over (
            partition by record_key, occurrence, content_hash
            order by line_no, ordinal, source_id, file_id, load_seq
        ) as copy_rank
    from numbered
)

select
    {{ columns }},
    event_key,
    key_load_seq,
    version_rank = 1 as is_kept,
    {{ version_drop_reason() }} as drop_reason
from ranked
