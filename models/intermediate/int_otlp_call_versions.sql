{{ config(materialized='view') }}
{#- Every span and log event that tells of a model call or of tokens, and why it does not count.
    Tokens count at the leaves alone: what stands above them repeats their sums. A call that failed
    is an error of the API, as in a transcript. #}
{%- set tiers = token_tiers() %}
-- A request that failed is a call as well: one that used nothing.
with {{ session_tellers(['api_request', 'api_error']) }},

told as (
    select
        spans.span_key as call_key,
        spans.key_load_seq,
        spans.provider,
        spans.model,
        spans.stop_reason,
        spans.service_tier,
        spans.skill_name,
        spans.input_basis,
        spans.agent_id,
        spans.request_id,
        spans.reasoning_tokens,
        spans.is_sidechain,
        case
            when spans.drop_reason is not null then spans.drop_reason
            when spans.has_inference_below then 'parent_repeats_children'
            when spans.span_role <> 'inference' then 'no_inference'
        end as own_drop_reason,
        true as is_span,
        spans.span_role = 'inference' and spans.outcome = 'failure' and not spans.has_tokens
            as has_failed,
        {{ otlp_shared_columns('spans') }}
    from {{ ref('int_otlp_spans') }} as spans
    where spans.span_role = 'inference' or spans.has_tokens
    union all
    select
        events.event_key as call_key,
        events.key_load_seq,
        'anthropic' as provider,
        events.model,
        cast(null as varchar) as stop_reason,
        cast(null as varchar) as service_tier,
        events.skill_name,
        'exclusive' as input_basis,
        events.agent_id,
        events.request_id,
        cast(null as bigint) as reasoning_tokens,
        coalesce(events.query_source = 'subagent', false) as is_sidechain,
        events.drop_reason as own_drop_reason,
        false as is_span,
        events.event_name = 'api_error' as has_failed,
        {{ otlp_shared_columns('events') }}
    from log_events as events
),

{{ otlp_judged() }}

select
    ---------- ids
    call_key as llm_call_key,
    call_key as message_key,
    record_key,
    content_hash,
    source_id,
    source_project_id,
    request_id,
    session_id,
    agent_id,
    ---------- text
    source_kind,
    provider,
    model,
    stop_reason,
    service_tier,
    skill_name as attribution_skill,
    input_basis,
    told_reason as drop_reason,
    ---------- numerics
    cast(null as bigint) as workdir_id,
    file_id,
    line_no,
    ordinal,
    load_seq,
    told_load_seq as key_load_seq,
    {%- for tier in tiers %}
    {{ tier }}_tokens,
    {%- endfor %}
    cast(null as bigint) as web_search_requests,
    reasoning_tokens,
    duration_ms,
    recorded_cost_usd,
    {%- for tier in tiers %}
    case
        when told_reason is null and (is_span or not has_failed) then {{ tier }}_tokens
        else 0
    end as kept_{{ tier }}_tokens,
    {%- endfor %}
    cast(null as bigint) as kept_stated_cache_write_5m_tokens,
    cast(null as bigint) as kept_stated_cache_write_1h_tokens,
    cast(null as bigint) as kept_web_search_requests,
    ---------- booleans
    told_reason is null as is_kept,
    told_reason is null as is_owner,
    has_failed as is_synthetic,
    is_sidechain,
    ts_suspicious,
    ---------- timestamps
    occurred_at
from judged
