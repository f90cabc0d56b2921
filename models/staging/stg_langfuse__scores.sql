{#- One row per version of a score: rename, cast. A score is of a trace, an observation or a
    session, and a trace may have many: whoever joins them must join one row per trace. #}
with scores as (
    {{ langfuse_rows(source('raw', 'langfuse_scores'), ['scored', 'updated']) }}
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
    session_id,
    ---------- text
    coalesce(score_name, 'unknown') as score_name,
    coalesce(data_type, 'unknown') as data_type,
    score_source,
    score_label,
    environment,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    try_cast(score_value as double) as score_value,
    ---------- booleans
    {{ is_suspicious_instant('scored_instant', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    scored_instant as scored_at,
    updated_instant as updated_at,
    ingested_at
from scores
