{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='session_id',
    on_schema_change='fail'
) }}
{#- Sessions that a transcript tells of, by a model call or a tool: what telemetry says of them
    besides gives way. Small, so that nobody has to group all lines to know it. #}
{%- set since = built_load_seq('load_seq') %}
with arrived as (
    {%- for relation in ['int_claude_code_call_versions', 'int_claude_code_tool_versions'] %}
    select
        session_id,
        load_seq as first_load_seq,
        load_seq
    from {{ ref(relation) }}
    where session_id is not null and load_seq > {{ since }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

known as (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select
        session_id,
        first_load_seq,
        load_seq
    from {{ this }}
    where session_id in (select arrived.session_id from arrived)
    {%- endif %}
)

select
    ---------- ids
    session_id,
    ---------- numerics
    min(first_load_seq) as first_load_seq,
    max(load_seq) as load_seq
from known
group by session_id
