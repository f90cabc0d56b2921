{{ config(materialized='view') }}
{#- Every source of invocations decides by rules of its own which version counts; here they stand
    together. #}
{%- set columns = skill_invocation_version_columns() %}
{#- A document of metrics has places, and no lines. #}
{%- set of_metrics = {
    'source_kind': "cast('skill_metrics' as varchar) as source_kind",
    'line_no': 'cast(null as bigint) as line_no',
} %}
{%- for relation, instead in [
    (ref('int_skill_invocations__versioned'), of_metrics),
    (ref('int_claude_code_skill_versions'), {}),
    (ref('int_otlp_skill_versions'), {}),
] %}
select
    {%- for column in columns %}
    {{ instead.get(column, column) }}{{ '' if loop.last else ',' }}
    {%- endfor %}
from {{ relation }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
