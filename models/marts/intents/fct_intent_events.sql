{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='event_key',
    on_schema_change='fail'
) }}
{#- The kept version of every event, with how its command ran. Executions arrive later than
    their intent, and a run-sheet entry or a command may be shared by several intents: an
    execution belongs to the nearest intent before it. So an event is written again when it
    gained a version, when something was executed under one of its links, or when another event
    came under a link that it shares. #}
{%- set since = built_load_seq('load_seq') %}
{%- set links = ['event', 'run_sheet', 'dsl'] %}
with kept as not materialized (
    select
        {{ intent_columns() | join(',\n        ') }},
        key_load_seq
    from {{ ref('int_intent_events__versioned') }}
    where is_kept
),

{% if since >= 0 %}
-- What is new under a link: an execution, or an intent in any of its versions.
new_links as materialized (
    select link_key
    from {{ ref('int_intent_executions__versioned') }}
    where key_load_seq > {{ since }} and link_key is not null
    {%- for link in links[1:] %}
    union
    select {{ link }}_link as link_key
    from {{ ref('int_intent_events__versioned') }}
    where key_load_seq > {{ since }}
        -- Commands repeat all the time; only those matter under which an execution was reported.
        and {{ link }}_link in (
            select reported.link_key
            from {{ ref('int_intent_executions__versioned') }} as reported
            where reported.link_kind = '{{ link }}'
        )
    {%- endfor %}
),

touched as materialized (
    select event_key
    from kept
    where key_load_seq > {{ since }}
    {%- for link in links %}
    union
    select event_key
    from kept
    where {{ link }}_link in (select new_links.link_key from new_links)
    {%- endfor %}
),

-- All events under these links compete for their executions.
looked_at as materialized (
    {%- for link in links %}
    select {{ link }}_link as link_key
    from kept
    where {{ link }}_link is not null
        and event_key in (select touched.event_key from touched)
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

{% endif %}
executed_links as materialized (
    select
        link_kind,
        link_key,
        max(key_load_seq) as executions_load_seq
    from {{ ref('int_intent_executions__versioned') }}
    {%- if since >= 0 %}
    where link_key in (select looked_at.link_key from looked_at)
    {%- else %}
    where link_key is not null
    {%- endif %}
    group by link_kind, link_key
),

-- How new a link is: its executions and, where intents can share it, all versions of those.
link_loads as materialized (
    select
        executed_links.link_kind,
        executed_links.link_key,
        greatest(
            executed_links.executions_load_seq,
            coalesce(sharing.intents_load_seq, executed_links.executions_load_seq)
        ) as link_load_seq
    from executed_links
    left join (
        {%- for link in links[1:] %}
        select
            '{{ link }}' as link_kind,
            {{ link }}_link as link_key,
            max(key_load_seq) as intents_load_seq
        from {{ ref('int_intent_events__versioned') }}
        where {{ link }}_link in (
            select executed_links.link_key
            from executed_links
            where executed_links.link_kind = '{{ link }}'
        )
        group by {{ link }}_link
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as sharing
        on executed_links.link_kind = sharing.link_kind
        and executed_links.link_key = sharing.link_key
),

-- Which events are under which executed link; few have any.
linked_events as materialized (
    {%- for link in links %}
    select
        kept.event_key,
        link_loads.link_kind,
        link_loads.link_key,
        link_loads.link_load_seq,
        kept.occurred_at
    from kept
    inner join link_loads on kept.{{ link }}_link = link_loads.link_key
    where link_loads.link_kind = '{{ link }}'
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

event_loads as (
    select
        event_key,
        max(link_load_seq) as link_load_seq
    from linked_events
    group by event_key
),

-- Each execution to one intent: the last one before it; when clocks disagree, the first after it.
assigned as (
    select
        linked_events.event_key,
        executions.execution_outcome,
        executions.error_class,
        executions.occurred_at,
        executions.content_hash,
        executions.execution_key,
        row_number() over (
            partition by executions.execution_key
            order by
                case when linked_events.occurred_at <= executions.occurred_at then 0 else 1 end,
                abs(
                    {{ epoch_micros('executions.occurred_at') }}
                    - {{ epoch_micros('linked_events.occurred_at') }}
                ) nulls last,
                linked_events.event_key
        ) as intent_rank
    from {{ ref('int_intent_executions__versioned') }} as executions
    inner join linked_events
        on executions.link_kind = linked_events.link_kind
        and executions.link_key = linked_events.link_key
    where executions.is_kept
),

-- Run more than once: the last run tells how the command ended.
last_run as (
    select
        event_key,
        execution_outcome,
        error_class,
        occurred_at as executed_at,
        count(*) over (partition by event_key) as execution_count,
        row_number() over (
            partition by event_key
            order by occurred_at desc nulls last, content_hash, execution_key
        ) as run_rank
    from assigned
    where intent_rank = 1
),

complete as (
    select
        kept.*,
        coalesce(last_run.execution_outcome, 'unknown') as execution_outcome,
        last_run.error_class as execution_error_class,
        coalesce(last_run.execution_count, 0) as execution_count,
        last_run.executed_at,
        greatest(kept.key_load_seq, coalesce(event_loads.link_load_seq, kept.key_load_seq))
            as load_seq
    from kept
    left join event_loads on kept.event_key = event_loads.event_key
    left join last_run on kept.event_key = last_run.event_key and last_run.run_rank = 1
    {%- if since >= 0 %}
    where kept.event_key in (select touched.event_key from touched)
    {%- endif %}
)

select
    ---------- the event
    {{ intent_columns() | join(',\n    ') }},
    ---------- what follows from it
    coalesce(forced_verb, chosen_verb) as final_verb,
    coalesce(dominant_entity_kind, subject_ref_type) as subject_kind,
    execution_outcome,
    execution_error_class,
    execution_count,
    load_seq,
    {{ in_classes('outcome_class', intent_failure_classes()) }} as is_failure,
    {{ in_classes('outcome_class', intent_friction_classes()) }} as is_friction,
    executed_at
from complete
