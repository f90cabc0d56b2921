{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_transcript_tasks() }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- A subagent that a call of Task (Agent, in newer versions) starts is a task of the agent of its
    type. Its own lines tell tokens, cost and tools; where they are missing, the totals of the result
    stand in, which know no tiers and so no cost. A session that gained a line is made anew, and
    all are when prices changed. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
{%- set touched = '' %}
{%- if since is not none %}
{%- set touched = " and coalesce(session_id, '') in (select touched.session_id from touched)" %}
{%- endif %}
with folders as (
    select workdir_id, project_id, load_seq from {{ ref('stg_ledger__working_directories') }}
),

{% if since is not none -%}
touched as materialized (
    {{ touched_tool_sessions(since) }}
),

{% endif -%}
spawns as (
    select
        *,
        coalesce(session_id, '') as session
    from {{ ref('int_claude_code_tool_versions') }}
    where is_call and (tool_name = 'Task' or (tool_name = 'Agent' and subagent_type is not null))
        {{- touched }}
),

-- The result may stand in another session than the call, where one was resumed.
results as (
    select
        found.tool_call_key,
        found.occurred_at as completed_at,
        found.kept_is_error,
        found.kept_error_class,
        told.subagent_id,
        told.total_duration_ms,
        told.total_tokens,
        coalesce(told.is_asynchronous, false) as is_asynchronous
    from {{ ref('int_claude_code_tool_versions') }} as found
    left join {{ ref('stg_claude_code__subagent_results') }} as told
        on found.file_id = told.file_id
            and found.line_no = told.line_no
            and found.ordinal = told.ordinal
            and found.load_seq = told.load_seq
    where found.is_kept and not found.is_call
        and found.tool_call_key in (select spawns.tool_call_key from spawns)
),

