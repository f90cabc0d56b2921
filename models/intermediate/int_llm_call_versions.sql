{{ config(materialized='view') }}
{#- Every source of model calls decides by rules of its own which row counts; here they stand
    together. A further source is a further line. #}
{{ united(
    [
        ref('int_claude_code_call_versions'),
        ref('int_otlp_call_versions'),
        ref('int_codex_call_versions'),
        ref('int_langfuse_call_verdicts'),
        ref('int_agent_telemetry_call_versions'),
    ],
    llm_call_version_columns()
) }}
