{{ config(materialized='view') }}
{#- Every version of an observation of an agent, as `int_langfuse_agent_run_versions` judged it,
    unless the same is told by a transcript, by Claude Code's events or by the spans of its trace.
    #}
with {{ langfuse_other_tellers('subagent_completed', "span_role = 'agent'") }},

judged as (
    select
        versions.*,
        {{ langfuse_verdict() }}
    from {{ ref('int_langfuse_agent_run_versions') }} as versions
    {{ join_langfuse_other_tellers() }}
)

select
    {%- for column in agent_task_version_columns() %}
    {%- if column == 'drop_reason' %}
    told_reason as drop_reason
    {%- elif column == 'key_load_seq' %}
    told_load_seq as key_load_seq
    {%- elif column == 'is_kept' %}
    told_reason is null as is_kept
    {%- else %}
    {{ column }}
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
from judged
