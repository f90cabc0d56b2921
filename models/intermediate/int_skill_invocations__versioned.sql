{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='usage_key',
    on_schema_change='fail'
) }}
{#- A key names its project, so that no two projects share one. -#}
{{ versions_of(
    ref('stg_skill_metrics__invocations'),
    'usage_key',
    [
        'usage_key', 'record_key', 'content_hash', 'project_id', 'source_id', 'session_key',
        'skill_name', 'variant', 'tz_kind', 'outcome', 'outcome_detail', 'workflow_path',
        'workflow_phase', 'error_class', 'file_id', 'ordinal', 'load_seq', 'duration_ms',
        'followup_count', 'selection_rank', 'is_abandoned', 'duration_is_placeholder',
        'tz_assumed', 'is_local_time_ambiguous', 'ts_suspicious', 'occurred_at', 'invoked_on',
        'completed_at',
    ],
    version_order('versions'),
    place=['file_id', 'ordinal'],
    is_shared=false,
    is_wide=false
) }}
