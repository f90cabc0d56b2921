{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail'
) }}
{#- What a tool writes, counted per load: only new lines are looked at, and history is never read
    again. -#}
{%- set since = built_load_seq('load_seq') %}
{%- set kinds = {'line_type': 'line_type', 'tool_version': 'tool_version'} %}
with lines as (
    {{ united(
        [ref('stg_claude_code__line_shapes'), ref('stg_codex__line_shapes')],
        ['source_kind', 'run_id', 'line_type', 'tool_version', 'file_id', 'line_no', 'load_seq', 'ingested_at']
    ) }}
),

arrived as (
    select *
    from lines
    where load_seq > {{ since }}
)
{% for what, column in kinds.items() %}
select
    source_kind,
    '{{ what }}' as what,
    coalesce({{ column }}, '(none)') as name,
    run_id,
    file_id,
    load_seq,
    count(*) as occurrences,
    min(line_no) as first_line_no,
    min(ingested_at) as first_seen_at
from arrived
-- Many kinds of lines do not name the version that wrote them.
{{ 'where ' ~ column ~ ' is not null' if what == 'tool_version' }}
group by source_kind, {{ column }}, run_id, file_id, load_seq
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
