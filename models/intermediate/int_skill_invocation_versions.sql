{{ config(materialized='view') }}
{#- Every source of invocations decides by rules of its own which version counts; here they stand
    together. #}
{%- set columns = skill_invocation_version_columns() %}
{%- for relation, kind in [
    (ref('int_skill_invocations__versioned'), "cast('skill_metrics' as varchar) as source_kind"),
    (ref('int_claude_code_skill_versions'), 'source_kind'),
    (ref('int_otlp_skill_versions'), 'source_kind'),
] %}
select
    {%- for column in columns %}
    {{ kind if column == 'source_kind' else column }}{{ '' if loop.last else ',' }}
    {%- endfor %}
from {{ relation }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
