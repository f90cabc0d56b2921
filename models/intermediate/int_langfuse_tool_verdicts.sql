{{ config(materialized='view') }}
{#- Every version of an observation of a tool, as `int_langfuse_tool_versions` judged it, unless
    the same is told by a transcript, by Claude Code's events or by the spans of its trace. #}
{{ langfuse_verdicts(
    ref('int_langfuse_tool_versions'), tool_call_version_columns(),
    ['tool_result'], "span_role = 'tool'",
    kept={'kept_is_error': 'false', 'kept_error_class': 'null'}
) }}
