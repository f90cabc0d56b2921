-- depends_on: {{ ref('int_llm_call_versions') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_quarters() }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- Additive, by the quarter of an hour: every zone's midnight falls on one, so any zone's days are
    exact. An incremental run replaces the touched quarters, which the pre-hook has just deleted. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
with calls as (
    select
        facts.*,
        {{ quarter_start('facts.occurred_at', 'not facts.ts_suspicious') }} as quarter_start
    from {{ ref('fct_llm_calls') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active
)

select
    quarter_start,
    project_id,
    session_key,
    provider,
    model,
    source_kind,
    count(*) as calls,
    count(*) filter (where is_api_error) as api_errors,
    count(*) filter (where is_sidechain) as sidechain_calls,
    cast(coalesce(sum(input_fresh_tokens), 0) as bigint) as input_fresh_tokens,
    cast(coalesce(sum(cache_write_5m_tokens), 0) as bigint) as cache_write_5m_tokens,
    cast(coalesce(sum(cache_write_1h_tokens), 0) as bigint) as cache_write_1h_tokens,
    cast(coalesce(sum(cache_read_tokens), 0) as bigint) as cache_read_tokens,
    cast(coalesce(sum(output_tokens), 0) as bigint) as output_tokens,
    cast(coalesce(sum(cache_ttl_assumed_tokens), 0) as bigint) as cache_ttl_assumed_tokens,
    cast(coalesce(sum(web_search_requests), 0) as bigint) as web_search_requests,
    -- Money is exact and additive, so any slicing of the calls gives the same sums.
    cast(coalesce(sum(cost_usd), 0) as decimal(18, 9)) as cost_usd,
    count(*) - count(cost_usd) as unpriced_calls,
    cast(
        coalesce(sum({{ whole_tokens('calls') }}) filter (where cost_usd is null), 0) as bigint
    ) as unpriced_tokens,
    cast(coalesce(sum(cost_as_billed_usd), 0) as decimal(18, 9)) as cost_as_billed_usd,
    count(cost_as_billed_usd) as billed_calls,
    cast(coalesce(sum(cost_today_usd), 0) as decimal(18, 9)) as cost_today_usd,
    count(*) - count(cost_today_usd) as unpriced_today_calls,
    cast(coalesce(sum(cache_savings_usd), 0) as decimal(18, 9)) as cache_savings_usd,
    count(*) - count(cache_savings_usd) as unknown_savings_calls,
    min(occurred_at) as first_called_at,
    max(occurred_at) as last_called_at,
    max(load_seq) as load_seq
from calls
{%- if since is not none %}
where quarter_start in ({{ touched_quarters(since) }})
{%- endif %}
group by quarter_start, project_id, session_key, provider, model, source_kind
