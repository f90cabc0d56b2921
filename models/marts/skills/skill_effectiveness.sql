{#- How well a skill works over its whole history, with the one insight that matters most. #}
with skills as (
    select
        project_id,
        skill_name,
        total_invocations,
        successful_completions,
        failed_invocations,
        unknown_outcomes,
        successful_completions + failed_invocations as known_outcomes,
        success_rate,
        success_rate_low,
        success_rate_high,
        unknown_share,
        mostly_unknown,
        abandoned_n,
        duration_n,
        avg_duration_ms,
        avg_success_duration_ms,
        p50_duration_ms,
        p95_duration_ms,
        followup_n,
        avg_followup_actions,
        followup_rate,
        distinct_sessions,
        distinct_projects,
        evidence,
        first_used_at,
        last_used_at
    from {{ ref('skill_aggregates') }}
    where time_window = 'all'
),

insights as (
    select
        project_id,
        skill_name,
        insight,
        evidence,
        priority,
        recommendation,
        row_number() over (
            partition by project_id, skill_name
            order by
                case priority when 'high' then 1 when 'medium' then 2 else 3 end,
                case evidence when 'confirmed' then 1 else 2 end,
                insight
        ) as insight_rank
    from {{ ref('skill_insights') }}
)

select
    skills.project_id,
    skills.skill_name,
    skills.total_invocations,
    skills.successful_completions,
    skills.failed_invocations,
    skills.unknown_outcomes,
    skills.known_outcomes,
    skills.success_rate,
    skills.success_rate_low,
    skills.success_rate_high,
    skills.unknown_share,
    skills.mostly_unknown,
    skills.abandoned_n,
    {{ ratio('skills.abandoned_n', 'skills.known_outcomes') }} as abandoned_rate,
    skills.duration_n,
    skills.avg_duration_ms,
    skills.avg_success_duration_ms,
    skills.p50_duration_ms,
    skills.p95_duration_ms,
    skills.followup_n,
    skills.avg_followup_actions,
    skills.followup_rate,
    skills.distinct_sessions,
    skills.distinct_projects,
    skills.evidence,
    insights.insight,
    insights.evidence as insight_evidence,
    insights.priority as insight_priority,
    insights.recommendation,
    skills.first_used_at,
    skills.last_used_at
from skills
left join insights
    on skills.project_id = insights.project_id
    and skills.skill_name = insights.skill_name
    and insights.insight_rank = 1
