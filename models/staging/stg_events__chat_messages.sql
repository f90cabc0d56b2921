{#- One row per row of raw.chat_events: the assistant's messages, as hashes. #}
with events as (
    select
        *,
        {{ known_id('session_id') }} as known_session_id
    from {{ source('raw', 'chat_events') }}
),

{{ event_time_ctes('events') }}

select
    ---------- ids
    {{ key_128(['record_key']) }} as message_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    case
        when known_session_id is not null then {{ key_128(['project_id', 'known_session_id']) }}
    end as session_key,
    {{ event_link_keys({'event': 'intent_event_id'}) }},
    nullif(trim(turn_id), '') as turn_id,
    nullif(trim(assistant_message_hash), '') as assistant_message_hash,
    ---------- text
    ts as ts_raw,
    {{ event_tz_kind() }} as tz_kind,
    flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    ---------- booleans
    {{ event_tz_assumed() }} as tz_assumed,
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    {{ utc_day('occurred_at') }} as occurred_on,
    ingested_at
from timed
