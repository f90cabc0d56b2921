{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='message_key',
    on_schema_change='fail'
) }}
{#- Every line that repeats the usage of a response, and why all but one of them are dropped.
    A message that gained a line brings all of its lines: content alone judges them anew. #}
{%- set amounts = token_tiers() + ['stated_cache_write_5m', 'stated_cache_write_1h'] %}
{%- set columns -%}
        message_key,
        record_key,
        content_hash,
        source_id,
        source_project_id,
        source_kind,
        request_id,
        session_id,
        agent_id,
        model,
        stop_reason,
        service_tier,
        attribution_skill,
        workdir_id,
        file_id,
        line_no,
        ordinal,
        load_seq,
        {%- for amount in amounts %}
        {{ amount }}_tokens,
        {%- endfor %}
        web_search_requests,
        is_synthetic,
        is_sidechain,
        stamps_skills,
        ts_suspicious,
        occurred_at
{%- endset %}
with {{ rows_of_arrived_keys(
    'lines', ref('stg_claude_code__responses'), 'message_key', columns
) }},

-- A line without a request id belongs to the earliest response that has its message id.
requested as (
    select
        *,
        coalesce(
            request_id,
            first_value(request_id) over (
                partition by message_key
                order by case when request_id is null then 1 else 0 end, {{ earliest_first() }}
            )
        ) as response_request_id,
        max(load_seq) over (partition by message_key) as key_load_seq
    from lines
),

keyed as (
    select
        *,
        {{ key_128(["cast(message_key as varchar)", "coalesce(response_request_id, '')"]) }}
            as llm_call_key
    from requested
),

ranked as (
    select
        *,
        row_number() over (partition by llm_call_key order by {{ furthest_grown() }}) as kept_rank,
        row_number() over (partition by llm_call_key order by {{ earliest_first() }}) as owner_rank,
        row_number() over (
            partition by llm_call_key, record_key, session_id order by {{ furthest_grown() }}
        ) as copy_rank
        {%- for amount in amounts %},
        max({{ amount }}_tokens) over (partition by llm_call_key) as most_{{ amount }}_tokens
        {%- endfor %},
        max(web_search_requests) over (partition by llm_call_key) as most_web_search_requests,
        bool_or(is_synthetic) over (partition by llm_call_key) as call_is_synthetic
    from keyed
),

owned as (
    select
        *,
        first_value(session_id) over (partition by llm_call_key order by owner_rank)
            as owner_session_id,
        {%- for tier in token_tiers() %}
        first_value({{ tier }}_tokens) over (partition by llm_call_key order by kept_rank)
            as winner_{{ tier }}_tokens{{ '' if loop.last else ',' }}
        {%- endfor %}
    from ranked
)

select
    {{ columns }},
    llm_call_key,
    key_load_seq,
    kept_rank = 1 as is_kept,
    owner_rank = 1 as is_owner,
    case
        when kept_rank = 1 then null
        when call_is_synthetic then 'synthetic'
        when coalesce(session_id, '') <> coalesce(owner_session_id, '') then 'fork_replay'
        when copy_rank > 1 then 'snapshot_copy'
        when request_id is null and response_request_id is not null then 'missing_request_id'
        when {% for tier in token_tiers() -%}
            coalesce({{ tier }}_tokens, -1) = coalesce(winner_{{ tier }}_tokens, -1)
            {%- if not loop.last %}
            and {% endif %}
            {%- endfor %}
            then 'content_block_copy'
        else 'stream_partial'
    end as drop_reason
    {%- for amount in amounts %},
    case
        when kept_rank <> 1 or call_is_synthetic then 0
        else most_{{ amount }}_tokens
    end as kept_{{ amount }}_tokens
    {%- endfor %},
    case when kept_rank = 1 then most_web_search_requests else 0 end as kept_web_search_requests,
    -- What these transcripts do not tell, so that all sources have the same columns.
    cast('anthropic' as varchar) as provider,
    cast('exclusive' as varchar) as input_basis,
    cast(null as bigint) as reasoning_tokens,
    cast(null as double) as duration_ms,
    cast(null as double) as recorded_cost_usd
from owned
