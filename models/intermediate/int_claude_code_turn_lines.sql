{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- Every line that bounds a turn; of its copies the earliest is kept, as it is of a response, so
    that a prompt and its answers stay in one session. #}
{%- set since = built_load_seq('load_seq') %}
{%- set columns -%}
        record_key,
        content_hash,
        source_id,
        source_project_id,
        session_id,
        mark,
        prompt_kind,
        command_name,
        workdir_id,
        file_id,
        line_no,
        ordinal,
        load_seq,
        duration_ms,
        ts_suspicious,
        occurred_at
{%- endset %}
with arrived as materialized (
    select
        {{ columns }}
    from {{ ref('stg_claude_code__turn_lines') }}
    where load_seq > {{ since }}
),

lines as not materialized (
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
        row_number() over (partition by record_key order by {{ earliest_first() }}) as owner_rank
    from lines
)

select
    {{ columns }},
    key_load_seq,
    owner_rank = 1 as is_kept
from ranked
