{{ config(tags=['as_of']) }}
{#- Whether a declared change helped: a week before it against a week from an hour after it, which
    is extended to two while nothing is decided. First match: not enough data, rollback, keep, no
    effect to be seen. -#}
{%- set sides = ['before', 'after'] %}
{%- set figures = {'cost': 'cost_cents', 'latency': 'latency_ms'} %}
with instant as (
    select closed.as_of from {{ closed_as_of() }} as closed
),

-- Declarations are only added; a copy of the file tells of the same ones.
declared as (
    select
        change_id,
        min(agent_id) as agent_id,
        min(metric) as metric,
        min(changed_at) as changed_at
    from {{ ref('stg_events__agent_changes') }}
    where changed_at is not null and not ts_suspicious
    group by change_id
),

changes as (
    select
        declared.*,
        instant.as_of,
        declared.changed_at - interval {{ var('evolution_days') }} day as before_start,
        declared.changed_at + interval {{ var('evolution_settling_hours') }} hour as after_start
    from declared
    cross join instant
    -- A tick of the past knows nothing of what came later.
    where declared.changed_at <= instant.as_of
),

-- Two lengths of the time after; the longer one counts where the shorter has decided nothing.
looks as (
    {%- for days in [var('evolution_days'), var('evolution_days_longest')] %}
    select
        *,
        {{ days }} as look_days,
        after_start + interval {{ days }} day as after_end,
        least(after_start + interval {{ days }} day, as_of) as seen_until
    from changes
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

overlapping as (
    select distinct
        looks.change_id,
        looks.look_days
    from looks
    inner join changes as others
        on looks.agent_id = others.agent_id
        and looks.change_id <> others.change_id
        and others.changed_at >= looks.before_start
        and others.changed_at < looks.seen_until
),

measured as (
    select
        looks.change_id,
        looks.look_days
        {%- for side in sides %}
        {%- set in_side = {
            'before': 'tasks.occurred_at < looks.changed_at',
            'after': 'tasks.occurred_at >= looks.after_start',
        }[side] %},
        count(*) filter (where tasks.outcome = 'success' and {{ in_side }}) as {{ side }}_succeeded,
        count(*) filter (where tasks.outcome = 'failure' and {{ in_side }}) as {{ side }}_failed
        {%- for name, column in figures.items() %},
        count(tasks.{{ column }}) filter (where {{ in_side }}) as {{ side }}_{{ name }}_n,
        sum(cast(tasks.{{ column }} as decimal(24, 9))) filter (where {{ in_side }})
            as {{ side }}_{{ name }}_sum,
        sum(cast(tasks.{{ column }} * tasks.{{ column }} as decimal(38, 9)))
            filter (where {{ in_side }}) as {{ side }}_{{ name }}_sumsq
        {%- endfor %}
        {%- endfor %}
    from looks
    inner join {{ ref('fct_agent_tasks') }} as tasks
        on looks.agent_id = tasks.agent_id
        and tasks.occurred_at >= looks.before_start
        and tasks.occurred_at < looks.seen_until
    inner join {{ ref('stg_ledger__projects') }} as projects
        on tasks.project_id = projects.project_id
    where projects.is_active
        and not tasks.ts_suspicious
        and (tasks.occurred_at < looks.changed_at or tasks.occurred_at >= looks.after_start)
    group by looks.change_id, looks.look_days
),

derived as (
    select
        looks.*,
        overlapping.change_id is not null as is_overlapped
        {%- for side in sides %},
        coalesce(measured.{{ side }}_succeeded, 0) as {{ side }}_succeeded,
        coalesce(measured.{{ side }}_succeeded + measured.{{ side }}_failed, 0)
            as {{ side }}_known
        {%- for name in figures %}
        {%- set parts = 'measured.' ~ side ~ '_' ~ name %},
        coalesce({{ parts }}_n, 0) as {{ side }}_{{ name }}_n,
        {{ ratio(parts ~ '_sum', parts ~ '_n') }} as {{ side }}_avg_{{ name }},
        sqrt({{ variance_of_parts(parts ~ '_sum', parts ~ '_sumsq', parts ~ '_n') }})
            as {{ side }}_sd_{{ name }}
        {%- endfor %}
        {%- endfor %}
    from looks
    left join measured
        on looks.change_id = measured.change_id and looks.look_days = measured.look_days
    left join overlapping
        on looks.change_id = overlapping.change_id and looks.look_days = overlapping.look_days
),

tested as (
    select
        *,
        {{ ratio('before_succeeded', 'before_known') }} as before_rate,
        {{ ratio('after_succeeded', 'after_known') }} as after_rate,
        {{ two_proportion_z('before_succeeded', 'before_known', 'after_succeeded', 'after_known') }}
            as z,
        {{ newcombe('before_succeeded', 'before_known', 'after_succeeded', 'after_known', 'low') }}
            as rate_difference_low,
        {{ newcombe('before_succeeded', 'before_known', 'after_succeeded', 'after_known', 'high') }}
            as rate_difference_high
        {%- for name in figures %},
        case when before_avg_{{ name }} > 0 then after_avg_{{ name }} / before_avg_{{ name }} end
            as {{ name }}_ratio
        {%- for side in ['low', 'high'] %},
        {{ mean_ratio_bound(
            'before_avg_' ~ name, 'before_sd_' ~ name, 'before_' ~ name ~ '_n',
            'after_avg_' ~ name, 'after_sd_' ~ name, 'after_' ~ name ~ '_n', side
        ) }} as {{ name }}_ratio_{{ side }}
        {%- endfor %}
        {%- endfor %}
    from derived
),

judged as (
    select
        *,
        after_rate - before_rate as rate_difference,
        {{ two_sided_p('z') }} as p_value
    from tested
),

weighed as (
    select
        *,
        before_known < {{ var('evolution_min_n') }} or after_known < {{ var('evolution_min_n') }}
            as is_small,
        coalesce(rate_difference < 0 and p_value < {{ var('significance') }}, false)
            as is_rate_worse,
        {%- for name in figures %}
        coalesce(
            {{ comparable(name ~ '_ratio_low') }} > {{ var('evolution_ratio_worse') }}, false
        ) as is_{{ name }}_worse,
        {%- endfor %}
        coalesce(
            {{ comparable('rate_difference_low') }} >= {{ var('evolution_rate_guard') }}, true
        )
        {%- for name in figures %}
        and coalesce(
            {{ comparable(name ~ '_ratio_high') }} <= {{ var('evolution_ratio_guard') }}, true
        )
        {%- endfor %} as is_nothing_worse,
        case metric
            when 'cost' then coalesce({{ comparable('cost_ratio_high') }} < 1, false)
            when 'latency' then coalesce({{ comparable('latency_ratio_high') }} < 1, false)
            else coalesce(rate_difference > 0 and p_value < {{ var('significance') }}, false)
        end as is_aim_better,
        nullif(concat_ws(
            ',',
            case when cost_ratio_low is null then 'cost_unknown' end,
            case when latency_ratio_low is null then 'latency_unknown' end
        ), '') as skipped_guards
    from judged
),

decided as (
    select
        *,
        case
            when is_overlapped then 'overlapping_change'
            when is_small then 'min_n'
            when is_rate_worse then 'success_worse'
            when is_cost_worse then 'cost_worse'
            when is_latency_worse then 'latency_worse'
            when metric = 'cost' and cost_ratio_low is null then 'target_unknown'
            when metric = 'latency' and latency_ratio_low is null then 'target_unknown'
            when is_nothing_worse and is_aim_better then 'improved'
            else 'no_detectable_effect'
        end as verdict
    from weighed
),

ranked as (
    select
        *,
        case
            when verdict in ('success_worse', 'cost_worse', 'latency_worse') then 'rollback'
            when verdict = 'improved' then 'keep'
            else 'insufficient_data'
        end as decision,
        first_value(verdict) over (partition by change_id order by look_days) as first_verdict,
        min(after_end) over (partition by change_id) as first_end
    from decided
)

select
    agent_id,
    change_id,
    as_of,
    metric,
    changed_at,
    before_start,
    after_start,
    seen_until as after_end,
    decision,
    concat_ws(
        ',',
        verdict,
        -- It improved what it aimed at, but nobody can rule out that something else got worse.
        case
            when verdict = 'no_detectable_effect' and is_aim_better and not is_nothing_worse
                then 'guard_not_met'
        end,
        skipped_guards
    ) as reason,
    decision = 'insufficient_data' and as_of >= after_start
        + interval {{ var('evolution_days_longest') }} day as needs_person,
    before_succeeded,
    before_known,
    before_rate,
    after_succeeded,
    after_known,
    after_rate,
    rate_difference,
    rate_difference_low,
    rate_difference_high,
    z,
    p_value
    {%- for name in figures %},
    before_{{ name }}_n,
    before_avg_{{ name }},
    after_{{ name }}_n,
    after_avg_{{ name }},
    {{ name }}_ratio,
    {{ name }}_ratio_low,
    {{ name }}_ratio_high
    {%- endfor %}
from ranked
where look_days = case
    when as_of > first_end and first_verdict in ('min_n', 'no_detectable_effect', 'target_unknown')
        then {{ var('evolution_days_longest') }}
    else {{ var('evolution_days') }}
end
