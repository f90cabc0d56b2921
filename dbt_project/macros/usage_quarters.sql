{#- The unit of change of `usage_quarter_hours`: a quarter of an hour, UTC. What has no time, or one
    that nobody can believe, is counted in the quarter that begins the epoch. -#}

{% macro quarter_start(instant, is_usable) -%}
case
    when {{ instant }} is null or not ({{ is_usable }}) then {{ instant_from_micros('0') }}
    {%- set micros = epoch_micros(instant) %}
    else {{ instant_from_micros(micros ~ ' - ' ~ micros ~ ' % 900000000') }}
end
{%- endmacro %}

{#- Quarters of all versions, old and new, of the calls that gained a row after `since`, and of the
    calls whose project is another one since. -#}
{% macro touched_quarters(since) -%}
select {{ quarter_start('versions.occurred_at', 'not versions.ts_suspicious') }} as quarter_start
from {{ ref('int_llm_call_versions') }} as versions
where versions.key_load_seq > {{ since }}
union
select {{ quarter_start('calls.occurred_at', 'not calls.ts_suspicious') }} as quarter_start
from {{ ref('fct_llm_calls') }} as calls
where calls.load_seq > {{ since }}
{%- endmacro %}

{#- Runs in the transaction of the model, before its rows are computed. -#}
{% macro delete_touched_quarters() %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq(reads_prices=true) -%}
    {%- if since is none -%}
delete from {{ this }}
    {%- else -%}
delete from {{ this }}
where quarter_start in ({{ touched_quarters(since) }})
    {%- endif -%}
{%- endif -%}
{% endmacro %}
