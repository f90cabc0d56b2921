{#- One row per row of raw.workflow_executions: rename, cast, normalise. Versions and copies are all
    here; which of them counts is decided in intermediate. #}
with executions as (
    select * from {{ source('raw', 'workflow_executions') }}
),

zones as (
    select source_id, zone from {{ source('raw', 'sources') }}
),

{{ zone_shift_days('zones') }},

spelled as (
    select
        *,
        {{ timestamp_spelling('trim(started_at)') }} as started_spelling,
        {{ timestamp_spelling('trim(completed_at)') }} as completed_spelling
    from executions
),

-- Each join below also keeps the engine from merging the steps before it into those after it, where
-- an expression would be computed once for each of its uses.
parsed as (
    select
        spelled.*,
        coalesce(zones.zone, 'UTC') as zone,
        {%- for name in ['started', 'completed'] %}
        {%- set text = 'trim(spelled.' ~ name ~ '_at)' %}
        case
            when spelled.{{ name }}_spelling = 'wall'
                then {{ parse_timestamp(text, 'timestamp') }}
        end as {{ name }}_wall,
        case
            when spelled.{{ name }}_spelling = 'offset'
                then {{ parse_timestamp(text, 'timestamptz') }}
            when spelled.{{ name }}_spelling = 'epoch'
                then {{ epoch_text_to_instant(text) }}
        end as {{ name }}_stated{{ ',' if not loop.last }}
        {%- endfor %}
    from spelled
    left join zones on spelled.source_id = zones.source_id
),

timed as (
    select
        parsed.*,
        {{ instant_of('parsed', 'started', 'start_shifts') }} as started_instant,
        {{ instant_of('parsed', 'completed', 'end_shifts') }} as completed_instant,
        case
            when start_shifts.zone is null then false
            else {{ is_ambiguous_wall_clock('parsed.started_wall', 'parsed.zone') }}
        end as is_local_time_ambiguous
    from parsed
    left join zone_shift_days as start_shifts
        on parsed.zone = start_shifts.zone
        and cast(parsed.started_wall as date) = start_shifts.shift_day
    left join zone_shift_days as end_shifts
        on parsed.zone = end_shifts.zone
        and cast(parsed.completed_wall as date) = end_shifts.shift_day
),

read as (
    select
        *,
        {{ workflow_status('lower(trim(status))') }} as normal_status,
        {{ plausible_ms('try_cast(total_duration_ms as double)') }} as reported_duration_ms,
        {{ plausible_ms(
            '(' ~ epoch_micros('completed_instant') ~ ' - ' ~ epoch_micros('started_instant')
            ~ ') / 1000.0'
        ) }} as derived_duration_ms
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
    case
        when started_spelling = 'nothing' then 'missing'
        when started_instant is null then 'invalid'
        when started_spelling <> 'wall' then 'explicit'
        when zone = 'UTC' then 'assumed_utc'
        else 'assumed_local'
    end as tz_kind,
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
    coalesce(started_spelling = 'wall' and started_instant is not null, false) as tz_assumed,
    is_local_time_ambiguous,
    coalesce(
        started_instant < cast('{{ var("earliest_plausible_at") }} 00:00:00+00' as timestamptz)
        or started_instant > ingested_at + interval {{ var('max_clock_skew_hours') }} hour,
        false
    ) as ts_suspicious,
    ---------- timestamps
    started_instant as started_at,
    {{ utc_day('started_instant') }} as started_on,
    completed_instant as completed_at,
    ingested_at
from read
