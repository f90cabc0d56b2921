{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='usage_key',
    on_schema_change='fail'
) }}
{#- Every version of every invocation, and why all but one of them are dropped.
    A key that gained a row brings all of its versions: content alone chooses the winner anew. #}
{%- set since = built_load_seq('load_seq') %}
{%- set columns -%}
        usage_key,
        record_key,
        content_hash,
        project_id,
        source_id,
        session_key,
        skill_name,
        variant,
        tz_kind,
        outcome,
        outcome_detail,
        workflow_path,
        workflow_phase,
        error_class,
        file_id,
        ordinal,
        load_seq,
        duration_ms,
        followup_count,
        selection_rank,
        is_abandoned,
        duration_is_placeholder,
        tz_assumed,
        is_local_time_ambiguous,
        ts_suspicious,
        occurred_at,
        invoked_on,
        completed_at
{%- endset %}
-- Kept, so that times are parsed and keys hashed once, and not once per use below; what does not
-- fit in memory goes to the spill folder.
with arrived as materialized (
    select
        {{ columns }}
    from {{ ref('stg_skill_metrics__invocations') }}
    where load_seq > {{ since }}
),

{% if is_incremental() %}
known as (
    select
        {{ columns }}
    from {{ this }}
    where usage_key in (select arrived.usage_key from arrived)
),

{% endif %}
versions as not materialized (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select * from known
    {%- endif %}
),

-- Most keys have one version. Only the others are sorted; that is a tenth of the time of a window
-- over everything.
repeated_keys as (
    select usage_key
    from versions
    group by usage_key
    having count(*) > 1
),

ranked as (
    select
        versions.*,
        row_number() over (
            partition by versions.usage_key
            order by {{ version_order('versions') }}
        ) as version_rank,
        row_number() over (
            partition by versions.usage_key, versions.content_hash
            order by {{ version_order('versions') }}
        ) as copy_rank,
        max(versions.load_seq) over (partition by versions.usage_key) as key_load_seq
    from versions
    inner join repeated_keys on versions.usage_key = repeated_keys.usage_key
),

judged as (
    select
        {{ columns }},
        key_load_seq,
        version_rank = 1 as is_kept,
        case
            when version_rank = 1 then null
            when copy_rank > 1 then 'snapshot_copy'
            else 'superseded_version'
        end as drop_reason
    from ranked
    union all
    select
        {{ columns }},
        load_seq as key_load_seq,
        true as is_kept,
        cast(null as varchar) as drop_reason
    from versions
    where usage_key not in (select repeated_keys.usage_key from repeated_keys)
)

select
    {{ columns }},
    key_load_seq,
    is_kept,
    drop_reason
from judged
