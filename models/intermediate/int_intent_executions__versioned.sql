{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='execution_key',
    on_schema_change='fail'
) }}
{#- A version that knows how the command ended wins over one that does not; then content
    decides. #}
{{ versions_of(
    ref('stg_events__intent_executions'),
    'execution_key',
    [
        'execution_key', 'record_key', 'content_hash', 'project_id', 'source_id', 'link_key',
        'link_kind', 'execution_outcome', 'error_class', 'file_id', 'line_no', 'ordinal', 'load_seq',
        'ts_suspicious', 'occurred_at',
    ],
    "case when versions.execution_outcome = 'unknown' then 1 else 0 end"
) }}
