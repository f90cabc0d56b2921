{#- How old the newest event and the newest load of a project are, seen from as_of. #}
with projects as (
    select project_id
    from {{ ref('stg_ledger__projects') }}
    where is_active
),

context as (
    select max(as_of) as as_of
    from {{ ref('stg_ledger__run_context') }}
),

events as (
    select
        project_id,
        max(last_used_at) as last_event_at
    from {{ ref('skill_aggregates') }}
    where time_window = 'all'
    group by project_id
),

loads as (
    select
        project_id,
        max(loaded_at) as last_loaded_at,
        max(modified_at) as last_modified_at
    from {{ ref('stg_ledger__files') }}
    group by project_id
),

uncountable as (
    -- Kept in the facts and in no bucket: nobody can say when they happened.
    select
        project_id,
        count(*) as uncountable_invocations
    from {{ ref('fct_skill_invocations') }}
    where occurred_at is null or ts_suspicious
    group by project_id
),

aged as (
    select
        projects.project_id,
        events.last_event_at,
        loads.last_loaded_at,
        loads.last_modified_at,
        context.as_of,
        coalesce(uncountable.uncountable_invocations, 0) as uncountable_invocations,
        ({{ epoch_micros('context.as_of') }} - {{ epoch_micros('events.last_event_at') }})
        / 3600000000.0 as event_age_hours,
        ({{ epoch_micros('context.as_of') }} - {{ epoch_micros('loads.last_loaded_at') }})
        / 3600000000.0 as load_age_hours
    from projects
    cross join context
    left join events on projects.project_id = events.project_id
    left join loads on projects.project_id = loads.project_id
    left join uncountable on projects.project_id = uncountable.project_id
)

select
    project_id,
    case
        when last_event_at is null then 'empty'
        when {{ comparable('load_age_hours') }} > {{ var('stale_after_hours') }}
            and last_modified_at > last_loaded_at then 'stale'
        else 'ok'
    end as health,
    uncountable_invocations,
    cast(event_age_hours as double) as event_age_hours,
    cast(load_age_hours as double) as load_age_hours,
    last_event_at,
    last_loaded_at,
    as_of
from aged