-- One row per response of a subagent; its tokens are on the kept line, its time on the owner's.
responses as (
    select
        llm_call_key,
        max(case when is_owner then coalesce(session_id, '') end) as session,
        max(case when is_owner then agent_id end) as subagent_id,
        max(case when is_owner and not ts_suspicious then occurred_at end) as priced_at,
        max(case when not ts_suspicious then occurred_at end) as last_line_at,
        max(case when is_kept then provider end) as provider,
        max(case when is_kept then model end) as model,
        max(case when is_kept then service_tier end) as service_tier,
        cast(sum(kept_input_fresh_tokens) as bigint) as input_fresh_tokens,
        cast(sum(kept_cache_write_tokens) as bigint) as cache_write_tokens,
        cast(sum(kept_cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(kept_output_tokens) as bigint) as output_tokens,
        cast(sum(kept_web_search_requests) as bigint) as web_search_requests,
        cast(least(
            coalesce(sum(kept_stated_cache_write_1h_tokens), 0), sum(kept_cache_write_tokens)
        ) as bigint) as cache_write_1h_tokens
    from {{ ref('int_claude_code_call_versions') }}
    where is_sidechain and agent_id is not null
        {%- if touched %}
        and message_key in (
            select owners.message_key
            from {{ ref('int_claude_code_call_versions') }} as owners
            where owners.is_owner{{ touched }}
        )
        {%- endif %}
    group by llm_call_key
    having bool_or(is_owner) and not bool_or(is_synthetic)
),

tiered as (
    select
        responses.*,
        responses.cache_write_tokens - responses.cache_write_1h_tokens as cache_write_5m_tokens
    from responses
),

bands as (
    select * from {{ ref('int_model_price_bands') }}
),

priced as (
    select
        tiered.*,
        {{ cost_of_call('tiered', 'bands') }} as cost_usd
    from tiered
    left join bands
        on {{ is_band_at_time_of_call('tiered', 'bands') }}
),

spent as (
    select
        session,
        subagent_id,
        -- A part of a cost is no cost of a task.
        case when count(*) = count(cost_usd) then sum(cost_usd) end as cost_usd,
        min(provider) as provider,
        min(model) as model,
        cast(sum(input_fresh_tokens) as bigint) as input_fresh_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        max(last_line_at) as last_line_at
    from priced
    group by session, subagent_id
),

used as (
    select
        session,
        subagent_id,
        {{ name_counts_text('tool_name', 'uses') }} as patterns
    from (
        select
            coalesce(session_id, '') as session,
            agent_id as subagent_id,
            tool_name,
            cast(count(*) as bigint) as uses
        from {{ ref('int_claude_code_tool_versions') }}
        where is_call and is_kept and is_sidechain and agent_id is not null{{ touched }}
        group by coalesce(session_id, ''), agent_id, tool_name
    ) as counted
    group by session, subagent_id
),

sessions as (
    {{ transcript_session_loads(touched) }}
),

told as (
    select
        spawns.*,
        coalesce(folders.project_id, spawns.source_project_id) as project_id,
        greatest(spawns.load_seq, sessions.load_seq, coalesce(folders.load_seq, 0))
            as row_load_seq,
        results.total_tokens as stated_tokens,
        results.kept_error_class as result_error_class,
        spent.session is not null as has_own_lines,
        spent.provider,
        spent.model,
        spent.cost_usd,
        spent.input_fresh_tokens,
        spent.cache_write_tokens,
        spent.cache_read_tokens,
        spent.output_tokens,
        used.patterns,
        case
            when results.tool_call_key is null then 'unknown'
            when results.kept_is_error
                and results.kept_error_class in ('user_rejected', 'interrupted', 'sibling_error')
                then 'unknown'
            when results.kept_is_error then 'failure'
            -- It was started, and nothing tells how it ended.
            when results.is_asynchronous then 'unknown'
            else 'success'
        end as outcome,
        case
            when results.total_duration_ms is not null then results.total_duration_ms
            when results.is_asynchronous
                then {{ milliseconds_between('spawns.occurred_at', 'spent.last_line_at') }}
            else {{ milliseconds_between('spawns.occurred_at', 'results.completed_at') }}
        end as latency_ms
    from spawns
    left join results on spawns.tool_call_key = results.tool_call_key
    left join spent
        on spawns.session = spent.session and results.subagent_id = spent.subagent_id
    left join used
        on spawns.session = used.session and results.subagent_id = used.subagent_id
    left join folders on spawns.workdir_id = folders.workdir_id
    left join sessions on spawns.session = sessions.session_id
)

select
    ---------- ids
    tool_call_key as task_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    session_id,
    case when session_id is not null then {{ key_128(['project_id', 'session_id']) }} end
        as session_key,
    ---------- text
    coalesce(subagent_type, 'unknown') as agent_id,
    source_kind,
    'subagent' as variant,
    cast(null as varchar) as task_type,
    outcome,
    patterns,
    provider,
    model,
    result_error_class as error_class,
    nullif(concat_ws(
        ',',
        case when subagent_type is null then 'agent_unknown' end,
        case when not has_own_lines and stated_tokens is not null then 'subagent_estimated' end,
        case when has_own_lines and cost_usd is null then 'unpriced' end,
        case when ts_suspicious then 'ts_suspicious' end
    ), '') as flags,
    drop_reason,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    position,
    load_seq,
    row_load_seq as key_load_seq,
    cast(cost_usd * 100 as double) as cost_cents,
    cast(case when latency_ms >= 0 then latency_ms end as double) as latency_ms,
    input_fresh_tokens + coalesce(cache_write_tokens, 0) + coalesce(cache_read_tokens, 0)
        as prompt_tokens,
    output_tokens as completion_tokens,
    cache_read_tokens,
    cache_write_tokens,
    case
        when has_own_lines
            then input_fresh_tokens + coalesce(cache_write_tokens, 0)
                + coalesce(cache_read_tokens, 0) + output_tokens
        else stated_tokens
    end as total_tokens,
    ---------- booleans
    subagent_type is null as is_agent_unknown,
    false as tz_assumed,
    ts_suspicious,
    is_kept,
    ---------- timestamps
    occurred_at
from told
