{{ config(materialized='view') }}
{#- Two answers to "which skills are best": the most used, and the surely good ones. The raw rate is
    no answer: 1 of 1 would come first. #}
with aggregates as (
    select
        project_id,
        time_window,
        bucket_start,
        skill_name,
        total_invocations,
        successful_completions,
        failed_invocations,
        unknown_outcomes,
        successful_completions + failed_invocations as known_outcomes,
        success_rate,
        success_rate_low,
        success_rate_high
    from {{ ref('skill_aggregates') }}
)

select
    project_id,
    time_window,
    bucket_start,
    skill_name,
    total_invocations,
    successful_completions,
    failed_invocations,
    unknown_outcomes,
    known_outcomes,
    success_rate,
    success_rate_low,
    success_rate_high,
    row_number() over (
        partition by project_id, time_window, bucket_start
        order by total_invocations desc, skill_name
    ) as rank_by_uses,
    case
        when known_outcomes >= {{ var('min_n_rank') }} then row_number() over (
            partition by
                project_id, time_window, bucket_start, known_outcomes >= {{ var('min_n_rank') }}
            order by success_rate_low desc, known_outcomes desc, skill_name
        )
    end as rank_by_quality,
    case
        when known_outcomes >= {{ var('min_n_rank') }} then 'sufficient' else 'insufficient_data'
    end as quality_evidence
from aggregates
