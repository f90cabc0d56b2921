{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='task_key',
    on_schema_change='fail'
) }}
{#- A version whose outcome is known wins, then the one whose figures grew furthest; then content
    decides. #}
{{ versions_of(
    ref('stg_events__usage_events'),
    'task_key',
    usage_event_columns(),
    task_version_order()
) }}
