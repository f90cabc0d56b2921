{#- One row per row of raw.workflow_executions: rename, cast, normalise. Versions and copies are all
    here; which of them counts is decided in intermediate. #}
with executions as (
    select * from {{ source('raw', 'workflow_executions') }}
),

{{ event_time_ctes('executions', ['started_at', 'completed_at']) }},

read as (
    select
        *,
        {{ workflow_status('lower(trim(status))') }} as normal_status,
        {{ plausible_ms('try_cast(total_duration_ms as double)') }} as reported_duration_ms,
        {{ plausible_ms(milliseconds_between('occurred_at', 'completed_at_instant')) }}
            as derived_duration_ms
    from timed
)

select
    ---------- ids
    record_key,
    content_hash,
    project_id,
    source_id,
    host_id,
    run_id,
    workflow_id,
    ---------- text
    nullif({{ normal_form('workflow_name') }}, '') as workflow_name,
    status as status_raw,
    normal_status as status,
    {{ workflow_outcome('normal_status') }} as outcome,
    {{ name_list('skills_used') }} as skills_used,
    started_at as started_at_raw,
    {{ event_tz_kind('started_at') }} as tz_kind,
    flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    reported_duration_ms,
    derived_duration_ms,
    coalesce(reported_duration_ms, derived_duration_ms) as duration_ms,
    ---------- booleans
    coalesce(
        {{ comparable('abs(reported_duration_ms - derived_duration_ms)') }}
            > {{ var('duration_disagreement_ms') }},
        false
    ) as duration_disagrees,
    coalesce(error_length > 0, false) as has_error,
    {{ event_tz_assumed('started_at') }} as tz_assumed,
    is_local_time_ambiguous,
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at as started_at,
    {{ utc_day('occurred_at') }} as started_on,
    completed_at_instant as completed_at,
    ingested_at
from read
