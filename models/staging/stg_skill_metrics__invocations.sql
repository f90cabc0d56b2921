{#- One row per row of raw.skill_usage: rename, cast, normalise. Versions and copies are all here;
    which of them counts is decided in intermediate. No window function: a refresh must not pay for
    history. #}
with usage as (
    select
        *,
        {{ timestamp_spelling('trim(completed_at)') }} as completed_spelling
    from {{ source('raw', 'skill_usage') }}
),

-- The one store whose writer lets SQLite stamp the time, which SQLite does in UTC, is SB.
{{ event_time_ctes(
    'usage', ['invoked_at'],
    zone="case when spelled.variant = 'SB' then 'UTC' else coalesce(zones.zone, 'UTC') end"
) }},

read as (
    select
        *,
        {{ normal_form('skill_name') }} as normal_skill_name,
        case
            when lower(trim(session_id)) not in (
                '', 'migrated',
                '00000000-0000-0000-0000-000000000000', '00000000000000000000000000000000'
            ) then trim(session_id)
        end as normal_session_id,
        case
            when variant = 'V-D' then try_cast(duration_ms as double)
            else try_cast(duration_seconds as double) * 1000
        end as written_duration_ms,
        coalesce(
            -- The durations of SA are those of its tracker's JSON, the placeholder among them.
            variant in ('V2', 'SA')
            and try_cast(duration_seconds as double) = {{ var('v2_placeholder_seconds') }},
            false
        ) as duration_is_placeholder,
        coalesce(error_class is not null and error_length > 0, false) as has_error,
        case completed_spelling
            when 'epoch' then {{ epoch_text_to_instant('trim(completed_at)') }}
            when 'offset' then {{ parse_timestamp('trim(completed_at)', 'timestamptz') }}
            when 'wall' then {{ wall_clock_to_instant(
                parse_timestamp('trim(completed_at)', 'timestamp'), 'zone'
            ) }}
        end as finished_at
    from timed
),

-- A store of the kind SB tells when an invocation ended and leaves the subtraction to its readers.
measured as (
    select
        *,
        case
            when variant in ('SA', 'SB') and written_duration_ms is null
                then ({{ epoch_micros('finished_at') }} - {{ epoch_micros('occurred_at') }})
                    / cast(1000 as double)
            else written_duration_ms
        end as read_duration_ms
    from read
),

kept as (
    select
        *,
        case
            when not duration_is_placeholder
                and read_duration_ms between 0 and {{ var('max_duration_ms') }}
                then read_duration_ms
        end as kept_duration_ms
    from measured
),

normalised as (
    select
        *,
        {{ outcome_detail(
            'variant', 'success', 'completed', 'has_error', 'kept_duration_ms is not null'
        ) }} as outcome_detail
    from kept
)

select
    ---------- ids
    {{ key_128([
        'project_id',
        'normal_skill_name',
        "coalesce(cast(" ~ epoch_micros('occurred_at') ~ " as varchar), trim(invoked_at))",
        "coalesce(normal_session_id, '')",
        'repeat_ordinal',
    ]) }} as usage_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    host_id,
    run_id,
    normal_session_id as session_id,
    case
        when normal_session_id is not null then {{ key_128(['project_id', 'normal_session_id']) }}
    end as session_key,
    ---------- text
    normal_skill_name as skill_name,
    variant,
    invoked_at as invoked_at_raw,
    {{ event_tz_kind('invoked_at') }} as tz_kind,
    {{ outcome('outcome_detail') }} as outcome,
    outcome_detail,
    workflow_path,
    workflow_phase,
    workflow,
    agent,
    error_class,
    alternatives,
    flags,
    ---------- numerics
    file_id,
    ordinal,
    repeat_ordinal,
    load_seq,
    kept_duration_ms as duration_ms,
    case when try_cast(followup_count as integer) >= 0 then try_cast(followup_count as integer) end
        as followup_count,
    case when try_cast(selection_rank as integer) > 0 then try_cast(selection_rank as integer) end
        as selection_rank,
    ---------- booleans
    outcome_detail = 'abandoned' as is_abandoned,
    has_error,
    duration_is_placeholder,
    coalesce(read_duration_ms > {{ var('max_duration_ms') }}, false) as duration_is_implausible,
    {{ event_tz_assumed('invoked_at') }} as tz_assumed,
    is_local_time_ambiguous,
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    {{ utc_day('occurred_at') }} as invoked_on,
    finished_at as completed_at,
    ingested_at
from normalised
