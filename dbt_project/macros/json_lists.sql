{#- Canonical JSON lists of raw columns as lists of the engine. Text that is no JSON list gives
    null. -#}

{% macro json_texts(text) %}{{ return(adapter.dispatch('json_texts', 'agentledger')(text)) }}{% endmacro %}
{% macro duckdb__json_texts(text) %}try(from_json({{ text }}, '["VARCHAR"]')){% endmacro %}
{% macro spark__json_texts(text) %}from_json({{ text }}, 'array<string>'){% endmacro %}

{#- `[["verb", score], ...]` as a list of pairs of texts; an empty list is null. -#}
{% macro json_pairs(text) %}{{ return(adapter.dispatch('json_pairs', 'agentledger')(text)) }}{% endmacro %}
{% macro duckdb__json_pairs(text) -%}
case when {{ text }} <> '[]' then try(from_json({{ text }}, '[["VARCHAR"]]')) end
{%- endmacro %}
{% macro spark__json_pairs(text) -%}
case when {{ text }} <> '[]' then from_json({{ text }}, 'array<array<string>>') end
{%- endmacro %}

{#- Pairs of texts as structs of verb and score; a score outside 0..1, or no number, is null. -#}
{% macro scored_verbs(pairs) %}{{ return(adapter.dispatch('scored_verbs', 'agentledger')(pairs)) }}{% endmacro %}
{% macro duckdb__scored_verbs(pairs) -%}
list_transform({{ pairs }}, lambda pair: struct_pack(
    verb := nullif(trim(pair[1]), ''),
    score := case when try_cast(pair[2] as double) between 0 and 1 then try_cast(pair[2] as double) end
))
{%- endmacro %}
{% macro spark__scored_verbs(pairs) -%}
transform({{ pairs }}, pair -> named_struct(
    'verb', nullif(trim(pair[0]), ''),
    'score', case when try_cast(pair[1] as double) between 0 and 1 then try_cast(pair[1] as double) end
))
{%- endmacro %}

{#- Whether a pair has a second text that is no score between 0 and 1. A JSON null is no score
    at all. -#}
{% macro has_bad_score(pairs) %}{{ return(adapter.dispatch('has_bad_score', 'agentledger')(pairs)) }}{% endmacro %}
{% macro duckdb__has_bad_score(pairs) -%}
coalesce(list_bool_or(list_transform({{ pairs }}, lambda pair:
    pair[2] is not null and coalesce(try_cast(pair[2] as double) not between 0 and 1, true)
)), false)
{%- endmacro %}
{% macro spark__has_bad_score(pairs) -%}
coalesce(exists({{ pairs }}, pair ->
    pair[1] is not null and coalesce(try_cast(pair[1] as double) not between 0 and 1, true)
), false)
{%- endmacro %}

{#- The verbs of a list of pairs, each once, and those of a second list with them; never null. -#}
{% macro verbs_of_lists(pairs, texts) %}{{ return(adapter.dispatch('verbs_of_lists', 'agentledger')(pairs, texts)) }}{% endmacro %}
{% macro duckdb__verbs_of_lists(pairs, texts) -%}
list_distinct(list_concat(
    coalesce(list_transform({{ pairs }}, lambda pair: pair[1]), []), coalesce({{ texts }}, [])
))
{%- endmacro %}
{% macro spark__verbs_of_lists(pairs, texts) -%}
array_distinct(array_compact(concat(
    coalesce(transform({{ pairs }}, pair -> pair[0]), array()), coalesce({{ texts }}, array())
)))
{%- endmacro %}

{% macro distinct_items(list) %}{{ return(adapter.dispatch('distinct_items', 'agentledger')(list)) }}{% endmacro %}
{% macro duckdb__distinct_items(list) %}list_sort(list_distinct({{ list }})){% endmacro %}
{% macro spark__distinct_items(list) %}sort_array(array_distinct({{ list }})){% endmacro %}

{% macro item_count(list) %}{{ return(adapter.dispatch('item_count', 'agentledger')(list)) }}{% endmacro %}
{% macro duckdb__item_count(list) %}coalesce(len({{ list }}), 0){% endmacro %}
{% macro spark__item_count(list) %}coalesce(size({{ list }}), 0){% endmacro %}

{% macro list_has(list, item) %}{{ return(adapter.dispatch('list_has', 'agentledger')(list, item)) }}{% endmacro %}
{% macro duckdb__list_has(list, item) %}coalesce(list_contains({{ list }}, {{ item }}), false){% endmacro %}
{% macro spark__list_has(list, item) %}coalesce(array_contains({{ list }}, {{ item }}), false){% endmacro %}

{#- One row per item of a list. -#}
{% macro each_item(list) %}{{ return(adapter.dispatch('each_item', 'agentledger')(list)) }}{% endmacro %}
{% macro duckdb__each_item(list) %}unnest({{ list }}){% endmacro %}
{% macro spark__each_item(list) %}explode({{ list }}){% endmacro %}

{% macro one_item_list(item) %}{{ return(adapter.dispatch('one_item_list', 'agentledger')(item)) }}{% endmacro %}
{% macro duckdb__one_item_list(item) %}[{{ item }}]{% endmacro %}
{% macro spark__one_item_list(item) %}array({{ item }}){% endmacro %}

{#- Score of a pair by its position from 0; null outside 0..1. -#}
{% macro score_of(pairs, position) -%}
{%- set score = 'try_cast(' ~ list_item(list_item(pairs, position), 1) ~ ' as double)' -%}
case when {{ score }} between 0 and 1 then {{ score }} end
{%- endmacro %}
