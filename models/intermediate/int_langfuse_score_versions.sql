{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='score_key',
    on_schema_change='fail'
) }}
{#- Every version of a score, and which agent it judges: the nearest one at or above a scored
    observation, else the outermost one of the trace, as far as it is one alone. A score is judged
    anew when it gained a version, or its trace an observation. #}
{%- set since = built_load_seq('key_load_seq') %}
with recursive touched as (
    select arrived.score_key
    from {{ ref('stg_langfuse__scores') }} as arrived
    where arrived.load_seq > {{ since }}
    union
    select told.score_key
    from {{ ref('stg_langfuse__scores') }} as told
    where told.trace_key in (
        select observed.trace_key
        from {{ ref('stg_langfuse__observations') }} as observed
        where observed.load_seq > {{ since }}
        union
        select traced.trace_key
        from {{ ref('stg_langfuse__traces') }} as traced
        where traced.load_seq > {{ since }}
    )
),

scored as materialized (
    select
        versions.*,
        max(versions.load_seq) over (partition by versions.score_key) as score_load_seq,
        {{ langfuse_ranks('score_key', langfuse_newest_score()) }}
    from {{ ref('stg_langfuse__scores') }} as versions
    where versions.score_key in (select touched.score_key from touched)
),

observed as (
    select
        versions.observation_key,
        versions.parent_observation_key,
        versions.trace_key,
        versions.stated_session_id,
        versions.observation_type = 'AGENT' as is_agent,
        versions.load_seq,
        row_number() over (partition by versions.observation_key order by {{ langfuse_newest() }})
            as version_rank
    from {{ ref('stg_langfuse__observations') }} as versions
    where versions.trace_key in (select scored.trace_key from scored)
),

observations as materialized (
    select * from observed
    where version_rank = 1
),

of_traces as (
    select
        trace_key,
        min(stated_session_id) as session_id,
        max(load_seq) as trace_load_seq
    from observed
    group by trace_key
),

traces as (
    {{ langfuse_trace_sessions() }}
),

agents as (
    select
        task_key,
        trace_key,
        agent_id
    from {{ ref('int_langfuse_agent_run_versions') }}
    where is_kept and trace_key in (select scored.trace_key from scored)
),

-- From what is scored upwards, and from each agent to what lies above it.
starts as (
    select
        observation_key as item_key,
        observation_key as at_key,
        true as is_scored
    from observations
    where observation_key in (select scored.observation_key from scored)
    union all
    select
        observation_key as item_key,
        parent_observation_key as at_key,
        false as is_scored
    from observations
    where is_agent and parent_observation_key is not null
),

-- A set, so that a circle of parents comes to an end.
climbing (item_key, at_key, is_scored) as (
    select * from starts
    union
    select
        climbing.item_key,
        observations.parent_observation_key,
        climbing.is_scored
    from climbing
    inner join observations on climbing.at_key = observations.observation_key
    where not observations.is_agent and observations.parent_observation_key is not null
),

reached as (
    select
        climbing.item_key,
        climbing.is_scored,
        climbing.at_key as agent_key
    from climbing
    inner join observations on climbing.at_key = observations.observation_key
    where observations.is_agent
),

outermost as (
    select
        trace_key,
        case when count(distinct agent_id) = 1 then min(agent_id) end as agent_id,
        case when count(*) = 1 then min(task_key) end as task_key
    from agents
    where task_key not in (select reached.item_key from reached where not reached.is_scored)
    group by trace_key
)

select
    ---------- ids
    scored.score_key,
    scored.trace_key,
    scored.observation_key,
    coalesce(nearest.task_key, outermost.task_key) as task_key,
    scored.record_key,
    scored.content_hash,
    scored.source_id,
    scored.source_project_id as project_id,
    case
        when coalesce(
            scored.session_id, traces.session_id, of_traces.session_id, scored.trace_id
        ) is not null
            then {{ key_128([
                'scored.source_project_id',
                'coalesce(scored.session_id, traces.session_id, of_traces.session_id, scored.trace_id)',
            ]) }}
    end as session_key,
    ---------- text
    coalesce(nearest.agent_id, outermost.agent_id, 'unknown') as agent_id,
    case
        when scored.observation_key is not null then 'observation'
        when scored.trace_key is not null then 'trace'
        when scored.session_id is not null then 'session'
        else 'unknown'
    end as target,
    scored.score_name,
    scored.score_kind,
    scored.score_source,
    scored.environment,
    scored.category,
    {{ version_drop_reason('scored') }} as drop_reason,
    ---------- numerics
    scored.file_id,
    scored.line_no,
    scored.ordinal,
    scored.load_seq,
    greatest(
        scored.score_load_seq,
        coalesce(of_traces.trace_load_seq, 0),
        coalesce(traces.trace_load_seq, 0)
    ) as key_load_seq,
    scored.numeric_value,
    ---------- booleans
    scored.is_true,
    scored.ts_suspicious,
    scored.version_rank = 1 as is_kept,
    ---------- timestamps
    coalesce(scored.scored_at, scored.updated_at) as occurred_at
from scored
left join of_traces on scored.trace_key = of_traces.trace_key
left join traces on scored.trace_key = traces.trace_key
left join outermost on scored.trace_key = outermost.trace_key
left join reached on scored.observation_key = reached.item_key and reached.is_scored
left join agents as nearest on reached.agent_key = nearest.task_key
