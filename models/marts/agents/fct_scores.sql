{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='score_key',
    on_schema_change='fail'
) }}
{#- The kept version of every score. #}
select
    ---------- ids
    score_key,
    project_id,
    session_key,
    trace_key,
    observation_key,
    task_key,
    ---------- text
    agent_id,
    target,
    score_name,
    score_kind,
    score_source,
    environment,
    category,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    key_load_seq as load_seq,
    numeric_value,
    ---------- booleans
    is_true,
    ts_suspicious,
    ---------- timestamps
    occurred_at
from {{ ref('int_langfuse_score_versions') }}
where is_kept and key_load_seq > {{ built_load_seq('load_seq') }}
