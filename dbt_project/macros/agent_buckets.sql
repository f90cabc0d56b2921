{#- The windows of `agent_metrics`: 5 minutes, hours, UTC days and ISO weeks, of which only closed
    ones have a row. So a bucket changes when a task in it does, and when `as_of` passes its end. -#}

{#- Length of each window in seconds. -#}
{% macro agent_window_seconds() %}
    {{ return({'5m': 300, '1h': 3600, '1d': 86400, '1w': 604800}) }}
{% endmacro %}

{#- Weeks begin on Monday: the first one after the epoch began four days later. -#}
{% macro agent_bucket_micros(size, instant) -%}
{%- set micros = epoch_micros(instant) -%}
{%- set length = agent_window_seconds()[size] * 1000000 -%}
{%- set shift = 4 * 86400 * 1000000 if size == '1w' else 0 -%}
({{ micros }} - ({{ micros }} - {{ shift }}) % {{ length }})
{%- endmacro %}

{% macro agent_bucket_start(size, instant) -%}
{{ instant_from_micros(agent_bucket_micros(size, instant)) }}
{%- endmacro %}

{% macro agent_bucket_end(size, instant) -%}
{{ instant_from_micros(agent_bucket_micros(size, instant) ~ ' + ' ~ agent_window_seconds()[size] * 1000000) }}
{%- endmacro %}

{#- The instant of the run, floored to the last closed 5 minutes: one row with `as_of`. -#}
{% macro closed_as_of() -%}
(
    select {{ agent_bucket_start('5m', 'max(context.as_of)') }} as as_of
    from {{ ref('stg_ledger__run_context') }} as context
)
{%- endmacro %}

{#- Instant up to which the model's closed buckets are complete, in microseconds; none = build all:
    a first build, or one whose rows cannot be trusted. -#}
{% macro built_as_of_micros() %}
    {%- if execute and is_incremental() -%}
        {%- set found = run_query(
            "select epoch_us(built.as_of) from state.model_builds as built"
            ~ " where built.model_name = '" ~ this.identifier ~ "' and built.as_of is not null"
        ) -%}
        {%- if found.rows | length == 1 -%}
            {{ return(found.columns[0].values()[0] | int) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}

{#- Buckets that end after this instant were open at the last build, or are open now. -#}
{% macro agent_boundary(built) -%}
least({{ instant_from_micros(built) }}, {{ closed_as_of() }})
{%- endmacro %}

{#- Start of the oldest week, in microseconds, in which the task of a new version lies or, with `built`,
    in which a bucket was open at the last build; none when there is none. As a figure in the SQL of a
    model it lets DuckDB leave out what is older without reading it, which no subquery does. -#}
{% macro oldest_touched_week_micros(since, built=none) %}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set asked -%}
select min(weeks.week_micros)
from (
    select {{ agent_bucket_micros('1w', 'versions.occurred_at') }} as week_micros
    from {{ ref('int_agent_task_versions') }} as versions
    where versions.key_load_seq > {{ since }}
        and versions.occurred_at is not null
        and not versions.ts_suspicious
    {%- if built is not none %}
    union all
    select {{ epoch_micros(agent_boundary(built)) }} - {{ agent_window_seconds()['1w'] * 1000000 }}
    {%- endif %}
) as weeks
    {%- endset -%}
    {%- set found = run_query(asked).columns[0].values()[0] -%}
    {{ return(none if found is none else found | int) }}
{% endmacro %}

{#- Buckets of all versions, old and new, of the tasks that gained a row after `since`. -#}
{% macro touched_agent_buckets(since) -%}
{%- for size in agent_window_seconds() %}
select distinct
    versions.agent_id,
    '{{ size }}' as window_size,
    {{ agent_bucket_start(size, 'versions.occurred_at') }} as window_start
from {{ ref('int_agent_task_versions') }} as versions
where versions.key_load_seq > {{ since }}
    and versions.occurred_at is not null
    and not versions.ts_suspicious
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
{%- endmacro %}

{#- Runs in the transaction of the model, before its rows are computed. -#}
{% macro delete_touched_agent_buckets() %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq(reads_prices=true) -%}
    {%- set built = built_as_of_micros() -%}
    {%- if since is none or built is none -%}
delete from {{ this }}
    {%- else -%}
delete from {{ this }}
where window_end > {{ agent_boundary(built) }}
    or (agent_id, window_size, window_start) in ({{ touched_agent_buckets(since) }})
    {%- endif -%}
{%- endif -%}
{% endmacro %}
