{{ config(tags=['as_of', 'every_5_minutes']) }}
{#- The last hour, day and week up to the last closed 5 minutes. Made anew in each run from the
    tasks of one week, so that a window ages out although nothing new arrives. #}
{%- set windows = {'last_hour': 3600, 'last_day': 86400, 'last_week': 604800} %}
with instant as materialized (
    select closed.as_of
    from {{ closed_as_of() }} as closed
),

tasks as materialized (
    select
        facts.*,
        instant.as_of
    from {{ ref('fct_agent_tasks') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    cross join instant
    where projects.is_active
        and not facts.ts_suspicious
        and facts.occurred_at >= instant.as_of - interval {{ windows['last_week'] }} second
        and facts.occurred_at < instant.as_of
),

windowed as not materialized (
    {%- for name, seconds in windows.items() %}
    select
        tasks.*,
        '{{ name }}' as window_name,
        tasks.as_of - interval {{ seconds }} second as window_start
    from tasks
    where tasks.occurred_at >= tasks.as_of - interval {{ seconds }} second
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

measured as (
    select
        agent_id,
        window_name,
        as_of,
        window_start,
        count(*) filter (where is_cost_outlier) as cost_outlier_n,
        cast(coalesce(
            sum({{ exact_cents('cost_cents') }}) filter (where not is_cost_outlier), 0
        ) as decimal(38, 9)) as usual_cost_cents_sum,
        {{ agent_measures() }}
    from windowed
    group by agent_id, window_name, as_of, window_start
),

patterns as (
    select
        agent_id,
        window_name,
        {{ name_counts_text('pattern', 'uses') }} as patterns_used
    from (
        select
            agent_id,
            window_name,
            entry.key as pattern,
            cast(sum(entry.value) as bigint) as uses
        from (
            select
                agent_id,
                window_name,
                {{ each_item(name_count_entries('patterns')) }} as entry
            from windowed
            where patterns is not null
        ) as used
        group by agent_id, window_name, entry.key
    ) as counted
    group by agent_id, window_name
)

select
    measured.agent_id,
    measured.window_name,
    measured.as_of,
    measured.window_start,
    measured.as_of as window_end,
    {{ derived_agent_columns() }},
    measured.cost_outlier_n,
    case
        when measured.cost_known_count > measured.cost_outlier_n
            then cast(measured.usual_cost_cents_sum as double)
    end as total_cost_without_outliers_cents,
    {{ ratio(
        'measured.usual_cost_cents_sum', '(measured.cost_known_count - measured.cost_outlier_n)'
    ) }} as avg_cost_without_outliers_cents,
    measured.as_of as refreshed_at
from measured
left join patterns
    on measured.agent_id = patterns.agent_id and measured.window_name = patterns.window_name
