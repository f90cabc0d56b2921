{#- Wall clocks of a zone. Where a zone turns its clocks back it shows an hour twice: text without an offset
    then means the first reading, and is flagged; the engine alone would take the second. Where it
    turns them forward it never shows an hour: the engine's reading stands, and is flagged. -#}

{#- CTE zone_shift_days (zone, shift_day): the days around each change of offset, for the zones in use. Few
    rows need the full look, so that the others cost one conversion. -#}
{% macro zone_shift_days(zones) %}{{ return(adapter.dispatch('zone_shift_days', 'agentledger')(zones)) }}{% endmacro %}
{% macro duckdb__zone_shift_days(zones) -%}
zone_offsets as (
    select
        used.zone,
        cast(days.day as date) as utc_day,
        {{ zone_offset_micros('cast(days.day as timestamptz)', 'used.zone') }} as offset_micros,
        {{ zone_offset_micros("cast(days.day as timestamptz) + interval 24 hour", 'used.zone') }}
            as next_offset_micros
    from (
        select distinct zone from {{ zones }} where zone <> 'UTC'
    ) as used
    cross join generate_series(
        timestamptz '{{ var("earliest_plausible_at") }} 00:00:00+00',
        timestamptz '{{ var("latest_zone_rule_at") }} 00:00:00+00',
        interval 24 hour
    ) as days (day)
),

zone_shift_days as (
    -- A day to both sides: the change is known by its UTC day, the clock by its own.
    select distinct zone_offsets.zone, zone_offsets.utc_day + neighbours.days as shift_day
    from zone_offsets
    cross join (values (-1), (0), (1), (2)) as neighbours (days)
    where zone_offsets.offset_micros <> zone_offsets.next_offset_micros
)
{%- endmacro %}
{% macro spark__zone_shift_days(zones) -%}
zone_offsets as (
    select
        used.zone,
        to_date(used.day) as utc_day,
        {{ zone_offset_micros('used.day', 'used.zone') }} as offset_micros,
        {{ zone_offset_micros('used.day + interval 24 hours', 'used.zone') }} as next_offset_micros
    from (
        select
            distinct_zones.zone,
            explode(sequence(
                timestamp '{{ var("earliest_plausible_at") }} 00:00:00',
                timestamp '{{ var("latest_zone_rule_at") }} 00:00:00',
                interval 24 hours
            )) as day
        from (select distinct zone from {{ zones }} where zone <> 'UTC') as distinct_zones
    ) as used
),

zone_shift_days as (
    select distinct zone_offsets.zone, date_add(zone_offsets.utc_day, neighbours.days) as shift_day
    from zone_offsets
    cross join (values (-1), (0), (1), (2)) as neighbours (days)
    where zone_offsets.offset_micros <> zone_offsets.next_offset_micros
)
{%- endmacro %}

{% macro zone_offset_micros(instant, zone) -%}
{{ epoch_micros(instant_to_wall_clock(instant, zone)) }} - {{ epoch_micros(instant) }}
{%- endmacro %}

{#- The reading with the offset that held four hours before: no zone turns back by more than three. -#}
{% macro earlier_reading(wall_clock, zone) -%}
{%- set instant = wall_clock_to_instant(wall_clock, zone) -%}
{{ instant_from_micros(
    epoch_micros(wall_clock) ~ ' - (' ~ zone_offset_micros('(' ~ instant ~ ' - interval 4 hour)', zone) ~ ')'
) }}
{%- endmacro %}

{% macro first_reading(wall_clock, zone) -%}
case
    when {{ instant_to_wall_clock(earlier_reading(wall_clock, zone), zone) }} = {{ wall_clock }}
        then least({{ earlier_reading(wall_clock, zone) }}, {{ wall_clock_to_instant(wall_clock, zone) }})
    else {{ wall_clock_to_instant(wall_clock, zone) }}
end
{%- endmacro %}

{#- Shown twice: the earlier offset gives another instant that the zone shows as the same clock.
    Never shown: the zone does not show this clock at the instant that it was read as. -#}
{% macro is_ambiguous_wall_clock(wall_clock, zone) -%}
(
    {{ earlier_reading(wall_clock, zone) }} < {{ wall_clock_to_instant(wall_clock, zone) }}
    and {{ instant_to_wall_clock(earlier_reading(wall_clock, zone), zone) }} = {{ wall_clock }}
)
or {{ instant_to_wall_clock(wall_clock_to_instant(wall_clock, zone), zone) }} <> {{ wall_clock }}
{%- endmacro %}
