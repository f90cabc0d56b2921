{#- Which order of skills a workflow should take: the one whose success is best proven, then the
    faster one. The commonest of the fastest runs, which the earlier tools recommended, is shown for
    information: among fast runs the shortest sequence always wins, and failures are invisible. #}
with runs as (
    select
        facts.record_key,
        facts.project_id,
        facts.workflow_name,
        facts.sequence,
        facts.steps,
        facts.outcome,
        facts.duration_ms,
        facts.is_stale,
        facts.started_at
    from {{ ref('fct_workflow_runs') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active and facts.workflow_name is not null
),

scoped as (
    select * from runs
    union all
    select
        record_key,
        '__all__' as project_id,
        workflow_name,
        sequence,
        steps,
        outcome,
        duration_ms,
        is_stale,
        started_at
    from runs
),

workflows as (
    select
        project_id,
        workflow_name,
        count(*) filter (where outcome <> 'unknown') as workflow_known_runs
    from scoped
    group by project_id, workflow_name
),

counted as (
    select
        project_id,
        workflow_name,
        sequence,
        min(steps) as steps,
        count(*) as runs,
        count(*) filter (where outcome = 'success') as completed_runs,
        count(*) filter (where outcome = 'failure') as failed_runs,
        count(*) filter (where outcome = 'unknown') as unknown_runs,
        count(*) filter (where outcome <> 'unknown') as known_runs,
        count(*) filter (where is_stale) as stale_runs,
        count(duration_ms) filter (where outcome = 'success') as duration_n,
        {{ percentiles("case when outcome = 'success' then duration_ms end", [0.5]) }}
            as duration_quantiles,
        max(started_at) as last_started_at
    from scoped
    -- An unknown list of skills is no sequence, and neither is an empty one.
    where sequence <> ''
    group by project_id, workflow_name, sequence
),

rated as (
    select
        counted.*,
        {{ list_item('counted.duration_quantiles', 0) }} as p50_duration_ms,
        workflows.workflow_known_runs,
        {{ ratio('counted.completed_runs', 'counted.known_runs') }} as success_rate,
        {{ wilson('counted.completed_runs', 'counted.known_runs', 'low') }} as success_rate_low,
        {{ wilson('counted.completed_runs', 'counted.known_runs', 'high') }} as success_rate_high,
        counted.known_runs >= {{ var('min_sequence_runs') }}
        and workflows.workflow_known_runs >= {{ var('min_sequence_workflow_runs') }}
            as is_candidate
    from counted
    inner join workflows
        on counted.project_id = workflows.project_id
        and counted.workflow_name = workflows.workflow_name
),

ranked as (
    select
        *,
        case
            when is_candidate then row_number() over (
                partition by project_id, workflow_name, is_candidate
                order by
                    {{ comparable('success_rate_low') }} desc,
                    p50_duration_ms nulls last,
                    sequence
            )
        end as sequence_rank
    from rated
),

compared as (
    select
        *,
        max(case when sequence_rank > 1 then success_rate_high end) over (
            partition by project_id, workflow_name
        ) as best_rival_high,
        max(case when sequence_rank = 1 then success_rate_low end) over (
            partition by project_id, workflow_name
        ) as first_low
    from ranked
),

fast as (
    select
        project_id,
        workflow_name,
        sequence,
        row_number() over (
            partition by project_id, workflow_name
            order by duration_ms, record_key
        ) as speed_rank
    from scoped
    where outcome = 'success' and duration_ms is not null and sequence <> ''
),

modal as (
    select
        project_id,
        workflow_name,
        sequence,
        row_number() over (
            partition by project_id, workflow_name
            order by count(*) desc, sequence
        ) as frequency_rank
    from fast
    where speed_rank <= {{ var('fastest_runs') }}
    group by project_id, workflow_name, sequence
)

select
    compared.project_id,
    compared.workflow_name,
    compared.sequence,
    compared.steps,
    compared.sequence_rank,
    -- What never succeeded is recommended to nobody, even where nothing else was tried.
    coalesce(compared.sequence_rank = 1 and compared.completed_runs > 0, false) as is_recommended,
    compared.runs,
    compared.completed_runs,
    compared.failed_runs,
    compared.unknown_runs,
    compared.known_runs,
    compared.stale_runs,
    compared.workflow_known_runs,
    compared.success_rate,
    compared.success_rate_low,
    compared.success_rate_high,
    compared.duration_n,
    compared.p50_duration_ms,
    case
        when compared.known_runs = 0 then 'no_data'
        when not compared.is_candidate then 'insufficient_data'
        when compared.sequence_rank = 1
            and {{ comparable('compared.success_rate_low') }}
                > {{ comparable('compared.best_rival_high') }} then 'confirmed'
        when compared.sequence_rank > 1
            and {{ comparable('compared.success_rate_high') }}
                < {{ comparable('compared.first_low') }} then 'confirmed'
        else 'provisional'
    end as evidence,
    modal.sequence is not null as is_modal_of_fastest10,
    compared.last_started_at
from compared
left join modal
    on compared.project_id = modal.project_id
    and compared.workflow_name = modal.workflow_name
    and compared.sequence = modal.sequence
    and modal.frequency_rank = 1
