{{ config(materialized='view') }}
{#- Every version of an observation that has tokens, as `int_langfuse_call_versions` judged it,
    unless the same is told by whoever was there: a transcript, Claude Code's events, the spans of
    its trace. #}
with {{ langfuse_other_tellers('api_request', "span_role = 'inference' and has_tokens") }},

judged as (
    select
        versions.*,
        {{ langfuse_verdict() }}
    from {{ ref('int_langfuse_call_versions') }} as versions
    {{ join_langfuse_other_tellers() }}
)

select
    {%- for column in llm_call_version_columns() %}
    {%- if column == 'drop_reason' %}
    told_reason as drop_reason
    {%- elif column == 'key_load_seq' %}
    told_load_seq as key_load_seq
    {%- elif column in ['is_kept', 'is_owner'] %}
    told_reason is null as {{ column }}
    {%- elif column.startswith('kept_') %}
    case when told_reason is null then {{ column }} else 0 end as {{ column }}
    {%- else %}
    {{ column }}
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
from judged
