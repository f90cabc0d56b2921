{#- One row per version of a score: rename, cast. A score is of a trace, an observation or a
    session, and a trace may have many: whoever joins them must join one row per trace. #}
with scores as (
    {{ langfuse_rows(source('raw', 'langfuse_scores'), ['scored', 'updated']) }}
),

numbered as (
    select
        *,
        try_cast(score_value as double) as number
    from scores
),

kinds as (
    select
        *,
        case
            when data_type in ('NUMERIC', 'BOOLEAN', 'CATEGORICAL', 'TEXT') then lower(data_type)
            when number is not null then 'numeric'
            else 'unknown'
        end as score_kind
    from numbered
)

select
    ---------- ids
    {{ key_128(["'langfuse score'", 'score_id']) }} as score_key,
    case when trace_id is not null then {{ key_128(["'langfuse'", 'trace_id']) }} end as trace_key,
    case
        when trace_id is not null and observation_id is not null
            then {{ key_128(["'langfuse'", 'trace_id', 'observation_id']) }}
    end as observation_key,
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    trace_id,
    session_id,
    ---------- text
    coalesce(score_name, 'unknown') as score_name,
    coalesce(data_type, 'unknown') as data_type,
    score_kind,
    score_source,
    score_label,
    case when score_kind = 'categorical' then score_label end as category,
    environment,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    number as score_value,
    -- Beyond it nothing is a measure, and sums must stay exact.
    case
        when score_kind = 'numeric' and abs(number) <= {{ var('max_score_value') }} then number
    end as numeric_value,
    ---------- booleans
    case
        when score_kind <> 'boolean' then null
        when number = 1 then true
        when number = 0 then false
        when number is null and lower(score_label) = 'true' then true
        when number is null and lower(score_label) = 'false' then false
    end as is_true,
    {{ is_suspicious_instant('scored_instant', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    scored_instant as scored_at,
    updated_instant as updated_at,
    ingested_at
from kinds
