-- depends_on: {{ ref('int_agent_task_versions') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    tags=['as_of', 'every_5_minutes'],
    pre_hook="{{ delete_touched_agent_buckets() }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq', reads_clock=true) }}"
    ]
) }}
{#- Closed windows that do not overlap. Quantiles do not add up, so each size is computed from the
    tasks; everything else is kept in parts that do. An incremental run replaces the buckets of
    tasks that changed, and writes those that were closed by the time that passed. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
{%- set built = built_as_of_micros() %}
{%- set is_whole = since is none or built is none %}
{%- set oldest_micros = none if is_whole else oldest_touched_week_micros(since, built) %}
with instant as materialized (
    select
        closed.as_of
        {%- if not is_whole %},
        {{ agent_boundary(built) }} as boundary
        {%- endif %}
    from {{ closed_as_of() }} as closed
),

{% if not is_whole %}
touched as materialized (
    {{ touched_agent_buckets(since) }}
),

{% endif %}
tasks as not materialized (
    select facts.*
    from {{ ref('fct_agent_tasks') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active
        and facts.occurred_at is not null
        and not facts.ts_suspicious
        {%- if oldest_micros is not none %}
        and facts.occurred_at >= {{ instant_from_micros(oldest_micros) }}
        {%- endif %}
),

{% for size in agent_window_seconds() %}
sized_{{ size }} as not materialized (
    select
        tasks.*,
        {{ agent_bucket_start(size, 'tasks.occurred_at') }} as window_start
    from tasks
    cross join instant
    where {{ agent_bucket_end(size, 'tasks.occurred_at') }} <= instant.as_of
        {%- if not is_whole %}
        and (
            {{ agent_bucket_end(size, 'tasks.occurred_at') }} > instant.boundary
            or (tasks.agent_id, {{ agent_bucket_start(size, 'tasks.occurred_at') }}) in (
                select (touched.agent_id, touched.window_start)
                from touched
                where touched.window_size = '{{ size }}'
            )
        )
        {%- endif %}
),

measured_{{ size }} as (
    select
        agent_id,
        '{{ size }}' as window_size,
        window_start,
        {{ agent_bucket_end(size, 'window_start') }} as window_end,
        {{ agent_measures() }}
    from sized_{{ size }}
    group by agent_id, window_start
),

patterns_{{ size }} as (
    select
        agent_id,
        '{{ size }}' as window_size,
        window_start,
        {{ name_counts_text('pattern', 'uses') }} as patterns_used
    from (
        select
            agent_id,
            window_start,
            entry.key as pattern,
            cast(sum(entry.value) as bigint) as uses
        from (
            select
                agent_id,
                window_start,
                {{ each_item(name_count_entries('patterns')) }} as entry
            from sized_{{ size }}
            where patterns is not null
        ) as used
        group by agent_id, window_start, entry.key
    ) as counted
    group by agent_id, window_start
),

{% endfor %}
measured as (
    {%- for size in agent_window_seconds() %}
    select * from measured_{{ size }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

patterns as (
    {%- for size in agent_window_seconds() %}
    select * from patterns_{{ size }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    measured.agent_id,
    measured.window_size,
    measured.window_start,
    measured.window_end,
    {{ derived_agent_columns() }},
    instant.as_of as refreshed_at
from measured
cross join instant
left join patterns
    on measured.agent_id = patterns.agent_id
    and measured.window_size = patterns.window_size
    and measured.window_start = patterns.window_start
