{#- One row per row of raw.suggestion_feedback: what people thought of a suggestion. It has no
    agent, no cost and no latency, and it is never a task. -#}
with events as (
    select
        *,
        {{ boolean_text('is_accepted') }} as was_accepted,
        try_cast(confidence as double) as written_confidence
    from {{ source('raw', 'suggestion_feedback') }}
),

{{ event_time_ctes('events') }}

select
    ---------- ids
    {{ key_128(['record_key']) }} as feedback_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    ---------- text
    coalesce(nullif(lower(trim(category)), ''), 'unknown') as category,
    {{ event_tz_kind() }} as tz_kind,
    nullif(concat_ws(
        ',',
        flags,
        case
            when confidence is not null
                and not coalesce(written_confidence between 0 and 1, false)
                then 'confidence_refused'
        end
    ), '') as flags,
    updated_at as updated_at_raw,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    -- 0.5 is what the writer puts down when it does not know.
    case
        when written_confidence between 0 and 1 and written_confidence <> 0.5
            then written_confidence
    end as confidence,
    suggestion_length,
    ---------- booleans
    was_accepted as is_accepted,
    {{ event_tz_assumed() }} as tz_assumed,
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    {{ stated_instant('trim(updated_at)', "'UTC'") }} as updated_at,
    ingested_at
from timed
