{#- When an event of a log happened: the CTEs `zones`, `zone_shift_days`, `spelled`, `placed`
    and `timed` over a CTE with `ts` and `source_id`. The same rules as for skill invocations;
    the joins also keep the engine from computing the expressions of the caller's CTE once for
    each use. `timed` adds occurred_at, is_local_time_ambiguous and ts_spelling. -#}
{% macro event_time_ctes(relation) -%}
zones as (
    select source_id, zone from {{ source('raw', 'sources') }}
),

{{ zone_shift_days('zones') }},

spelled as (
    select
        *,
        {{ timestamp_spelling('trim(ts)') }} as ts_spelling
    from {{ relation }}
),

placed as (
    select
        spelled.*,
        coalesce(zones.zone, 'UTC') as zone,
        case
            when spelled.ts_spelling = 'wall'
                then {{ parse_timestamp('trim(spelled.ts)', 'timestamp') }}
        end as wall_clock,
        case
            when spelled.ts_spelling = 'offset'
                then {{ parse_timestamp('trim(spelled.ts)', 'timestamptz') }}
            when spelled.ts_spelling = 'epoch'
                then {{ epoch_text_to_instant('trim(spelled.ts)') }}
        end as stated_instant
    from spelled
    left join zones on spelled.source_id = zones.source_id
),

timed as (
    select
        placed.*,
        case
            when placed.wall_clock is null then placed.stated_instant
            when shifts.zone is null
                then {{ wall_clock_to_instant('placed.wall_clock', 'placed.zone') }}
            else {{ first_reading('placed.wall_clock', 'placed.zone') }}
        end as occurred_at,
        case
            when shifts.zone is null then false
            else {{ is_ambiguous_wall_clock('placed.wall_clock', 'placed.zone') }}
        end as is_local_time_ambiguous
    from placed
    left join zone_shift_days as shifts
        on placed.zone = shifts.zone
        and cast(placed.wall_clock as date) = shifts.shift_day
)
{%- endmacro %}

{#- How the time was read, from the columns of `timed`. -#}
{% macro event_tz_kind() -%}
case
    when ts_spelling = 'nothing' then 'missing'
    when occurred_at is null then 'invalid'
    when ts_spelling <> 'wall' then 'explicit'
    when zone = 'UTC' then 'assumed_utc'
    else 'assumed_local'
end
{%- endmacro %}

{% macro event_tz_assumed() -%}
coalesce(ts_spelling = 'wall' and occurred_at is not null, false)
{%- endmacro %}

{% macro event_ts_suspicious() -%}
coalesce(
        occurred_at < cast('{{ var("earliest_plausible_at") }} 00:00:00+00' as timestamptz)
        or occurred_at > ingested_at + interval {{ var('max_clock_skew_hours') }} hour,
        false
    )
{%- endmacro %}

{#- What ties events of different logs together: a key of each id that an event names, null for
    none. A UUID is its own key, which costs a tenth of a hash. -#}
{% macro event_link_keys(columns) -%}
{%- for link, column in columns.items() %}
    case
        when {{ known_id(column) }} is not null then coalesce(
            {{ uuid_of('trim(' ~ column ~ ')') }}, {{ key_128(['lower(trim(' ~ column ~ '))']) }}
        )
    end as {{ link }}_link{{ ',' if not loop.last }}
{%- endfor %}
{%- endmacro %}
