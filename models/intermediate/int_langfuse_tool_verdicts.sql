{{ config(materialized='view') }}
{#- Every version of an observation of a tool, as `int_langfuse_tool_versions` judged it, unless
    the same is told by a transcript, by Claude Code's events or by the spans of its trace. #}
with {{ langfuse_other_tellers('tool_result', "span_role = 'tool'") }},

judged as (
    select
        versions.*,
        {{ langfuse_verdict() }}
    from {{ ref('int_langfuse_tool_versions') }} as versions
    {{ join_langfuse_other_tellers() }}
)

select
    {%- for column in tool_call_version_columns() %}
    {%- if column == 'drop_reason' %}
    told_reason as drop_reason
    {%- elif column == 'key_load_seq' %}
    told_load_seq as key_load_seq
    {%- elif column == 'is_kept' %}
    told_reason is null as is_kept
    {%- elif column == 'kept_is_error' %}
    told_reason is null and kept_is_error as kept_is_error
    {%- elif column == 'kept_error_class' %}
    case when told_reason is null then kept_error_class end as kept_error_class
    {%- else %}
    {{ column }}
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
from judged
