{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='message_key',
    on_schema_change='fail',
    pre_hook="{{ delete_uncounted(ref('int_llm_call_versions'), 'message_key') }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- One response of a model: tokens of the kept line, session, folder and time of the line that owns
    it. A message whose lines changed is written again, and so is one whose folder moved to another
    project; all are when the registered projects or the prices changed. What it costs follows from
    the prices at its time, and beside it from those of today. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
with folders as (
    select workdir_id, project_id, load_seq from {{ ref('stg_ledger__working_directories') }}
),

lines as (
    select versions.*
    from {{ ref('int_llm_call_versions') }} as versions
    {%- if since is not none %}
    where versions.key_load_seq > {{ since }}
        or versions.message_key in (
            select moved.message_key
            from {{ ref('int_llm_call_versions') }} as moved
            inner join folders on moved.workdir_id = folders.workdir_id
            where moved.is_owner and folders.load_seq > {{ since }}
        )
    {%- endif %}
),

owners as (
    select
        lines.*,
        coalesce(folders.project_id, lines.source_project_id) as project_id,
        coalesce(folders.load_seq, 0) as folder_load_seq
    from lines
    left join folders on lines.workdir_id = folders.workdir_id
    where lines.is_owner
),

calls as (
    select
        owners.llm_call_key,
        owners.message_key,
        owners.source_kind,
        owners.project_id,
        owners.session_id,
        owners.agent_id,
        owners.file_id,
        owners.line_no,
        owners.is_sidechain,
        owners.attribution_skill,
        owners.occurred_at,
        owners.ts_suspicious,
        greatest(owners.key_load_seq, owners.folder_load_seq) as load_seq,
        kept.provider,
        kept.model,
        kept.input_basis,
        kept.reasoning_tokens,
        kept.duration_ms,
        kept.recorded_cost_usd,
        kept.stop_reason,
        kept.service_tier,
        kept.is_synthetic,
        kept.kept_input_fresh_tokens as input_fresh_tokens,
        kept.kept_cache_write_tokens as cache_write_tokens,
        kept.kept_cache_read_tokens as cache_read_tokens,
        kept.kept_output_tokens as output_tokens,
        kept.kept_web_search_requests as web_search_requests,
        least(
            coalesce(kept.kept_stated_cache_write_1h_tokens, 0), kept.kept_cache_write_tokens
        ) as cache_write_1h_tokens,
        coalesce(kept.kept_stated_cache_write_5m_tokens, 0)
        + coalesce(kept.kept_stated_cache_write_1h_tokens, 0) as stated_cache_write_tokens
    from owners
    inner join lines as kept on owners.llm_call_key = kept.llm_call_key and kept.is_kept
),

tiered as (
    select
        calls.*,
        calls.cache_write_tokens - calls.cache_write_1h_tokens as cache_write_5m_tokens,
        -- A time that nobody believes is no time of a price.
        case when not calls.ts_suspicious then calls.occurred_at end as priced_at
    from calls
),

bands as (
    select * from {{ ref('int_model_price_bands') }}
),

todays_bands as (
    select bands.*
    from bands
    inner join {{ ref('stg_ledger__load_context') }} as context
        on context.prices_judged_at >= bands.valid_from
            and (bands.valid_to is null or context.prices_judged_at < bands.valid_to)
),

priced as (
    select
        tiered.*,
        {{ cost_of_call('tiered', 'bands') }} as cost_usd,
        {{ cost_of_call('tiered', 'todays_bands') }} as cost_today_usd,
        {{ cache_savings_of_call('tiered', 'bands') }} as cache_savings_usd
    from tiered
    left join bands
        on {{ is_band_at_time_of_call('tiered', 'bands') }}
    left join todays_bands
        on {{ is_band_of_call('tiered', 'todays_bands') }}
)

select
    ---------- ids
    llm_call_key,
    message_key,
    project_id,
    {{ key_128(['project_id', "coalesce(session_id, '')"]) }} as session_key,
    case when agent_id is not null then {{ key_128(['project_id', 'agent_id']) }} end as agent_key,
    ---------- text
    source_kind,
    provider,
    model,
    stop_reason,
    service_tier,
    attribution_skill,
    input_basis,
    ---------- numerics
    file_id,
    line_no,
    load_seq,
    input_fresh_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    cache_read_tokens,
    output_tokens,
    greatest(cache_write_tokens - stated_cache_write_tokens, 0) as cache_ttl_assumed_tokens,
    web_search_requests,
    reasoning_tokens,
    duration_ms,
    cost_usd,
    try_cast(recorded_cost_usd as decimal(18, 9)) as cost_as_billed_usd,
    cost_today_usd,
    cache_savings_usd,
    ---------- booleans
    is_synthetic as is_api_error,
    is_sidechain,
    ts_suspicious,
    ---------- timestamps
    occurred_at
from priced
