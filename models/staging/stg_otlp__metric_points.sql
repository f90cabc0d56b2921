{#- One row per point of a metric: rename, cast. Delta points are to be summed, cumulative ones are
    counters: what they mean together is decided by who reads them. #}
with points as (
    select
        *,
        {{ otlp_instant('started_ns') }} as started_at,
        {{ otlp_instant('time_ns') }} as occurred_at
    from {{ source('raw', 'otlp_metrics') }}
)

select
    ---------- ids
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    series as series_key,
    {{ otlp_attribute(['session.id']) }} as session_id,
    ---------- text
    service_name,
    metric_name,
    unit,
    point_kind,
    temporality,
    {{ otlp_attribute(['model', 'gen_ai.response.model', 'gen_ai.request.model']) }} as model,
    {{ otlp_attribute(['type', 'gen_ai.token.type']) }} as token_type,
    {{ otlp_attribute(['query_source']) }} as query_source,
    {{ otlp_skill(otlp_attribute(['skill.name'])) }} as skill_name,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    try_cast(coalesce(value, point_sum) as double) as amount,
    try_cast(point_count as bigint) as observation_count,
    ---------- booleans
    coalesce(is_monotonic = 'true', false) as is_monotonic,
    {{ is_suspicious_instant('occurred_at', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    started_at,
    occurred_at,
    ingested_at
from points
