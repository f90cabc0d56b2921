{#- What the run of an agent used: model calls and tools below it in its trace. Each belongs to the
    nearest agent above it, so that agents that hand work on add up and count nothing twice. -#}

{#- CTEs `spent` and `used`, one row per agent. They read of the model that calls this, which begins
    with `with recursive`:
    `links` (span_key, parent_span_key, is_agent): every span of the traces that are judged;
    `leaf_calls`: model calls that count, with the columns of a price and `priced_at`;
    `leaf_tools` (span_key, tool_name): calls of tools. -#}
{% macro used_below_agents() -%}
-- A set, so that parents that are written in a circle come to an end.
climbing (item_key, at_key, is_there) as (
    select
        links.span_key,
        case when links.is_agent then links.span_key else links.parent_span_key end,
        links.is_agent or coalesce(parents.is_agent, false)
    from links
    left join links as parents on links.parent_span_key = parents.span_key
    where links.span_key in (
        select leaf_calls.span_key from leaf_calls
        union all
        select leaf_tools.span_key from leaf_tools
    )
    union
    select
        climbing.item_key,
        links.parent_span_key,
        coalesce(parents.is_agent, false)
    from climbing
    inner join links on climbing.at_key = links.span_key
    left join links as parents on links.parent_span_key = parents.span_key
    where not climbing.is_there and links.parent_span_key is not null
),

owners as (
    select
        item_key,
        at_key as agent_key
    from climbing
    where is_there
),

{{ spent_by_owners() }}
{%- endmacro %}

{#- The last of these CTEs, for `owners` (item_key, agent_key) that the caller knows in another way:
    which calls and tools are whose. -#}
{% macro spent_by_owners() -%}
tiered as (
    select
        leaf_calls.*,
        owners.agent_key,
        leaf_calls.cache_write_tokens as cache_write_5m_tokens,
        cast(0 as bigint) as cache_write_1h_tokens,
        cast(null as bigint) as web_search_requests
    from leaf_calls
    inner join owners on leaf_calls.span_key = owners.item_key
),

bands as (
    select * from {{ ref('int_model_price_bands') }}
),

-- Where no price is known, what the source says that a call cost.
priced as (
    select
        tiered.*,
        coalesce(
            {{ cost_of_call('tiered', 'bands') }},
            try_cast(tiered.recorded_cost_usd as decimal(18, 9))
        ) as cost_usd
    from tiered
    left join bands
        on {{ is_band_at_time_of_call('tiered', 'bands') }}
),

spent as (
    select
        agent_key,
        -- A part of a sum is no sum.
        case when count(*) = count(cost_usd) then sum(cost_usd) end as cost_usd,
        min(provider) as provider,
        min(model) as model,
        cast(case when count(*) = count(input_fresh_tokens) then sum(
            input_fresh_tokens + coalesce(cache_write_tokens, 0) + coalesce(cache_read_tokens, 0)
        ) end as bigint) as prompt_tokens,
        cast(case when count(*) = count(output_tokens) then sum(output_tokens) end as bigint)
            as completion_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        bool_or(span_key = agent_key) as is_estimated
    from priced
    group by agent_key
),

used as (
    select
        agent_key,
        {{ name_counts_text('tool_name', 'uses') }} as patterns
    from (
        select
            owners.agent_key,
            leaf_tools.tool_name,
            cast(count(*) as bigint) as uses
        from leaf_tools
        inner join owners on leaf_tools.span_key = owners.item_key
        group by owners.agent_key, leaf_tools.tool_name
    ) as counted
    group by agent_key
)
{%- endmacro %}

{#- Name of an agent or a tool, as the span or the observation of its run is named: what it did stands
    before the name, and the id of the run behind it. Null when nothing else is left. -#}
{% macro name_of_run(text) -%}
nullif(
    regexp_replace(
        regexp_replace({{ text }}, '^(invoke_agent|execute_tool)( +|$)', ''),
        '[ ._:/-]*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$', ''
    ),
    ''
)
{%- endmacro %}

{#- The columns of `leaf_calls`, of versions of model calls: what a call used, and what it is priced
    by. `prefix`: of the columns of tokens. -#}
{% macro leaf_call_columns(calls, key='llm_call_key', prefix='') -%}
{{ calls }}.{{ key }} as span_key,
        {{ calls }}.provider,
        {{ calls }}.model,
        {{ calls }}.service_tier,
        {%- for tier in ['input_fresh', 'cache_write', 'cache_read', 'output'] %}
        {{ calls }}.{{ prefix }}{{ tier }}_tokens as {{ tier }}_tokens,
        {%- endfor %}
        {{ calls }}.recorded_cost_usd,
        case when not {{ calls }}.ts_suspicious then {{ calls }}.occurred_at end as priced_at
{%- endmacro %}

{#- The last part of a model of agents in traces: each run in `named` as a task, with what
    `used_below_agents` found. `named` has the columns of a span of `int_otlp_spans`, `variant` and
    `agent_text`; `own_ids` are ids that one source alone knows. -#}
{% macro agent_run_tasks(own_ids=[]) -%}
select
    ---------- ids
    named.span_key as task_key,
    named.trace_key,
    {%- for name in own_ids %}
    named.{{ name }},
    {%- endfor %}
    named.record_key,
    named.content_hash,
    named.source_project_id as project_id,
    named.source_id,
    named.session_id,
    case
        when named.session_id is not null
            then {{ key_128(['named.source_project_id', 'named.session_id']) }}
    end as session_key,
    ---------- text
    named.agent_text as agent_id,
    named.source_kind,
    cast(named.variant as varchar) as variant,
    cast(null as varchar) as task_type,
    named.outcome,
    used.patterns,
    coalesce(spent.provider, named.provider) as provider,
    coalesce(spent.model, nullif(named.model, 'unknown')) as model,
    case when named.outcome = 'failure' then coalesce(named.error_type, 'other') end as error_class,
    nullif(concat_ws(
        ',',
        case when named.variant = 'trace' then 'agent_from_trace' end,
        case when named.agent_text = 'unknown' then 'agent_unknown' end,
        case when not named.is_finished then 'unfinished' end,
        case when spent.is_estimated then 'agent_estimated' end,
        case when spent.agent_key is not null and spent.cost_usd is null then 'unpriced' end,
        case when named.ts_suspicious then 'ts_suspicious' end
    ), '') as flags,
    named.drop_reason,
    ---------- numerics
    named.file_id,
    named.line_no,
    named.ordinal,
    named.load_seq,
    named.key_load_seq,
    named.duration_ms as latency_ms,
    {{ agent_run_figures() }},
    ---------- booleans
    named.agent_text = 'unknown' as is_agent_unknown,
    false as tz_assumed,
    named.ts_suspicious,
    named.is_kept,
    ---------- timestamps
    coalesce(named.ended_at, named.occurred_at) as occurred_at
from named
left join spent on named.span_key = spent.agent_key
left join used on named.span_key = used.agent_key
{%- endmacro %}

{#- The columns of a task that `spent` and `used` fill, the same for every kind of trace. -#}
{% macro agent_run_figures() -%}
cast(spent.cost_usd * 100 as double) as cost_cents,
    spent.prompt_tokens,
    spent.completion_tokens,
    spent.cache_read_tokens,
    spent.cache_write_tokens,
    spent.prompt_tokens + spent.completion_tokens as total_tokens
{%- endmacro %}
