{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- The kept version of every run. A key whose versions changed is written again; so is an open run
    that became stale since it was written, because nothing arrives for it any more. #}
{%- set since = built_load_seq('load_seq') %}
with context as (
    select max(as_of) as as_of from {{ ref('stg_ledger__run_context') }}
),

runs as (
    select
        versions.*,
        {{ without_repeats('versions.skills_used') }} as steps,
        coalesce(
            {{ is_open_status('versions.status') }}
            and versions.started_at
                < context.as_of - interval {{ var('workflow_stale_after_hours') }} hour,
            false
        ) as is_stale
    from {{ ref('int_workflow_runs__versioned') }} as versions
    cross join context
    where versions.is_kept
)

select
    ---------- ids
    runs.record_key,
    runs.project_id,
    ---------- text
    runs.workflow_name,
    runs.status,
    runs.outcome,
    runs.skills_used,
    runs.steps,
    {{ list_text('runs.steps', '>') }} as sequence,
    runs.tz_kind,
    ---------- numerics
    runs.file_id,
    runs.line_no,
    runs.ordinal,
    runs.key_load_seq as load_seq,
    runs.reported_duration_ms,
    runs.derived_duration_ms,
    case when not ({{ is_open_status('runs.status') }}) then runs.duration_ms end as duration_ms,
    ---------- booleans
    {{ is_open_status('runs.status') }} as is_open,
    runs.is_stale,
    runs.is_id_reused,
    runs.duration_disagrees,
    runs.tz_assumed,
    runs.ts_suspicious,
    ---------- timestamps
    runs.started_at,
    runs.started_on,
    runs.completed_at
from runs
where runs.key_load_seq > {{ since }}
{%- if is_incremental() %}
    or (runs.record_key, runs.is_stale) in (
        select (written.record_key, not written.is_stale)
        from {{ this }} as written
        where written.is_open
    )
{%- endif %}
