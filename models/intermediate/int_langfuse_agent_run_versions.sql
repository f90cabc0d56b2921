{{ made_anew_by('trace_key') }}
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
        {{ leaf_call_columns('calls') }}
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
        observation_key as span_key,
        cast('langfuse' as varchar) as source_kind,
        cast(null as varchar) as provider,
        cast(null as varchar) as error_type,
        {{ normal_form('coalesce(' ~ name_of_run('observation_name') ~ ", 'unknown')") }}
            as agent_text,
        -- As with tools: what ended and tells no error did not fail.
        case
            when level = 'ERROR' then 'failure'
            when ended_at is not null then 'success'
            else 'unknown'
        end as outcome,
        case
            when version_rank = 1 then null
            when copy_rank > 1 then 'snapshot_copy'
            else 'superseded_version'
        end as drop_reason,
        ended_at is not null as is_finished,
        version_rank = 1 as is_kept,
        started_at as occurred_at
    from versions
    where observation_type = 'AGENT'
)

{{ agent_run_tasks('agent_observation', own_ids=['otlp_trace_key']) }}
