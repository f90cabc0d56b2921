{#- The additive measures of `skill_aggregates`, named once: how each is counted from facts and how it
    merges over projects (no expression: the model counts it apart). Sums are exact numbers: a sum of
    doubles depends on the order of its rows. -#}

{% macro skill_measure_definitions() %}
{{ return({
    'total_invocations': ('count(*)', 'sum', 'bigint'),
    'successful_completions': ("count(*) filter (where outcome = 'success')", 'sum', 'bigint'),
    'failed_invocations': ("count(*) filter (where outcome = 'failure')", 'sum', 'bigint'),
    'unknown_outcomes': ("count(*) filter (where outcome = 'unknown')", 'sum', 'bigint'),
    'abandoned_n': ('count(*) filter (where is_abandoned)', 'sum', 'bigint'),
    'sessionless_n': ('count(*) - count(session_key)', 'sum', 'bigint'),
    'distinct_sessions': (none, 'sum', 'bigint'),
    'distinct_projects': ('1', 'sum', 'bigint'),
    'duration_n': ('count(duration_ms)', 'sum', 'bigint'),
    'duration_sum_ms': ('coalesce(sum(exact_duration_ms), 0)', 'sum', 'decimal(38, 6)'),
    'success_duration_n': ("count(duration_ms) filter (where outcome = 'success')", 'sum', 'bigint'),
    'success_duration_sum_ms': (
        "coalesce(sum(exact_duration_ms) filter (where outcome = 'success'), 0)", 'sum', 'decimal(38, 6)'
    ),
    'followup_n': ('count(followup_count)', 'sum', 'bigint'),
    'followup_positive_n': ('count(*) filter (where followup_count > 0)', 'sum', 'bigint'),
    'followup_sum': ('coalesce(sum(followup_count), 0)', 'sum', 'bigint'),
    'followup_sumsq': (
        'coalesce(sum(cast(followup_count as bigint) * followup_count), 0)', 'sum', 'decimal(38, 0)'
    ),
    'first_used_at': ('min(occurred_at)', 'min', 'timestamptz'),
    'last_used_at': ('max(occurred_at)', 'max', 'timestamptz'),
    'load_seq': ('max(load_seq)', 'max', 'bigint'),
}) }}
{% endmacro %}

{#- Measures counted from facts, with the quantiles that cannot be merged. -#}
{% macro skill_measures() -%}
{%- for name, (expression, merge, type) in skill_measure_definitions().items() if expression %}
        cast({{ expression }} as {{ type }}) as {{ name }},
{%- endfor %}
        {{ percentiles('duration_ms', [0.5, 0.95]) }} as duration_quantiles
{%- endmacro %}

{#- Measures merged over projects. -#}
{% macro merged_measures() -%}
{%- for name, (expression, merge, type) in skill_measure_definitions().items() %}
        cast({{ merge }}({{ name }}) as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Key and additive measures, in one order for every branch of a union. -#}
{% macro merged_columns(relation=none) -%}
{%- set prefix = relation ~ '.' if relation else '' -%}
{%- for name in ['time_window', 'skill_name', 'bucket_start'] + (skill_measure_definitions().keys() | list) %}
        {{ prefix }}{{ name }}{{ ',' if not loop.last }}
{%- endfor %}
{%- endmacro %}
