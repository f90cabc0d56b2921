{{ config(materialized='view') }}
{#- Every version of an observation of an agent, as `int_langfuse_agent_run_versions` judged it,
    unless the same is told by a transcript, by Claude Code's events or by the spans of its trace.
    #}
{{ langfuse_verdicts(
    ref('int_langfuse_agent_run_versions'), agent_task_version_columns(),
    'subagent_completed', "span_role = 'agent'"
) }}
