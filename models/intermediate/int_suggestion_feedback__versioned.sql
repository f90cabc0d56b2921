{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='feedback_key',
    on_schema_change='fail'
) }}
{#- A version that says what was thought wins, then the one that was updated last. #}
{{ versions_of(
    ref('stg_events__suggestion_feedback'),
    'feedback_key',
    [
        'feedback_key', 'record_key', 'content_hash', 'project_id', 'source_id', 'category',
        'confidence', 'suggestion_length', 'is_accepted', 'ts_suspicious', 'occurred_at',
        'updated_at', 'flags', 'file_id', 'line_no', 'ordinal', 'load_seq',
    ],
    "case when versions.is_accepted is null then 1 else 0 end, versions.updated_at desc nulls last"
) }}
