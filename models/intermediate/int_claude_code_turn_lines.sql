{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='record_key',
    on_schema_change='fail'
) }}
{#- Every line that bounds a turn; of its copies the earliest is kept, as it is of a response, so
    that a prompt and its answers stay in one session. #}
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
with {{ rows_of_arrived_keys(
    'lines', ref('stg_claude_code__turn_lines'), 'record_key', columns
) }},

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
