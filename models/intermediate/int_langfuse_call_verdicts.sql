{{ config(materialized='view') }}
{#- Every version of an observation that has tokens, as `int_langfuse_call_versions` judged it,
    unless the same is told by whoever was there: a transcript, Claude Code's events, the spans of
    its trace. #}
{%- set kept = {'is_owner': 'false'} %}
{%- for column in llm_call_version_columns() if column.startswith('kept_') %}
    {%- do kept.update({column: '0'}) %}
{%- endfor %}
{{ langfuse_verdicts(
    ref('int_langfuse_call_versions'), llm_call_version_columns(),
    ['api_request'], "span_role = 'inference' and has_tokens", kept=kept
) }}
