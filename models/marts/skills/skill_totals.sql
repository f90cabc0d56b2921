{{ config(materialized='view') }}
{#- Sums over skills of what adds up over them. Sessions do not (one session uses several skills),
    and neither do quantiles: they are not here. #}
with summed as (
    select
        project_id,
        time_window,
        bucket_start,
        count(*) as distinct_skills,
        cast(sum(total_invocations) as bigint) as total_invocations,
        cast(sum(successful_completions) as bigint) as successful_completions,
        cast(sum(failed_invocations) as bigint) as failed_invocations,
        cast(sum(unknown_outcomes) as bigint) as unknown_outcomes,
        cast(sum(known_outcomes) as bigint) as known_outcomes,
        cast(sum(abandoned_n) as bigint) as abandoned_n,
        cast(sum(duration_n) as bigint) as duration_n,
        sum(duration_sum_ms) as duration_sum_ms,
        cast(sum(followup_n) as bigint) as followup_n,
        sum(followup_sum) as followup_sum,
        sum(followup_positive_n) as followup_positive_n,
        min(first_used_at) as first_used_at,
        max(last_used_at) as last_used_at
    from {{ ref('skill_aggregates') }}
    group by project_id, time_window, bucket_start
)

select
    project_id,
    time_window,
    bucket_start,
    distinct_skills,
    total_invocations,
    successful_completions,
    failed_invocations,
    unknown_outcomes,
    known_outcomes,
    {{ ratio('successful_completions', 'known_outcomes') }} as success_rate,
    {{ wilson('successful_completions', 'known_outcomes', 'low') }} as success_rate_low,
    {{ wilson('successful_completions', 'known_outcomes', 'high') }} as success_rate_high,
    {{ ratio('unknown_outcomes', 'total_invocations') }} as unknown_share,
    abandoned_n,
    duration_n,
    {{ ratio('duration_sum_ms', 'duration_n') }} as avg_duration_ms,
    followup_n,
    {{ ratio('followup_sum', 'followup_n') }} as avg_followup_actions,
    {{ ratio('followup_positive_n', 'followup_n') }} as followup_rate,
    case
        when known_outcomes < {{ var('min_n_rate') }} then 'insufficient_data' else 'sufficient'
    end as evidence,
    first_used_at,
    last_used_at
from summed
