{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='feedback_key',
    on_schema_change='fail'
) }}
{#- The kept version of what was thought of every suggestion. #}
select
    ---------- ids
    feedback_key,
    project_id,
    ---------- text
    category,
    flags,
    ---------- numerics
    file_id,
    line_no,
    key_load_seq as load_seq,
    confidence,
    suggestion_length,
    ---------- booleans
    is_accepted,
    ts_suspicious,
    ---------- timestamps
    occurred_at
from {{ ref('int_suggestion_feedback__versioned') }}
where is_kept and key_load_seq > {{ built_load_seq('load_seq') }}
