{#- One row per row of raw.agent_telemetry: rename, cast, normalise. Versions and copies are all
    here; which of them counts is decided in intermediate. #}
with records as (
    select
        *,
        {{ known_id('session_id') }} as known_session_id,
        {{ telemetry_record_type('record_type') }} as normal_record_type
    from {{ source('raw', 'agent_telemetry') }}
),

{{ event_time_ctes('records') }},

-- No call reads nothing and takes no time: a zero there is what a writer puts who does not know.
counted as (
    select
        *,
        nullif({{ token_count('prompt_tokens') }}, 0) as known_prompt_tokens,
        case
            when {{ token_count('completion_tokens') }} > 0
                or {{ token_count('prompt_tokens') }} > 0
                then {{ token_count('completion_tokens') }}
        end as known_completion_tokens,
        nullif({{ token_count('total_tokens') }}, 0) as stated_total_tokens,
        nullif({{ plausible_ms('try_cast(duration_ms as double)') }}, 0) as known_duration_ms
    from timed
)

select
    ---------- ids
    {{ key_128(['cast(record_key as varchar)', 'normal_record_type']) }} as telemetry_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    event_id,
    known_session_id as session_id,
    case
        when known_session_id is not null then {{ key_128(['project_id', 'known_session_id']) }}
    end as session_key,
    -- A record of no session is a turn of its own.
    case
        when known_session_id is not null then {{ key_128(['project_id', 'known_session_id']) }}
        else {{ key_128(["'agent_telemetry'", 'cast(record_key as varchar)']) }}
    end as turn_unit,
    user_message_hash,
    system_prompt_hash,
    response_hash,
    ---------- text
    record_type as record_type_raw,
    normal_record_type as record_type,
    coalesce(model, 'unknown') as model,
    nullif(trim(stop_reason), '') as stop_reason_raw,
    {{ listed_or_other('stop_reason', known_stop_reasons()) }} as stop_reason_base,
    nullif(trim(stop_detail), '') as stop_detail,
    {{ listed_or_other('turn_intent', ['conversational', 'action']) }} as turn_intent,
    {{ listed_or_other('chat_mode', ['vibe', 'collaborate', 'delegate']) }} as chat_mode,
    tool_names,
    {{ event_tz_kind() }} as tz_kind,
    flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    {{ turn_count('rounds') }} as rounds,
    {{ turn_count('tool_call_count') }} as stated_tool_call_count,
    {{ item_count(json_texts('tool_names')) }} as named_tool_count,
    tool_result_count,
    known_prompt_tokens as prompt_tokens,
    known_completion_tokens as completion_tokens,
    stated_total_tokens as total_tokens,
    known_prompt_tokens + known_completion_tokens as total_computed,
    known_duration_ms as duration_ms,
    user_message_length,
    system_prompt_length,
    history_messages,
    history_length,
    response_length,
    thoughts_length,
    ---------- booleans
    coalesce(stated_total_tokens <> known_prompt_tokens + known_completion_tokens, false)
        as totals_disagree,
    {{ event_tz_assumed() }} as tz_assumed,
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    {{ utc_day('occurred_at') }} as occurred_on,
    ingested_at
from counted
