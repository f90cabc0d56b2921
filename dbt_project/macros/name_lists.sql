{#- Ordered lists of names. Engines spell every step differently; DuckDB is the reference. -#}

{% macro list_length(list) %}{{ return(adapter.dispatch('list_length', 'agentledger')(list)) }}{% endmacro %}
{% macro duckdb__list_length(list) %}len({{ list }}){% endmacro %}
{% macro spark__list_length(list) -%}
case when {{ list }} is not null then size({{ list }}) end
{%- endmacro %}

{% macro name_list(text) %}{{ return(adapter.dispatch('name_list', 'agentledger')(text)) }}{% endmacro %}
{#- JSON text → names in order, repeats kept, blanks left out; a list that some database stored as
    text is read as the list that it is. Text that is no list is null, and `[]` stays empty. -#}
{% macro duckdb__name_list(text) -%}
{%- set json = 'try_cast(' ~ text ~ ' as json)' -%}
list_filter(
    list_transform(
        case json_type({{ json }})
            when 'ARRAY' then try_cast({{ json }} as varchar[])
            when 'VARCHAR' then try_cast(try_cast({{ json }} ->> '$' as json) as varchar[])
        end,
        lambda name: {{ normal_form('name') }}
    ),
    lambda name: name <> ''
)
{%- endmacro %}
{% macro spark__name_list(text) -%}
filter(
    transform(
        coalesce(
            from_json({{ text }}, 'array<string>'),
            from_json(get_json_object({{ text }}, '$'), 'array<string>')
        ),
        name -> {{ normal_form('name') }}
    ),
    name -> name <> ''
)
{%- endmacro %}

{% macro without_repeats(list) %}{{ return(adapter.dispatch('without_repeats', 'agentledger')(list)) }}{% endmacro %}
{#- Consecutive repeats become one: [a, a, b] → [a, b]; [a, b, a] stays. -#}
{% macro duckdb__without_repeats(list) -%}
list_transform(
    list_filter(
        range(1, len({{ list }}) + 1),
        lambda i: i = 1 or {{ list }}[i] <> {{ list }}[i - 1]
    ),
    lambda i: {{ list }}[i]
)
{%- endmacro %}
{% macro spark__without_repeats(list) -%}
filter({{ list }}, (name, position) -> position = 0 or name <> {{ list }}[position - 1])
{%- endmacro %}

{% macro list_text(list, separator) %}{{ return(adapter.dispatch('list_text', 'agentledger')(list, separator)) }}{% endmacro %}
{% macro duckdb__list_text(list, separator) -%}
array_to_string({{ list }}, '{{ separator }}')
{%- endmacro %}
{% macro spark__list_text(list, separator) -%}
array_join({{ list }}, '{{ separator }}')
{%- endmacro %}

{% macro each_of(list, relation, column) %}{{ return(adapter.dispatch('each_of', 'agentledger')(list, relation, column)) }}{% endmacro %}
{#- Goes behind a relation in `from`: one row per item of its list; null and empty have none. -#}
{% macro duckdb__each_of(list, relation, column) -%}
cross join unnest({{ list }}) as {{ relation }} ({{ column }})
{%- endmacro %}
{% macro spark__each_of(list, relation, column) -%}
lateral view explode({{ list }}) {{ relation }} as {{ column }}
{%- endmacro %}
