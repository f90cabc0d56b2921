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
{#- Every version of an observation of an agent, as a task: how it ended, how long it took, and
    what the observations below it used, as far as no other agent stands between. A trace that
    gained an observation is judged anew, and all are when prices changed. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
with recursive versions as (
    {{ langfuse_versions(since if since is not none else -1) }}
),

links as materialized (
    select
        observation_key as span_key,
        parent_observation_key as parent_span_key,
        observation_type = 'AGENT' as is_agent
    from versions
    where version_rank = 1
),

leaf_calls as (
    select
        calls.llm_call_key as span_key,
        calls.provider,
        calls.model,
        calls.service_tier,
        calls.input_fresh_tokens,
        calls.cache_write_tokens,
        calls.cache_read_tokens,
        calls.output_tokens,
        calls.recorded_cost_usd,
        case when not calls.ts_suspicious then calls.occurred_at end as priced_at
    from {{ ref('int_langfuse_call_versions') }} as calls
    where calls.is_kept and calls.trace_key in (select versions.trace_key from versions)
),

leaf_tools as (
    select
        observation_key as span_key,
        coalesce({{ name_of_run('observation_name') }}, 'unknown') as tool_name
    from versions
    where version_rank = 1 and observation_type = 'TOOL'
),

{{ used_below_agents() }},

named as (
    select
        *,
        {{ normal_form('coalesce(' ~ name_of_run('observation_name') ~ ", 'unknown')") }}
            as agent_text,
        coalesce(level = 'ERROR', false) as has_failed
    from versions
    where observation_type = 'AGENT'
)

select
    ---------- ids
    named.observation_key as task_key,
    named.trace_key,
    named.otlp_trace_key,
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
    cast('langfuse' as varchar) as source_kind,
    cast('agent_observation' as varchar) as variant,
    cast(null as varchar) as task_type,
    -- As with tools: what ended and tells no error did not fail.
    case
        when named.has_failed then 'failure'
        when named.ended_at is not null then 'success'
        else 'unknown'
    end as outcome,
    used.patterns,
    spent.provider,
    coalesce(spent.model, nullif(named.model, 'unknown')) as model,
    case when named.has_failed then 'other' end as error_class,
    nullif(concat_ws(
        ',',
        case when named.agent_text = 'unknown' then 'agent_unknown' end,
        case when named.ended_at is null then 'unfinished' end,
        case when spent.is_estimated then 'agent_estimated' end,
        case when spent.agent_key is not null and spent.cost_usd is null then 'unpriced' end,
        case when named.ts_suspicious then 'ts_suspicious' end
    ), '') as flags,
    case
        when named.version_rank = 1 then null
        when named.copy_rank > 1 then 'snapshot_copy'
        else 'superseded_version'
    end as drop_reason,
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
    named.version_rank = 1 as is_kept,
    ---------- timestamps
    coalesce(named.ended_at, named.started_at) as occurred_at
from named
left join spent on named.observation_key = spent.agent_key
left join used on named.observation_key = used.agent_key
