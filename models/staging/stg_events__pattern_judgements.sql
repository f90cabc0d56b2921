{#- One row per row of raw.pattern_judgements: what somebody thinks of a pattern. A name that was
    not kept is no pattern, and a figure outside 0..1 no quality. -#}
with events as (
    select
        *,
        try_cast(quality as double) as written_quality
    from {{ source('raw', 'pattern_judgements') }}
),

{{ event_time_ctes('events') }}

select
    ---------- ids
    record_key,
    content_hash,
    trim(event_id) as judgement_id,
    project_id,
    source_id,
    ---------- text
    nullif({{ normal_form('pattern') }}, 'other') as pattern,
    nullif(concat_ws(
        ',',
        flags,
        case
            when quality is not null and not coalesce(written_quality between 0 and 1, false)
                then 'quality_refused'
        end
    ), '') as flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    case when written_quality between 0 and 1 then written_quality end as quality,
    note_length,
    ---------- booleans
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at as judged_at,
    {{ stated_instant('trim(declared_at)', "'UTC'") }} as declared_at,
    ingested_at
from timed
