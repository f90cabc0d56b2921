{{ config(tags=['as_of', 'every_30_minutes']) }}
{#- One word on every agent that was ever seen; the first that fits. -#}
with agents as (
    select distinct agent_id from {{ ref('agent_metrics') }}
),

instant as (
    select closed.as_of from {{ closed_as_of() }} as closed
),

week as (
    select *
    from {{ ref('agent_metrics_rolling') }}
    where window_name = 'last_week'
),

issues as (
    select
        agent_id,
        count(*) as issue_count,
        count(*) filter (where severity = 'critical') as critical_count,
        count(*) filter (where severity = 'high') as high_count,
        count(*) filter (where severity = 'medium') as medium_count
    from {{ ref('agent_feedback_issues') }}
    group by agent_id
),

joined as (
    select
        agents.agent_id,
        instant.as_of,
        coalesce(week.task_count, 0) as task_count,
        coalesce(week.succeeded + week.failed, 0) as known_outcomes,
        coalesce(week.cost_known_count, 0) as cost_known_count,
        coalesce(week.latency_n, 0) as latency_n,
        week.success_rate,
        week.avg_cost_cents,
        week.avg_latency_ms,
        coalesce(issues.issue_count, 0) as issue_count,
        coalesce(issues.critical_count, 0) as critical_count,
        coalesce(issues.high_count, 0) as high_count,
        coalesce(issues.medium_count, 0) as medium_count
    from agents
    cross join instant
    left join week on agents.agent_id = week.agent_id
    left join issues on agents.agent_id = issues.agent_id
)

select
    agent_id,
    as_of,
    case
        when task_count = 0 then 'no_data'
        when greatest(known_outcomes, cost_known_count, latency_n) < {{ var('min_n_rate') }}
            then 'insufficient_data'
        when issue_count = 0 then 'healthy'
        when critical_count > 0 then 'critical'
        when issue_count > 2 then 'needs_improvement'
        else 'degraded'
    end as health,
    3 * critical_count + 2 * high_count + medium_count as priority,
    task_count,
    known_outcomes,
    cost_known_count,
    latency_n,
    success_rate,
    avg_cost_cents,
    avg_latency_ms,
    issue_count,
    critical_count,
    high_count,
    medium_count
from joined
