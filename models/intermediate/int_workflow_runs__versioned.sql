{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- Every version of every run of a workflow, why all but one of them are dropped, and whether its
    id was used twice. -#}
with judged as (
    {{ versions_of(
        ref('stg_events__workflow_runs'),
        'record_key',
        [
            'record_key', 'content_hash', 'project_id', 'source_id', 'workflow_name', 'status',
            'outcome', 'skills_used', 'tz_kind', 'file_id', 'line_no', 'ordinal', 'load_seq',
            'reported_duration_ms', 'derived_duration_ms', 'duration_ms', 'duration_disagrees',
            'tz_assumed', 'is_local_time_ambiguous', 'ts_suspicious', 'started_at', 'started_on',
            'completed_at',
        ],
        workflow_version_order('versions'),
        is_wide=false
    ) }}
),

keys as (
    select
        record_key,
        -- One id, two beginnings or two names: some writer used an id twice.
        count(distinct workflow_name) > 1 or count(distinct started_at) > 1 as is_id_reused
    from judged
    group by record_key
)

select
    judged.*,
    keys.is_id_reused
from judged
inner join keys on judged.record_key = keys.record_key
