{{ config(materialized='view') }}
{#- Every source of tool calls decides by rules of its own which row counts; here they stand
    together. A further source is a further line. #}
{{ united(
    [
        ref('int_claude_code_tool_versions'),
        ref('int_otlp_tool_versions'),
        ref('int_codex_tool_versions'),
        ref('int_langfuse_tool_verdicts'),
    ],
    tool_call_version_columns()
) }}
