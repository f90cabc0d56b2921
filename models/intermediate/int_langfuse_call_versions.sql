{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='trace_key',
    on_schema_change='fail'
) }}
{#- Every version of an observation that has tokens, and why it does not count: a newer one does, or
    its own children tell of the same tokens. A trace that gained an observation is judged anew. #}
{%- set since = built_load_seq('key_load_seq') %}
with recursive versions as (
    {{ langfuse_versions(since) }}
),

newest as (
    select
        observation_key,
        parent_observation_key,
        has_tokens
    from versions
    where version_rank = 1
),

-- Each observation above one with tokens. A set, so that a circle of parents comes to an end.
above (observation_key, ancestor_key) as (
    select
        newest.observation_key,
        newest.parent_observation_key
    from newest
    where newest.has_tokens and newest.parent_observation_key is not null
    union
    select
        above.observation_key,
        newest.parent_observation_key
    from above
    inner join newest on above.ancestor_key = newest.observation_key
    where newest.parent_observation_key is not null
),

repeating as (
    select distinct ancestor_key
    from above
    where ancestor_key <> observation_key
),

based as (
    select
        *,
        coalesce(stated_cache_read_tokens, 0) + coalesce(stated_cache_write_tokens, 0)
            as cache_tokens
    from versions
    where has_tokens
),

tiered as (
    select
        *,
        case
            when cache_tokens = 0 then 'unknown'
            when cache_tokens > coalesce(input_tokens, 0) then 'exclusive'
            when stated_total_tokens = input_tokens + coalesce(output_tokens, 0) then 'inclusive'
            when stated_total_tokens = input_tokens + coalesce(output_tokens, 0) + cache_tokens
                then 'exclusive'
            else 'unknown'
        end as input_basis
    from based
),

disjoint as (
    select
        tiered.*,
        case
            when tiered.input_basis = 'inclusive' then tiered.input_tokens - tiered.cache_tokens
            else tiered.input_tokens
        end as input_fresh_tokens,
        -- Nobody knows whether the input holds it: counted there, never twice.
        case when tiered.input_basis <> 'unknown' then tiered.stated_cache_write_tokens end
            as cache_write_tokens,
        case when tiered.input_basis <> 'unknown' then tiered.stated_cache_read_tokens end
            as cache_read_tokens,
        case
            when tiered.version_rank = 1 and repeating.ancestor_key is null then null
            when tiered.version_rank = 1 then 'parent_repeats_children'
            when tiered.copy_rank > 1 then 'snapshot_copy'
            else 'superseded_version'
        end as drop_reason
    from tiered
    left join repeating on tiered.observation_key = repeating.ancestor_key
)

select
    ---------- ids
    observation_key as llm_call_key,
    observation_key as message_key,
    trace_key,
    otlp_trace_key,
    record_key,
    content_hash,
    source_id,
    source_project_id,
    cast(null as varchar) as request_id,
    session_id,
    cast(null as varchar) as agent_id,
    ---------- text
    'langfuse' as source_kind,
    cast(null as varchar) as provider,
    model,
    cast(null as varchar) as stop_reason,
    cast(null as varchar) as service_tier,
    cast(null as varchar) as attribution_skill,
    input_basis,
    drop_reason,
    ---------- numerics
    cast(null as bigint) as workdir_id,
    file_id,
    line_no,
    ordinal,
    load_seq,
    key_load_seq,
    input_fresh_tokens,
    cache_write_tokens,
    cache_read_tokens,
    output_tokens,
    cast(null as bigint) as web_search_requests,
    reasoning_tokens,
    duration_ms,
    recorded_cost_usd,
    case when drop_reason is null then input_fresh_tokens else 0 end as kept_input_fresh_tokens,
    case when drop_reason is null then coalesce(cache_write_tokens, 0) else 0 end
        as kept_cache_write_tokens,
    case when drop_reason is null then coalesce(cache_read_tokens, 0) else 0 end
        as kept_cache_read_tokens,
    case when drop_reason is null then output_tokens else 0 end as kept_output_tokens,
    cast(null as bigint) as kept_stated_cache_write_5m_tokens,
    cast(null as bigint) as kept_stated_cache_write_1h_tokens,
    cast(null as bigint) as kept_web_search_requests,
    ---------- booleans
    drop_reason is null as is_kept,
    drop_reason is null as is_owner,
    false as is_synthetic,
    false as is_sidechain,
    ts_suspicious,
    ---------- timestamps
    started_at as occurred_at
from disjoint
