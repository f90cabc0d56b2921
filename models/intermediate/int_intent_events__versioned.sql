{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='event_key',
    on_schema_change='fail'
) }}
{#- A version whose outcome is known wins over one whose outcome is unmapped; then content
    decides. #}
{{ versions_of(
    ref('stg_events__intents'),
    'event_key',
    intent_version_columns(),
    "case when versions.outcome_class = 'unmapped' then 1 else 0 end"
) }}
