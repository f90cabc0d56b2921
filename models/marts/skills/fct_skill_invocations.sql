{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='usage_key',
    on_schema_change='fail',
    pre_hook="{{ delete_uncounted_invocations() }}"
) }}
-- depends_on: {{ ref('int_claude_code_skill_versions') }}
-- depends_on: {{ ref('int_otlp_skill_versions') }}
{#- The kept version of every invocation. A key whose versions changed is written again. #}
select
    ---------- ids
    usage_key,
    project_id,
    session_key,
    ---------- text
    source_kind,
    skill_name,
    variant,
    outcome,
    outcome_detail,
    workflow_path,
    workflow_phase,
    error_class,
    tz_kind,
    ---------- numerics
    file_id,
    ordinal,
    key_load_seq as load_seq,
    duration_ms,
    followup_count,
    selection_rank,
    ---------- booleans
    is_abandoned,
    duration_is_placeholder,
    tz_assumed,
    ts_suspicious,
    ---------- timestamps
    occurred_at,
    invoked_on
from {{ ref('int_skill_invocation_versions') }}
where is_kept and key_load_seq > {{ built_load_seq('load_seq') }}
