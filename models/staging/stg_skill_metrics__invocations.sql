{#- One row per row of raw.skill_usage: rename, cast, normalise. Versions and copies are all here; which
    of them counts is decided in intermediate. No window function: a refresh must not pay for history. #}
with usage as (
    select * from {{ source('raw', 'skill_usage') }}
),

zones as (
    select source_id, zone from {{ source('raw', 'sources') }}
),

trimmed as (
    select
        usage.*,
        coalesce(zones.zone, 'UTC') as zone,
        trim(usage.invoked_at) as invoked_text,
        trim(usage.completed_at) as completed_text
    from usage
    left join zones on usage.source_id = zones.source_id
),

read as (
    select
        usage.*,
        {{ timestamp_spelling('usage.invoked_text') }} as invoked_spelling,
        {{ timestamp_spelling('usage.completed_text') }} as completed_spelling,
        {{ normal_form('usage.skill_name') }} as normal_skill_name,
        case
            when lower(trim(usage.session_id)) not in (
                '', 'migrated',
                '00000000-0000-0000-0000-000000000000', '00000000000000000000000000000000'
            ) then trim(usage.session_id)
        end as normal_session_id,
        case
            when usage.variant = 'V-D' then try_cast(usage.duration_ms as double)
            else try_cast(usage.duration_seconds as double) * 1000
        end as read_duration_ms,
        coalesce(
            usage.variant = 'V2'
            and try_cast(usage.duration_seconds as double) = {{ var('v2_placeholder_seconds') }},
            false
        ) as duration_is_placeholder,
        coalesce(usage.error_class is not null and usage.error_length > 0, false) as has_error
    from trimmed as usage
),

-- A wall clock that the zone shows twice (end of summer time) means its first reading; the engine
-- takes the second. Four hours earlier the old offset still holds: no zone turns back by more than three.
-- One step per CTE: an alias used within its own select would be computed again at each use.
wall_clocks as (
    select
        *,
        case
            when invoked_spelling = 'wall' then {{ parse_timestamp('invoked_text', 'timestamp') }}
        end as wall_clock
    from read
),

wall_instants as (
    select
        *,
        {{ wall_clock_to_instant('wall_clock', 'zone') }} as wall_instant
    from wall_clocks
),

earlier_offsets as (
    select
        *,
        case
            when zone <> 'UTC' then
                {{ epoch_micros(instant_to_wall_clock('wall_instant - interval 4 hour', 'zone')) }}
                - {{ epoch_micros('wall_instant') }} + 14400000000
        end as offset_before
    from wall_instants
),

earlier_readings as (
    select
        *,
        case
            when offset_before <> {{ epoch_micros('wall_clock') }} - {{ epoch_micros('wall_instant') }}
                then {{ instant_from_micros(epoch_micros('wall_clock') ~ ' - offset_before') }}
        end as reading_before
    from earlier_offsets
),

readings as (
    select
        *,
        coalesce(
            reading_before < wall_instant
            and {{ instant_to_wall_clock('reading_before', 'zone') }} = wall_clock,
            false
        ) as is_shown_twice,
        -- The hour that is skipped in spring: the engine reads it with the offset before the change.
        coalesce(
            reading_before is null
            and {{ instant_to_wall_clock('wall_instant', 'zone') }} <> wall_clock,
            false
        ) as is_never_shown
    from earlier_readings
),

instants as (
    select
        *,
        case invoked_spelling
            when 'epoch' then {{ epoch_text_to_instant('invoked_text') }}
            when 'offset' then {{ parse_timestamp('invoked_text', 'timestamptz') }}
            when 'wall' then case when is_shown_twice then reading_before else wall_instant end
        end as invoked_instant,
        case completed_spelling
            when 'epoch' then {{ epoch_text_to_instant('completed_text') }}
            when 'offset' then {{ parse_timestamp('completed_text', 'timestamptz') }}
            when 'wall' then
                {{ wall_clock_to_instant(parse_timestamp('completed_text', 'timestamp'), 'zone') }}
        end as completed_instant
    from readings
),

finite as (
    select
        *,
        case when isfinite(invoked_instant) then invoked_instant end as occurred_at,
        case when isfinite(completed_instant) then completed_instant end as finished_at,
        case
            when not duration_is_placeholder
                and read_duration_ms between 0 and {{ var('max_duration_ms') }}
                then read_duration_ms
        end as kept_duration_ms
    from instants
),

normalised as (
    select
        *,
        {{ outcome_detail('variant', 'success', 'completed', 'has_error', 'kept_duration_ms is not null') }}
            as outcome_detail
    from finite
)

select
    ---------- ids
    {{ key_128([
        'project_id',
        'normal_skill_name',
        "coalesce(cast(" ~ epoch_micros('occurred_at') ~ " as varchar), invoked_text)",
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
    case
        when invoked_spelling = 'nothing' then 'missing'
        when occurred_at is null then 'invalid'
        when invoked_spelling <> 'wall' then 'explicit'
        when zone = 'UTC' then 'assumed_utc'
        else 'assumed_local'
    end as tz_kind,
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
    coalesce(invoked_spelling = 'wall' and occurred_at is not null, false) as tz_assumed,
    is_shown_twice or is_never_shown as is_local_time_ambiguous,
    coalesce(
        occurred_at < cast('{{ var("earliest_plausible_at") }} 00:00:00+00' as timestamptz)
        or occurred_at > ingested_at + interval {{ var('max_clock_skew_hours') }} hour,
        false
    ) as ts_suspicious,
    ---------- timestamps
    occurred_at,
    {{ utc_day('occurred_at') }} as invoked_on,
    finished_at as completed_at,
    ingested_at
from normalised
