{#- Which skills go together with runs that succeed. A skill counts once per run, however often the
    run called it. An association and no cause: a skill may be called because a run goes badly. #}
with runs as (
    -- A run whose list of skills is unknown is on neither side; one with an empty list is surely
    -- without the skill.
    select
        facts.record_key,
        facts.project_id,
        facts.workflow_name,
        facts.skills_used,
        facts.outcome,
        {{ exact_ms('facts.duration_ms') }} as exact_duration_ms
    from {{ ref('fct_workflow_runs') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active and facts.workflow_name is not null and facts.skills_used is not null
),

scoped as (
    select * from runs
    union all
    select
        record_key,
        '__all__' as project_id,
        workflow_name,
        skills_used,
        outcome,
        exact_duration_ms
    from runs
),

workflows as (
    select
        project_id,
        workflow_name,
        count(*) filter (where outcome = 'success') as completed_runs,
        count(*) filter (where outcome = 'failure') as failed_runs
    from scoped
    group by project_id, workflow_name
),

uses as (
    select
        scoped.project_id,
        scoped.workflow_name,
        scoped.record_key,
        used.skill_name,
        scoped.outcome,
        scoped.exact_duration_ms,
        count(*) as occurrences
    from scoped
    {{ each_of('scoped.skills_used', 'used', 'skill_name') }}
    group by
        scoped.project_id,
        scoped.workflow_name,
        scoped.record_key,
        used.skill_name,
        scoped.outcome,
        scoped.exact_duration_ms
),

counted as (
    select
        project_id,
        workflow_name,
        skill_name,
        count(*) as usage_count,
        cast(sum(occurrences) as bigint) as occurrences,
        count(*) filter (where outcome = 'success') as completed_with,
        count(*) filter (where outcome = 'failure') as failed_with,
        count(*) filter (where outcome = 'unknown') as unknown_with,
        count(exact_duration_ms) as duration_n,
        sum(exact_duration_ms) as duration_sum_ms
    from uses
    group by project_id, workflow_name, skill_name
),

cells as (
    select
        counted.*,
        counted.completed_with + counted.failed_with as known_with,
        workflows.completed_runs - counted.completed_with as completed_without,
        workflows.failed_runs - counted.failed_with as failed_without,
        workflows.completed_runs,
        workflows.failed_runs,
        workflows.completed_runs + workflows.failed_runs as known_runs
    from counted
    inner join workflows
        on counted.project_id = workflows.project_id
        and counted.workflow_name = workflows.workflow_name
),

judged as (
    select
        *,
        -- Enough runs on both sides, and both endings among them: else there is nothing to relate.
        known_runs >= {{ var('min_workflow_known_runs') }}
        and least(known_with, known_runs - known_with) >= {{ var('min_workflow_side_runs') }}
        and completed_runs > 0
        and failed_runs > 0 as is_testable
    from cells
),

tested as (
    select
        *,
        case
            when is_testable then (
                cast(completed_with as double) * failed_without
                - cast(failed_with as double) * completed_without
            ) / sqrt(
                cast(known_with as double) * (known_runs - known_with)
                * completed_runs * failed_runs
            )
        end as phi,
        case
            when is_testable then {{ fisher_exact_p(
                'completed_with', 'failed_with', 'completed_without', 'failed_without'
            ) }}
        end as fisher_p
    from judged
),

limited as (
    select
        *,
        {{ bh_limit('fisher_p', 'project_id') }} as fisher_p_limit
    from tested
),

flagged as (
    select
        *,
        {{ bh_flag('fisher_p', 'fisher_p_limit', 'project_id') }} as flagged_bh
    from limited
)

select
    project_id,
    workflow_name,
    skill_name,
    usage_count,
    occurrences,
    known_runs,
    completed_with,
    failed_with,
    unknown_with,
    completed_without,
    failed_without,
    {{ ratio('completed_with', 'known_with') }} as success_rate,
    {{ wilson('completed_with', 'known_with', 'low') }} as success_rate_low,
    {{ wilson('completed_with', 'known_with', 'high') }} as success_rate_high,
    {{ ratio('completed_without', '(known_runs - known_with)') }} as success_rate_without,
    phi,
    fisher_p,
    flagged_bh,
    case
        when not is_testable then 'insufficient_data'
        when flagged_bh and {{ comparable('fisher_p') }} < {{ var('significance') }}
            then 'confirmed'
        else 'provisional'
    end as evidence,
    duration_n,
    {{ ratio('duration_sum_ms', 'duration_n') }} as avg_duration_ms
from flagged
