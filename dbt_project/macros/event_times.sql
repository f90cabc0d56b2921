{#- When an event happened: the CTEs `zones`, `zone_shift_days`, `spelled`, `placed` and `timed`
    over a CTE with `source_id` and the time texts. `zone` is where its wall clocks are read. `timed`
    adds occurred_at and is_local_time_ambiguous from the first text, `<text>_instant` from each
    further one, `<text>_spelling` from all. The joins also keep the engine from computing the
    expressions of the caller's CTE once for each use. -#}
{% macro event_time_ctes(relation, texts=('ts',), zone="coalesce(zones.zone, 'UTC')") -%}
zones as (
    select source_id, zone from {{ source('raw', 'sources') }}
),

{{ zone_shift_days('zones') }},

spelled as (
    select
        *,
        {%- for text in texts %}
        {{ timestamp_spelling('trim(' ~ text ~ ')') }} as {{ text }}_spelling{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
),

placed as (
    select
        spelled.*,
        {{ zone }} as zone,
        {%- for text in texts %}
        {%- set written = 'trim(spelled.' ~ text ~ ')' %}
        case
            when spelled.{{ text }}_spelling = 'wall'
                then {{ parse_timestamp(written, 'timestamp') }}
        end as {{ text }}_wall,
        case
            when spelled.{{ text }}_spelling = 'offset'
                then {{ parse_timestamp(written, 'timestamptz') }}
            when spelled.{{ text }}_spelling = 'epoch'
                then {{ epoch_text_to_instant(written) }}
        end as {{ text }}_stated{{ ',' if not loop.last }}
        {%- endfor %}
    from spelled
    left join zones on spelled.source_id = zones.source_id
),

timed as (
    select
        placed.*,
        {%- for text in texts %}
        {%- set wall = 'placed.' ~ text ~ '_wall' %}
        case
            when {{ wall }} is null then placed.{{ text }}_stated
            when {{ text }}_shifts.zone is null then {{ wall_clock_to_instant(wall, 'placed.zone') }}
            else {{ first_reading(wall, 'placed.zone') }}
        end as {{ 'occurred_at' if loop.first else text ~ '_instant' }},
        {%- endfor %}
        case
            when {{ texts[0] }}_shifts.zone is null then false
            else {{ is_ambiguous_wall_clock('placed.' ~ texts[0] ~ '_wall', 'placed.zone') }}
        end as is_local_time_ambiguous
    from placed
    {%- for text in texts %}
    left join zone_shift_days as {{ text }}_shifts
        on placed.zone = {{ text }}_shifts.zone
        and cast(placed.{{ text }}_wall as date) = {{ text }}_shifts.shift_day
    {%- endfor %}
)
{%- endmacro %}

{#- How the time was read, from the columns of `timed`. -#}
{% macro event_tz_kind(text='ts') -%}
case
    when {{ text }}_spelling = 'nothing' then 'missing'
    when occurred_at is null then 'invalid'
    when {{ text }}_spelling <> 'wall' then 'explicit'
    when zone = 'UTC' then 'assumed_utc'
    else 'assumed_local'
end
{%- endmacro %}

{% macro event_tz_assumed(text='ts') -%}
coalesce({{ text }}_spelling = 'wall' and occurred_at is not null, false)
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

{#- When and where a row of a Claude Code transcript was written: the CTEs `folders`, `zones` and
    `placed` over a CTE with `source_id`, `ts` and `cwd`. `placed` adds workdir_id and occurred_at. -#}
{% macro transcript_place_ctes(relation) -%}
folders as (
    select workdir_id, source_id, cwd from {{ source('raw', 'working_directories') }}
),

zones as (
    select source_id, zone from {{ source('raw', 'sources') }}
),

-- A join on either side keeps the engine from parsing a time once for each of its uses.
placed as (
    select
        {{ relation }}.*,
        folders.workdir_id,
        {{ stated_instant('trim(' ~ relation ~ '.ts)', "coalesce(zones.zone, 'UTC')") }} as occurred_at
    from {{ relation }}
    left join zones on {{ relation }}.source_id = zones.source_id
    left join folders
        on {{ relation }}.source_id = folders.source_id and {{ relation }}.cwd = folders.cwd
)
{%- endmacro %}
