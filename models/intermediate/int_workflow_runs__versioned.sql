{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- Every version of every run of a workflow, and why all but one of them are dropped.
    A key that gained a row brings all of its versions: content alone chooses the winner anew. #}
{%- set since = built_load_seq('load_seq') %}
{%- set columns -%}
        record_key,
        content_hash,
        project_id,
        source_id,
        workflow_name,
        status,
        outcome,
        skills_used,
        tz_kind,
        file_id,
        line_no,
        ordinal,
        load_seq,
        reported_duration_ms,
        derived_duration_ms,
        duration_ms,
        duration_disagrees,
        tz_assumed,
        is_local_time_ambiguous,
        ts_suspicious,
        started_at,
        started_on,
        completed_at
{%- endset %}
with arrived as materialized (
    select
        {{ columns }}
    from {{ ref('stg_events__workflow_runs') }}
    where load_seq > {{ since }}
),

{% if is_incremental() %}
known as (
    select
        {{ columns }}
    from {{ this }}
    where record_key in (select arrived.record_key from arrived)
),

{% endif %}
versions as not materialized (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select * from known
    {%- endif %}
),

-- Workflows are few beside the calls they make: all keys are ranked, repeated or not.
keys as (
    select
        record_key,
        max(load_seq) as key_load_seq,
        -- One id, two beginnings or two names: some writer used an id twice.
        count(distinct workflow_name) > 1 or count(distinct started_at) > 1 as is_id_reused
    from versions
    group by record_key
),

ranked as (
    select
        versions.*,
        keys.key_load_seq,
        keys.is_id_reused,
        row_number() over (
            partition by versions.record_key
            order by active.project_id is null, {{ workflow_version_order('versions') }}
        ) as version_rank,
        row_number() over (
            partition by versions.record_key, versions.content_hash
            order by active.project_id is null, {{ workflow_version_order('versions') }}
        ) as copy_rank
    from versions
    inner join keys on versions.record_key = keys.record_key
    -- A copy in a project that counts comes first: see `versions_of`.
    left join {{ active_projects() }} as active on versions.project_id = active.project_id
)

select
    {{ columns }},
    key_load_seq,
    is_id_reused,
    version_rank = 1 as is_kept,
    case
        when version_rank = 1 then null
        when copy_rank > 1 then 'snapshot_copy'
        else 'superseded_version'
    end as drop_reason
from ranked
