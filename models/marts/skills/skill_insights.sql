{#- What the numbers allow to say about a skill. An estimate beyond the threshold is provisional;
    only an interval wholly beyond it is confirmed. #}
with skills as (
    select
        project_id,
        skill_name,
        total_invocations,
        successful_completions,
        unknown_outcomes,
        successful_completions + failed_invocations as known_outcomes,
        success_rate,
        success_rate_low,
        success_rate_high,
        unknown_share,
        followup_n,
        followup_sum,
        avg_followup_actions,
        -- Sample standard deviation from the exact sums; never below zero by rounding.
        case
            when followup_n > 1 then sqrt(greatest(
                0.0,
                (
                    cast(followup_sumsq as double)
                    - cast(followup_sum as double) * followup_sum / followup_n
                ) / (followup_n - 1)
            ))
        end as followup_sd
    from {{ ref('skill_aggregates') }}
    where time_window = 'all'
),

bounded as (
    select
        *,
        avg_followup_actions - {{ var('mean_z') }} * followup_sd / sqrt(cast(followup_n as double))
            as avg_followup_low
    from skills
    where total_invocations > 0
),

found as (
    select
        project_id,
        skill_name,
        'low_success' as insight,
        {{ comparable('success_rate_high') }} < {{ var('rate_low') }} as is_confirmed,
        success_rate as value,
        {{ var('rate_low') }} as threshold,
        successful_completions as numerator,
        known_outcomes as denominator
    from bounded
    where known_outcomes >= {{ var('min_n_rate') }}
        and {{ comparable('success_rate') }} < {{ var('rate_low') }}
    union all
    select
        project_id,
        skill_name,
        'well_tuned' as insight,
        {{ comparable('success_rate_low') }} > {{ var('rate_high') }} as is_confirmed,
        success_rate as value,
        {{ var('rate_high') }} as threshold,
        successful_completions as numerator,
        known_outcomes as denominator
    from bounded
    where known_outcomes >= {{ var('min_n_rate') }}
        and {{ comparable('success_rate') }} > {{ var('rate_high') }}
    union all
    select
        project_id,
        skill_name,
        'needs_refinement' as insight,
        {{ comparable('avg_followup_low') }} > {{ var('followups_high') }} as is_confirmed,
        avg_followup_actions as value,
        {{ var('followups_high') }} as threshold,
        followup_sum as numerator,
        followup_n as denominator
    from bounded
    where followup_n >= {{ var('min_n_rate') }}
        and {{ comparable('avg_followup_actions') }} > {{ var('followups_high') }}
    union all
    select
        project_id,
        skill_name,
        'unmeasured' as insight,
        -- How much is unknown is counted, not estimated; what it would have been stays open.
        false as is_confirmed,
        unknown_share as value,
        {{ var('unknown_share_high') }} as threshold,
        unknown_outcomes as numerator,
        total_invocations as denominator
    from bounded
    where total_invocations >= {{ var('min_n_rate') }}
        and {{ comparable('unknown_share') }} > {{ var('unknown_share_high') }}
)

select
    project_id,
    skill_name,
    insight,
    case when is_confirmed then 'confirmed' else 'provisional' end as evidence,
    case
        when insight = 'low_success' and is_confirmed then 'high'
        when insight in ('low_success', 'needs_refinement') then 'medium'
        else 'low'
    end as priority,
    case insight
        when 'low_success' then 'Review the prompt of this skill.'
        when 'well_tuned' then 'Keep this skill as it is.'
        when 'needs_refinement' then 'Refine this skill: its outcome needs manual rework.'
        when 'unmeasured' then 'Record the outcomes of this skill.'
    end as recommendation,
    cast(value as double) as value,
    cast(threshold as double) as threshold,
    cast(numerator as bigint) as numerator,
    cast(denominator as bigint) as denominator
from found
