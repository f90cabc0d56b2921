{{ config(tags=['as_of', 'every_30_minutes']) }}
{#- What stands out in the last week of an agent. Figures are compared unrounded but for the ninth
    place: 0.8999 is below 0.90. -#}
with week as (
    select *
    from {{ ref('agent_metrics_rolling') }}
    where window_name = 'last_week'
),

found as (
    select
        agent_id,
        as_of,
        'low_success_rate' as issue_type,
        case
            when {{ comparable('success_rate') }} < {{ var('success_critical') }} then 'critical'
            else 'high'
        end as severity,
        succeeded + failed as n,
        success_rate as measured,
        cast(null as double) as measured_without_outliers,
        cast({{ var('success_warn') }} as double) as threshold,
        {{ comparable('success_rate_high') }} < {{ var('success_warn') }} as is_confirmed
    from week
    where succeeded + failed >= {{ var('min_n_rate') }}
        and {{ comparable('success_rate') }} < {{ var('success_warn') }}
    {%- for issue, metric, warn, high in [
        ('high_cost', 'cost', 'cost_warn', 'cost_high'),
        ('high_latency', 'latency', 'latency_warn', 'latency_high'),
    ] %}
    {%- set average = {'cost': 'avg_cost_cents', 'latency': 'avg_latency_ms'}[metric] %}
    {%- set total = {'cost': 'cost_cents_sum', 'latency': 'latency_ms_sum'}[metric] %}
    {%- set squares = {'cost': 'cost_cents_sumsq', 'latency': 'latency_ms_sumsq'}[metric] %}
    {%- set n = {'cost': 'cost_known_count', 'latency': 'latency_n'}[metric] %}
    union all
    select
        agent_id,
        as_of,
        '{{ issue }}' as issue_type,
        case
            when {{ comparable(average) }} > {{ var(high) }} then 'high'
            else 'medium'
        end as severity,
        {{ n }} as n,
        {{ average }} as measured,
        {{ 'avg_cost_without_outliers_cents' if metric == 'cost' else 'cast(null as double)' }}
            as measured_without_outliers,
        cast({{ var(warn) }} as double) as threshold,
        {{ comparable(mean_low(total, squares, n)) }} > {{ var(warn) }} as is_confirmed
    from week
    where {{ n }} >= {{ var('min_n_rate') }}
        and {{ comparable(average) }} > {{ var(warn) }}
    {%- endfor %}
)

select
    agent_id,
    as_of,
    issue_type,
    severity,
    n,
    measured,
    measured_without_outliers,
    threshold,
    case when is_confirmed then 'confirmed' else 'provisional' end as evidence
from found
