{#- Finished tasks of agents: reading the figures of a usage event, and the columns with which
    every source of tasks tells its versions. -#}

{#- The columns that `int_agent_task_versions` unites. A further source of tasks offers them all. -#}
{% macro agent_task_version_columns() %}
    {{ return([
        'task_key', 'project_id', 'session_key', 'agent_id', 'source_kind', 'variant', 'task_type',
        'outcome', 'cost_cents', 'latency_ms', 'patterns', 'provider', 'model', 'prompt_tokens',
        'completion_tokens', 'cache_read_tokens', 'cache_write_tokens', 'total_tokens',
        'error_class', 'flags', 'is_agent_unknown', 'tz_assumed', 'ts_suspicious', 'occurred_at',
        'file_id', 'line_no', 'ordinal', 'load_seq', 'key_load_seq', 'is_kept', 'drop_reason'
    ]) }}
{% endmacro %}

{#- The columns of a usage event that its versions keep. -#}
{% macro usage_event_columns() %}
    {{ return([
        'task_key', 'record_key', 'content_hash', 'project_id', 'source_id', 'session_key',
        'agent_id', 'source_kind', 'variant', 'task_type', 'outcome', 'cost_cents', 'latency_ms',
        'patterns', 'provider', 'model', 'prompt_tokens', 'completion_tokens',
        'cache_read_tokens', 'cache_write_tokens', 'total_tokens', 'error_class', 'flags',
        'is_agent_unknown', 'tz_assumed', 'ts_suspicious', 'occurred_at', 'file_id', 'line_no',
        'ordinal', 'load_seq'
    ]) }}
{% endmacro %}

{#- Which version of a task wins: one whose outcome is known, then the figures that grew. -#}
{% macro task_version_order() -%}
case when versions.outcome = 'unknown' then 1 else 0 end,
versions.total_tokens desc nulls last,
versions.latency_ms desc nulls last,
versions.cost_cents desc nulls last
{%- endmacro %}

{#- US cents as they were written; negative, not a number, or absurd is unknown. -#}
{% macro plausible_cents(number) -%}
case when {{ number }} between 0 and {{ var('max_cost_cents') }} then {{ number }} end
{%- endmacro %}

{#- Name of a flag when something was written that was not believed. -#}
{% macro refused_flag(flag, written, kept) -%}
case when nullif(trim({{ written }}), '') is not null and {{ kept }} is null then '{{ flag }}' end
{%- endmacro %}

{% macro name_count_map(json) %}{{ return(adapter.dispatch('name_count_map', 'agentledger')(json)) }}{% endmacro %}
{#- `{"name": count}` as a map; text that is no such object is null. -#}
{% macro duckdb__name_count_map(json) %}try(cast(try_cast({{ json }} as json) as map(varchar, double))){% endmacro %}
{% macro spark__name_count_map(json) %}from_json({{ json }}, 'map<string,double>'){% endmacro %}

{% macro tidy_name_counts(json) %}{{ return(adapter.dispatch('tidy_name_counts', 'agentledger')(json)) }}{% endmacro %}
{#- The same object with whole counts above 0 and its names in order; null when nothing is left. -#}
{% macro duckdb__tidy_name_counts(json) -%}
nullif(cast(to_json(map_from_entries(list_sort(list_transform(
    list_filter(
        map_entries({{ name_count_map(json) }}),
        lambda entry: entry.value between 1 and {{ var('max_pattern_count') }}
    ),
    lambda entry: struct_pack(name := entry.key, uses := cast(floor(entry.value) as bigint))
)))) as varchar), '{}')
{%- endmacro %}
{% macro spark__tidy_name_counts(json) -%}
nullif(to_json(map_from_entries(array_sort(transform(
    filter(
        map_entries({{ name_count_map(json) }}),
        entry -> entry.value between 1 and {{ var('max_pattern_count') }}
    ),
    entry -> struct(entry.key, cast(floor(entry.value) as bigint))
)))), '{}')
{%- endmacro %}

{% macro name_count_entries(json) %}{{ return(adapter.dispatch('name_count_entries', 'agentledger')(json)) }}{% endmacro %}
{#- The object as a list of structs of `key` and `value`. -#}
{% macro duckdb__name_count_entries(json) %}map_entries(cast(cast({{ json }} as json) as map(varchar, bigint))){% endmacro %}
{% macro spark__name_count_entries(json) %}map_entries(from_json({{ json }}, 'map<string,bigint>')){% endmacro %}

{% macro name_counts_text(name, uses) %}{{ return(adapter.dispatch('name_counts_text', 'agentledger')(name, uses)) }}{% endmacro %}
{#- Aggregate: rows of a name and its count as one JSON object with its keys in order. -#}
{% macro duckdb__name_counts_text(name, uses) -%}
cast(to_json(map_from_entries(list(struct_pack(name := {{ name }}, uses := {{ uses }}) order by {{ name }}))) as varchar)
{%- endmacro %}
{% macro spark__name_counts_text(name, uses) -%}
to_json(map_from_entries(array_sort(collect_list(struct({{ name }}, {{ uses }})))))
{%- endmacro %}

{% macro histogram_text(column) %}{{ return(adapter.dispatch('histogram_text', 'agentledger')(column)) }}{% endmacro %}
{#- Aggregate: how often each whole number occurs, as a JSON object with its keys in order. -#}
{% macro duckdb__histogram_text(column) %}coalesce(cast(to_json(histogram({{ column }})) as varchar), '{}'){% endmacro %}
{% macro spark__histogram_text(column) -%}
to_json(map_from_entries(transform(
    array_sort(collect_set({{ column }})),
    bucket -> struct(bucket, size(filter(collect_list({{ column }}), one -> one = bucket)))
)))
{%- endmacro %}

{#- Texts as the right side of `in`. -#}
{% macro quoted_list(texts) -%} ('{{ texts | join("', '") }}') {%- endmacro %}

{#- What a task may be; anything else is `other`. -#}
{% macro task_types() %}
    {{ return([
        'chat', 'code', 'analysis', 'debugging', 'refactoring', 'documentation', 'testing',
        'explanation', 'translation', 'search', 'embedding', 'other'
    ]) }}
{% endmacro %}
