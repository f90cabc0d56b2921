{#- One row per version of a trace: rename, cast. Times without a zone are UTC: that is the
    contract of the export. #}
with traces as (
    {{ langfuse_rows(source('raw', 'langfuse_traces'), ['started', 'updated']) }}
)

select
    ---------- ids
    {{ key_128(["'langfuse'", 'trace_id']) }} as trace_key,
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    session_id,
    ---------- text
    coalesce(trace_name, 'unknown') as trace_name,
    environment,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    ---------- booleans
    {{ is_suspicious_instant('started_instant', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    started_instant as started_at,
    updated_instant as updated_at,
    ingested_at
from traces
