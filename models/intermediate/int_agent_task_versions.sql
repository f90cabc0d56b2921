{{ config(materialized='view') }}
{#- Every source of tasks decides by rules of its own which version counts; here they stand
    together. A further source is a further line. #}
{{ united(
    [
        ref('int_agent_tasks__versioned'),
        ref('int_claude_code_agent_task_versions'),
        ref('int_otlp_agent_run_versions'),
        ref('int_otlp_subagent_versions'),
        ref('int_langfuse_agent_run_verdicts'),
        ref('int_codex_agent_task_versions'),
    ],
    agent_task_version_columns()
) }}
