{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='trace_key',
    on_schema_change='fail'
) }}
{#- Every copy of every span, and what its trace says of it. Of a span one copy is kept: one that
    has ended, the later end first, then content. A trace that gained a span is judged anew. #}
{%- set columns -%}
        span_key,
        trace_key,
        parent_span_key,
        record_key,
        content_hash,
        source_id,
        source_project_id,
        session_id,
        request_id,
        tool_call_id,
        agent_id,
        source_kind,
        service_name,
        span_name,
        span_role,
        operation,
        provider,
        model,
        agent_name,
        workflow_name,
        tool_name,
        skill_name,
        stop_reason,
        service_tier,
        outcome,
        error_type,
        input_basis,
        span_flags,
        file_id,
        line_no,
        ordinal,
        load_seq,
        input_fresh_tokens,
        cache_write_tokens,
        cache_read_tokens,
        output_tokens,
        reasoning_tokens,
        duration_ms,
        recorded_cost_usd,
        has_tokens,
        is_finished,
        is_sidechain,
        ts_suspicious,
        occurred_at,
        ended_at
{%- endset %}
with recursive {{ rows_of_arrived_keys('versions', ref('stg_otlp__spans'), 'trace_key', columns) }},

ranked as materialized (
    select
        *,
        max(load_seq) over (partition by trace_key) as key_load_seq,
        row_number() over (
            partition by span_key
            order by
                case when is_finished then 0 else 1 end,
                ended_at desc nulls last,
                output_tokens desc nulls last,
                case outcome when 'unknown' then 1 else 0 end,
                content_hash, record_key, line_no, ordinal, source_id, file_id, load_seq
        ) as version_rank,
        row_number() over (
            partition by span_key, content_hash
            order by record_key, line_no, ordinal, source_id, file_id, load_seq
        ) as copy_rank
    from versions
),

links as materialized (
    select
        span_key,
        parent_span_key,
        span_role = 'inference' and has_tokens as is_teller
    from ranked
    where version_rank = 1 and parent_span_key is not null and parent_span_key <> span_key
),

-- Union, not union all: parents that are written in a circle come to an end.
ancestors as (
    select
        span_key as teller_key,
        parent_span_key as ancestor_key
    from links
    where is_teller
    union
    select
        ancestors.teller_key,
        links.parent_span_key as ancestor_key
    from ancestors
    inner join links on ancestors.ancestor_key = links.span_key
),

-- In a circle everybody is everybody's ancestor, and nobody repeats anybody.
repeating as (
    select distinct ancestors.ancestor_key as span_key
    from ancestors
    left join ancestors as turned
        on ancestors.teller_key = turned.ancestor_key
            and ancestors.ancestor_key = turned.teller_key
    where turned.teller_key is null
)

select
    {{ columns }},
    key_load_seq,
    version_rank = 1 as is_kept,
    {{ version_drop_reason() }} as drop_reason,
    span_key in (select repeating.span_key from repeating) as has_inference_below
from ranked
