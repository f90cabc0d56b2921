{#- Reading the many spellings of a time. The rules are formats.md section 0: an offset is never
    dropped, text without one is read in the source's zone, numbers are epochs by magnitude. -#}

{% macro timestamp_spelling(text) %}{{ return(adapter.dispatch('timestamp_spelling', 'agentledger')(text)) }}{% endmacro %}
{#- nothing | offset | wall | epoch | other. The two commonest spellings are told by single characters, a
    third of the cost of a pattern. Otherwise only digits, colons and a fraction after the date mean a
    wall clock, and a letter or a sign there names an offset. Words such as 'infinity', which the engine
    would understand, are no times. -#}
{% macro duckdb__timestamp_spelling(text) -%}
case
    when {{ text }} is null then 'nothing'
    when substr({{ text }}, 5, 1) = '-' and length({{ text }}) > 15
        and (right({{ text }}, 1) = 'Z' or substr({{ text }}, -6, 1) in ('+', '-')) then 'offset'
    when regexp_full_match({{ text }}, '[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.,]*)?') then 'wall'
    when {{ text }} = '' then 'nothing'
    when regexp_full_match({{ text }}, '[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?') then 'epoch'
    when regexp_matches({{ text }}, '^[+-]?[0-9]') then 'offset'
    else 'other'
end
{%- endmacro %}
{% macro spark__timestamp_spelling(text) -%}
case
    when {{ text }} is null or {{ text }} = '' then 'nothing'
    when {{ text }} rlike '^[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.,]*)?$' then 'wall'
    when {{ text }} rlike '^[+-]?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?$' then 'epoch'
    when {{ text }} rlike '^[+-]?[0-9]' then 'offset'
    else 'other'
end
{%- endmacro %}

{#- What the engine's own reader refuses: a leap second, a decimal comma, a small `z`. -#}
{% macro tidied_timestamp(text) -%}
replace(upper(regexp_replace({{ text }}, '^(.{10}[T ][0-9]{2}:[0-9]{2}):60', '\1:59')), ',', '.')
{%- endmacro %}

{% macro parse_timestamp(text, type) %}{{ return(adapter.dispatch('parse_timestamp', 'agentledger')(text, type)) }}{% endmacro %}
{% macro duckdb__parse_timestamp(text, type) -%}
coalesce(
    try_cast({{ text }} as {{ type }}),
    try_cast({{ tidied_timestamp(text) }} as {{ type }})
        + to_seconds(case when regexp_matches({{ text }}, '^.{10}[T ][0-9]{2}:[0-9]{2}:60') then 1 else 0 end)
)
{%- endmacro %}
{% macro spark__parse_timestamp(text, type) -%}
try_cast({{ text }} as {{ 'timestamp' if type == 'timestamptz' else 'timestamp_ntz' }})
{%- endmacro %}

{% macro epoch_text_to_instant(text) %}{{ return(adapter.dispatch('epoch_text_to_instant', 'agentledger')(text)) }}{% endmacro %}
{#- Seconds below 1e11, milliseconds below 1e14, microseconds below 1e17, else nanoseconds. Decimals,
    not doubles: a double holds today's seconds only to a quarter of a microsecond. -#}
{% macro duckdb__epoch_text_to_instant(text) -%}
{%- set number = 'try_cast(' ~ text ~ ' as decimal(38, 9))' -%}
{%- set micros -%}
trunc(case
    when abs({{ number }}) < 100000000000 then cast({{ number }} as decimal(30, 9)) * 1000000
    when abs({{ number }}) < 100000000000000 then cast({{ number }} as decimal(30, 9)) * 1000
    when abs({{ number }}) < 100000000000000000 then {{ number }}
    when abs({{ number }}) < 9000000000000000000000 then {{ number }} / 1000
end)
{%- endset -%}
{{ instant_from_micros('try_cast(' ~ micros ~ ' as bigint)') }}
{%- endmacro %}
{% macro spark__epoch_text_to_instant(text) -%}
{%- set number = 'try_cast(' ~ text ~ ' as decimal(38, 9))' -%}
timestamp_micros(cast(case
    when abs({{ number }}) < 100000000000 then {{ number }} * 1000000
    when abs({{ number }}) < 100000000000000 then {{ number }} * 1000
    when abs({{ number }}) < 100000000000000000 then {{ number }}
    else {{ number }} / 1000
end as bigint))
{%- endmacro %}
