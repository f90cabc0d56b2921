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

{#- The columns of a task that `spent` and `used` fill, the same for every kind of trace. -#}
{% macro agent_run_figures() -%}
cast(spent.cost_usd * 100 as double) as cost_cents,
    spent.prompt_tokens,
    spent.completion_tokens,
    spent.cache_read_tokens,
    spent.cache_write_tokens,
    spent.prompt_tokens + spent.completion_tokens as total_tokens
{%- endmacro %}
