{{ made_anew_by('trace_key') }}
{#- Every version of an observation of an agent, as a task: how it ended, how long it took, and
    what the observations below it used, as far as no other agent stands between. A trace without
    any is one run of the application that names it, once it calls a model; each trace has a row of
    its own, so that one which an agent is found in later is taken back. A trace that gained an
    observation is judged anew, and all are when prices changed. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
{%- set columns = [
    'trace_key', 'otlp_trace_key', 'record_key', 'content_hash', 'source_project_id', 'source_id',
    'session_id', 'file_id', 'line_no', 'ordinal', 'load_seq', 'key_load_seq', 'ts_suspicious',
] | join(',\n        ') %}
with recursive versions as (
    {{ langfuse_versions(since if since is not none else -1) }}
),

trace_names as (
    {{ langfuse_trace_names() }}
),

-- An event is a note in a log: it neither begins a run nor ends it.
placed as materialized (
    select
        newest.*,
        {{ key_128(["'langfuse run'", 'cast(newest.trace_key as varchar)']) }} as run_key,
        parents.observation_key is null as is_outermost,
        parents.observation_key is null and newest.observation_type <> 'EVENT' as is_root
    from versions as newest
    left join versions as parents
        on newest.parent_observation_key = parents.observation_key and parents.version_rank = 1
    where newest.version_rank = 1
),

run_places as (
    select *
    from (
        select
            placed.*,
            row_number() over (
                partition by placed.trace_key
                order by
                    case when placed.is_root then 0 else 1 end,
                    placed.started_at, placed.observation_key
            ) as place_rank
        from placed
    ) as ordered
    where place_rank = 1
),

run_facts as (
    select
        run_key,
        bool_or(observation_type = 'AGENT') as has_agent,
        bool_or(observation_type = 'GENERATION') as has_generation,
        coalesce(bool_or(is_root and level = 'ERROR'), false) as has_failed,
        bool_and(ended_at is not null) filter (where is_root) as has_ended,
        min(started_at) filter (where is_root) as begins_at,
        max(ended_at) filter (where is_root) as ends_at,
        case when count(*) filter (where is_root) = 1
            then min({{ name_of_run("nullif(observation_name, 'unknown')") }})
                filter (where is_root)
        end as root_name
    from placed
    group by run_key
),

runs as materialized (
    select
        run_places.*,
        run_facts.has_agent,
        run_facts.has_generation,
        run_facts.has_failed,
        coalesce(run_facts.has_ended, false) as has_ended,
        run_facts.begins_at,
        run_facts.ends_at,
        coalesce({{ name_of_run('trace_names.trace_name') }}, run_facts.root_name) as run_name
    from run_places
    inner join run_facts on run_places.run_key = run_facts.run_key
    left join trace_names on run_places.trace_key = trace_names.trace_key
),

-- A trace without an agent stands above what stands highest in it.
links as materialized (
    select
        placed.observation_key as span_key,
        case
            when placed.is_outermost and not runs.has_agent then placed.run_key
            else placed.parent_observation_key
        end as parent_span_key,
        placed.observation_type = 'AGENT' as is_agent
    from placed
    inner join runs on placed.run_key = runs.run_key
    union all
    select
        run_key as span_key,
        cast(null as uuid) as parent_span_key,
        true as is_agent
    from runs
    where not has_agent
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

tasks as (
    select
        observation_key as span_key,
        {{ columns }},
        model,
        duration_ms,
        started_at,
        ended_at,
        {{ normal_form('coalesce(' ~ name_of_run('observation_name') ~ ", 'unknown')") }}
            as agent_text,
        coalesce(level = 'ERROR', false) as has_failed,
        'agent_observation' as variant,
        {{ version_drop_reason() }} as drop_reason
    from versions
    where observation_type = 'AGENT'
    union all
    select
        run_key as span_key,
        {{ columns }},
        'unknown' as model,
        case
            when has_ended and ends_at >= begins_at
                then {{ milliseconds_between('begins_at', 'ends_at') }}
        end as duration_ms,
        begins_at as started_at,
        case when has_ended then ends_at end as ended_at,
        {{ normal_form("coalesce(run_name, 'unknown')") }} as agent_text,
        has_failed,
        'trace' as variant,
        case
            when has_agent then 'told_by_agents'
            when not has_generation then 'no_model_call'
            when run_name is null then 'unnamed'
        end as drop_reason
    from runs
),

named as (
    select
        tasks.*,
        cast('langfuse' as varchar) as source_kind,
        -- As with tools: what ended and tells no error did not fail. That a trace ended says less:
        -- nobody said that it was a task.
        case
            when tasks.has_failed then 'failure'
            when tasks.ended_at is not null and tasks.variant = 'agent_observation' then 'success'
            else 'unknown'
        end as outcome,
        cast(null as varchar) as provider,
        cast(null as varchar) as error_type,
        tasks.ended_at is not null as is_finished,
        tasks.drop_reason is null as is_kept,
        tasks.started_at as occurred_at
    from tasks
)

{{ agent_run_tasks(own_ids=['otlp_trace_key']) }}
