{#- Whether a skill is worth its place in a workflow: the rule "include the step if its success rate
    is above 0.9", with the sample size that the rule needs. Lack of data never drops a step. #}
with skills as (
    select
        project_id,
        skill_name,
        total_invocations,
        successful_completions,
        failed_invocations,
        unknown_outcomes,
        known_outcomes,
        success_rate,
        success_rate_low,
        success_rate_high
    from {{ ref('skill_aggregates') }}
    where time_window = 'all'
),

-- A run belongs to one workflow, so runs add up over them.
runs as (
    select
        project_id,
        skill_name,
        count(*) as workflow_count,
        cast(sum(usage_count) as bigint) as workflow_runs,
        cast(sum(completed_with) as bigint) as workflow_runs_completed,
        cast(sum(failed_with) as bigint) as workflow_runs_failed
    from {{ ref('workflow_skill_correlation') }}
    group by project_id, skill_name
),

joined as (
    select
        coalesce(skills.project_id, runs.project_id) as project_id,
        coalesce(skills.skill_name, runs.skill_name) as skill_name,
        coalesce(skills.total_invocations, 0) as total_invocations,
        coalesce(skills.successful_completions, 0) as successful_completions,
        coalesce(skills.failed_invocations, 0) as failed_invocations,
        coalesce(skills.unknown_outcomes, 0) as unknown_outcomes,
        coalesce(skills.known_outcomes, 0) as known_outcomes,
        skills.success_rate,
        skills.success_rate_low,
        skills.success_rate_high,
        coalesce(runs.workflow_count, 0) as workflow_count,
        coalesce(runs.workflow_runs, 0) as workflow_runs,
        coalesce(runs.workflow_runs_completed, 0) as workflow_runs_completed,
        coalesce(runs.workflow_runs_failed, 0) as workflow_runs_failed
    from skills
    full outer join runs
        on skills.project_id = runs.project_id
        and skills.skill_name = runs.skill_name
),

reasoned as (
    select
        *,
        case
            when known_outcomes < {{ var('min_n_rate') }} then 'too_few_outcomes'
            when {{ comparable('success_rate_low') }} > {{ var('include_step_rate') }}
                then 'proven_reliable'
            when {{ comparable('success_rate') }} > {{ var('include_step_rate') }}
                then 'probably_reliable'
            when {{ comparable('success_rate_high') }} < {{ var('include_step_rate') }}
                then 'proven_unreliable'
            else 'undecided'
        end as reason
    from joined
)

select
    project_id,
    skill_name,
    case reason
        when 'proven_reliable' then 'include'
        when 'probably_reliable' then 'include'
        when 'proven_unreliable' then 'exclude'
        else 'keep_default'
    end as decision,
    case reason
        when 'too_few_outcomes' then 'insufficient_data'
        when 'proven_reliable' then 'confirmed'
        when 'proven_unreliable' then 'confirmed'
        else 'provisional'
    end as evidence,
    reason,
    case reason
        when 'too_few_outcomes' then 'Keep the step: too few outcomes are known to judge it.'
        when 'proven_reliable' then 'Keep the step: it surely succeeds often enough.'
        when 'probably_reliable' then 'Keep the step: it seems to succeed often enough.'
        when 'proven_unreliable' then 'Leave the step out, or mend it: it surely fails too often.'
        else 'Keep the step: the outcomes do not decide either way.'
    end as recommendation,
    total_invocations,
    successful_completions,
    failed_invocations,
    unknown_outcomes,
    known_outcomes,
    success_rate,
    success_rate_low,
    success_rate_high,
    cast({{ var('include_step_rate') }} as double) as include_step_rate,
    workflow_count,
    workflow_runs,
    workflow_runs_completed,
    workflow_runs_failed
from reasoned
