{#- Attributes of OTLP: one meaning has several names, new and old (formats.md 8.2). -#}

{#- The text of the first attribute that is there, in the order of the names. -#}
{% macro otlp_attribute(names) -%}
{%- set found = [] -%}
{%- for name in names -%}
{%- do found.append(otlp_attribute_text(name)) -%}
{%- endfor -%}
{{ found[0] if found | length == 1 else 'coalesce(' ~ found | join(', ') ~ ')' }}
{%- endmacro %}

{% macro otlp_attribute_text(name) %}{{ return(adapter.dispatch('otlp_attribute_text', 'agentledger')(name)) }}{% endmacro %}
{% macro duckdb__otlp_attribute_text(name) %}json_extract_string(attributes, '$."{{ name }}"'){% endmacro %}
{% macro spark__otlp_attribute_text(name) %}get_json_object(attributes, "$['{{ name }}']"){% endmacro %}

{#- The first of a list of names, such as the reasons why a response ended. -#}
{% macro otlp_first_of(name) %}{{ return(adapter.dispatch('otlp_first_of', 'agentledger')(name)) }}{% endmacro %}
{% macro duckdb__otlp_first_of(name) %}json_extract_string(attributes, '$."{{ name }}"[0]'){% endmacro %}
{% macro spark__otlp_first_of(name) %}get_json_object(attributes, "$['{{ name }}'][0]"){% endmacro %}

{#- Nanoseconds since the epoch as an instant; a zero was read as nothing. -#}
{% macro otlp_instant(text) -%}
case when length({{ text }}) <= 19 then {{ epoch_text_to_instant(text) }} end
{%- endmacro %}

{#- A number that is not negative, such as a duration or a cost. -#}
{% macro otlp_amount(names) -%}
{%- set text = otlp_attribute(names) -%}
case when try_cast({{ text }} as double) >= 0 then try_cast({{ text }} as double) end
{%- endmacro %}

{#- Names that Claude Code writes in place of one that it does not tell. -#}
{% macro otlp_skill(text) -%}
case when {{ text }} not in ('custom_skill', 'third-party', 'custom', 'other') then {{ text }} end
{%- endmacro %}

{#- What spans and log events of both kinds of versions have alike. -#}
{% macro otlp_shared_columns(relation) -%}
{%- set shared = [
    'record_key', 'content_hash', 'source_id', 'source_project_id', 'source_kind', 'session_id',
    'file_id', 'line_no', 'ordinal', 'load_seq', 'input_fresh_tokens', 'cache_write_tokens',
    'cache_read_tokens', 'output_tokens', 'duration_ms', 'recorded_cost_usd', 'ts_suspicious',
    'occurred_at'
] -%}
{%- for column in shared -%}
{{ relation }}.{{ column }}{{ ',\n        ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}
