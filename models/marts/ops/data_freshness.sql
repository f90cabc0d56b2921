{#- How old the newest event and the newest load of a project are, seen from as_of. An event is a
    record of any kind: a project may hold intents alone. #}
{%- set facts = [
    (ref('fct_skill_invocations'), 'occurred_at', none),
    (ref('fct_intent_events'), 'occurred_at', none),
    (ref('int_intent_executions__versioned'), 'occurred_at', 'is_kept'),
    (ref('fct_chat_messages'), 'occurred_at', none),
    (ref('fct_workflow_runs'), 'started_at', none),
    (ref('fct_llm_calls'), 'occurred_at', none),
    (ref('fct_tool_calls'), 'occurred_at', none),
] %}
with projects as (
    select
        project_id,
        project_type
    from {{ ref('stg_ledger__projects') }}
    where is_active
),

context as (
    select max(as_of) as as_of
    from {{ ref('stg_ledger__run_context') }}
),

by_kind as (
    {%- for fact, happened_at, counts in facts %}
    select
        project_id,
        max(case when not ts_suspicious then {{ happened_at }} end) as last_event_at,
        -- Kept in the facts and in no bucket: nobody can say when they happened.
        count(case when {{ happened_at }} is null or ts_suspicious then 1 end) as uncountable
    from {{ fact }}
    {%- if counts %}
    where {{ counts }}
    {%- endif %}
    group by project_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

events as (
    select
        project_id,
        max(last_event_at) as last_event_at,
        cast(sum(uncountable) as bigint) as uncountable_invocations
    from by_kind
    group by project_id
),

loads as (
    select
        project_id,
        max(loaded_at) as last_loaded_at,
        max(modified_at) as last_modified_at,
        coalesce(sum(accepted), 0) > 0 as has_records
    from {{ ref('stg_ledger__files') }}
    group by project_id
),

aged as (
    select
        projects.project_id,
        events.last_event_at,
        loads.last_loaded_at,
        loads.last_modified_at,
        context.as_of,
        coalesce(events.uncountable_invocations, 0) as uncountable_invocations,
        ({{ epoch_micros('context.as_of') }} - {{ epoch_micros('events.last_event_at') }})
        / 3600000000.0 as event_age_hours,
        ({{ epoch_micros('context.as_of') }} - {{ epoch_micros('loads.last_loaded_at') }})
        / 3600000000.0 as load_age_hours
    from projects
    cross join context
    left join events on projects.project_id = events.project_id
    left join loads on projects.project_id = loads.project_id
    -- A folder of the ledger itself is no project until it holds an event: reads never are one. Nor
    -- is a source whose records all count to projects that they name: it is not empty either.
    where events.project_id is not null
        or (
            projects.project_type is distinct from 'own'
            and not coalesce(projects.project_type = 'source' and loads.has_records, false)
        )
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
