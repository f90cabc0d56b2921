{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='trace_key',
    on_schema_change='fail',
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- Every copy of a span of an agent, as a task: how it ended, how long it took, and what the model
    calls and tools below it used, as far as no other agent stands between. An interaction of Claude
    Code is a turn of a person, and no task. A trace that gained a span is judged anew, and all are
    when prices changed. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
with recursive traces as (
    select distinct trace_key
    from {{ ref('int_otlp_spans') }}
    where span_role = 'agent' and source_kind = 'otlp'
    {%- if since is not none %}
        and key_load_seq > {{ since }}
    {%- endif %}
),

spans as materialized (
    select * from {{ ref('int_otlp_spans') }}
    where trace_key in (select traces.trace_key from traces)
),

links as materialized (
    select
        span_key,
        parent_span_key,
        span_role = 'agent' as is_agent
    from spans
    where is_kept
),

-- An agent that tells tokens and has no call below it tells them for itself.
leaf_calls as (
    select
        span_key,
        provider,
        model,
        service_tier,
        input_fresh_tokens,
        cache_write_tokens,
        cache_read_tokens,
        output_tokens,
        recorded_cost_usd,
        case when not ts_suspicious then occurred_at end as priced_at
    from spans
    where is_kept and has_tokens and not has_inference_below
        and span_role in ('inference', 'agent')
),

leaf_tools as (
    select
        span_key,
        coalesce(tool_name, 'unknown') as tool_name
    from spans
    where is_kept and span_role = 'tool'
),

{{ used_below_agents() }},

named as (
    select
        *,
        {{ normal_form('coalesce(agent_name, ' ~ name_of_run('span_name') ~ ", 'unknown')") }}
            as agent_text
    from spans
    where span_role = 'agent' and source_kind = 'otlp'
)

select
    ---------- ids
    named.span_key as task_key,
    named.trace_key,
    named.record_key,
    named.content_hash,
    named.source_project_id as project_id,
    named.source_id,
    named.session_id,
    case
        when named.session_id is not null
            then {{ key_128(['named.source_project_id', 'named.session_id']) }}
    end as session_key,
    ---------- text
    named.agent_text as agent_id,
    named.source_kind,
    cast('agent_span' as varchar) as variant,
    cast(null as varchar) as task_type,
    named.outcome,
    used.patterns,
    coalesce(spent.provider, named.provider) as provider,
    coalesce(spent.model, nullif(named.model, 'unknown')) as model,
    case when named.outcome = 'failure' then coalesce(named.error_type, 'other') end as error_class,
    nullif(concat_ws(
        ',',
        case when named.agent_text = 'unknown' then 'agent_unknown' end,
        case when not named.is_finished then 'unfinished' end,
        case when spent.is_estimated then 'agent_estimated' end,
        case when spent.agent_key is not null and spent.cost_usd is null then 'unpriced' end,
        case when named.ts_suspicious then 'ts_suspicious' end
    ), '') as flags,
    named.drop_reason,
    ---------- numerics
    named.file_id,
    named.line_no,
    named.ordinal,
    named.load_seq,
    named.key_load_seq,
    named.duration_ms as latency_ms,
    {{ agent_run_figures() }},
    ---------- booleans
    named.agent_text = 'unknown' as is_agent_unknown,
    false as tz_assumed,
    named.ts_suspicious,
    named.is_kept,
    ---------- timestamps
    coalesce(named.ended_at, named.occurred_at) as occurred_at
from named
left join spent on named.span_key = spent.agent_key
left join used on named.span_key = used.agent_key
