{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- Every copy of a point of Claude Code's counters of tokens and of cost that names its session.
    A point is its series, name, start and time: what an exporter sends twice is one point. #}
{%- set since = built_load_seq('load_seq') %}
{%- set columns -%}
        record_key,
        content_hash,
        source_id,
        source_project_id,
        series_key,
        session_id,
        metric_name,
        temporality,
        token_type,
        file_id,
        line_no,
        ordinal,
        load_seq,
        amount,
        started_at,
        occurred_at
{%- endset %}
with arrived as materialized (
    select
        {{ columns }}
    from {{ ref('stg_otlp__metric_points') }}
    where metric_name in ('claude_code.token.usage', 'claude_code.cost.usage')
        and point_kind = 'sum'
        and session_id is not null
        and load_seq > {{ since }}
),

versions as not materialized (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select
        {{ columns }}
    from {{ this }}
    where record_key in (select arrived.record_key from arrived)
    {%- endif %}
),

ranked as (
    select
        *,
        max(load_seq) over (partition by record_key) as key_load_seq,
        row_number() over (
            partition by record_key
            order by
                amount desc nulls last,
                content_hash, line_no, ordinal, source_id, file_id, load_seq
        ) as version_rank,
        row_number() over (
            partition by record_key, content_hash
            order by line_no, ordinal, source_id, file_id, load_seq
        ) as copy_rank
    from versions
)

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
