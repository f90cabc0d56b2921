{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='message_key',
    on_schema_change='fail'
) }}
{#- One row per message: of its versions content chooses one. A message is written again when it
    gained a row or when the intent that it answers arrived or changed. #}
{%- set since = built_load_seq('load_seq') %}
with messages as (
    select
        message_key,
        project_id,
        session_key,
        event_link,
        turn_id,
        assistant_message_hash,
        tz_kind,
        ts_suspicious,
        occurred_at,
        occurred_on,
        row_number() over (
            partition by message_key
            order by content_hash, record_key, source_id, file_id, line_no, ordinal
        ) as version_rank,
        max(load_seq) over (partition by message_key) as key_load_seq,
        count(*) over (partition by message_key) as version_count
    from {{ ref('stg_events__chat_messages') }}
    {%- if since >= 0 %}
    where message_key in (
        select arrived.message_key
        from {{ ref('stg_events__chat_messages') }} as arrived
        where arrived.load_seq > {{ since }}
        union
        select built.message_key
        from {{ this }} as built
        inner join {{ ref('fct_intent_events') }} as intents on built.event_link = intents.event_link
        where intents.load_seq > {{ since }}
    )
    {%- endif %}
)

select
    ---------- ids
    messages.message_key,
    messages.project_id,
    messages.session_key,
    messages.event_link,
    intents.event_key as intent_event_key,
    messages.turn_id,
    messages.assistant_message_hash,
    ---------- text
    messages.tz_kind,
    ---------- numerics
    messages.version_count,
    greatest(messages.key_load_seq, coalesce(intents.load_seq, messages.key_load_seq)) as load_seq,
    ---------- booleans
    intents.event_key is not null as is_linked,
    messages.ts_suspicious,
    ---------- timestamps
    messages.occurred_at,
    messages.occurred_on
from messages
left join {{ ref('fct_intent_events') }} as intents on messages.event_link = intents.event_link
where messages.version_rank = 1
