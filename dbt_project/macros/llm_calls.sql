{#- One response of a model, however many lines repeat it: which line is kept, which one owns it
    (formats.md 6.5). Content decides, never the order of loading. -#}

{#- The disjoint tiers of tokens, by the name of their columns. -#}
{% macro token_tiers() %}
    {{ return(['input_fresh', 'cache_write', 'cache_read', 'output']) }}
{% endmacro %}

{#- A text as an instant; text without an offset is a wall clock of the zone. -#}
{% macro stated_instant(text, zone) -%}
case {{ timestamp_spelling(text) }}
    when 'offset' then {{ parse_timestamp(text, 'timestamptz') }}
    when 'epoch' then {{ epoch_text_to_instant(text) }}
    when 'wall' then {{ wall_clock_to_instant(parse_timestamp(text, 'timestamp'), zone) }}
end
{%- endmacro %}

{#- Whether a time is one that nobody can believe. -#}
{% macro is_suspicious_instant(instant, ingested_at) -%}
coalesce(
    {{ instant }} < cast('{{ var("earliest_plausible_at") }} 00:00:00+00' as timestamptz)
    or {{ instant }} > {{ ingested_at }} + interval {{ var('max_clock_skew_hours') }} hour,
    false
)
{%- endmacro %}

{#- A count as it was written; a negative or absurd one is unknown. -#}
{% macro token_count(text) -%}
case
    when try_cast({{ text }} as double) between 0 and {{ var('max_tokens_of_call') }}
        then cast(try_cast({{ text }} as double) as bigint)
end
{%- endmacro %}

{#- Which line of a response is kept: the snapshot that grew furthest. -#}
{% macro furthest_grown() -%}
output_tokens desc nulls last,
input_fresh_tokens desc nulls last,
cache_write_tokens desc nulls last,
cache_read_tokens desc nulls last,
stop_reason nulls last,
{{ earliest_first() }}
{%- endmacro %}

{#- Whose session, folder and time a response has; the last columns tell equal copies apart. -#}
{% macro earliest_first() -%}
occurred_at nulls last,
session_id nulls last,
record_key,
content_hash,
line_no,
ordinal,
source_id,
file_id
{%- endmacro %}
