{#- What a model call costs: tokens of each tier at that tier's own price, added up. A tier that has
    tokens and no price makes the cost unknown; a tier without tokens costs nothing. -#}

{#- What has a price of its own: columns of calls (with `_tokens`, or `_requests`), and of prices. -#}
{% macro price_classes() %}
    {{ return([
        'input_fresh', 'cache_write_5m', 'cache_write_1h', 'cache_read', 'output', 'web_search'
    ]) }}
{% endmacro %}

{#- Dollars of an amount; null when there is an amount and no price. Exact: no floating point. -#}
{% macro cost_of(amount, usd_each) -%}
case
    when coalesce({{ amount }}, 0) = 0 then 0
    else cast({{ amount }} as decimal(13, 0)) * {{ usd_each }}
end
{%- endmacro %}

{#- Dollars of a call at the prices of a row of `int_model_price_bands`, DECIMAL(18,9). Null when a
    tier has no price, or when the fresh input or the output is unknown. -#}
{% macro cost_of_call(calls, prices) -%}
case
    when {{ calls }}.input_fresh_tokens is not null and {{ calls }}.output_tokens is not null
        then try_cast(
            {%- for class in price_classes() %}
            {%- set unit = 'requests' if class == 'web_search' else 'tokens' %}
            {{ '+ ' if not loop.first }}({{ cost_of(calls ~ '.' ~ class ~ '_' ~ unit, prices ~ '.' ~ class ~ '_usd') }})
            {%- endfor %}
            as decimal(18, 9)
        )
end
{%- endmacro %}

{#- What the cache reads of a call would have cost as fresh input, less what they cost. -#}
{% macro cache_savings_of_call(calls, prices) -%}
try_cast(
    {{ cost_of(calls ~ '.cache_read_tokens', '(' ~ prices ~ '.input_fresh_usd - ' ~ prices ~ '.cache_read_usd)') }}
    as decimal(18, 9)
)
{%- endmacro %}

{#- The whole input of a call, cache included: what decides on its band of context. -#}
{% macro whole_input(calls) -%}
(
    coalesce({{ calls }}.input_fresh_tokens, 0) + coalesce({{ calls }}.cache_write_5m_tokens, 0)
    + coalesce({{ calls }}.cache_write_1h_tokens, 0) + coalesce({{ calls }}.cache_read_tokens, 0)
)
{%- endmacro %}

{#- All tokens of a call. -#}
{% macro whole_tokens(calls) -%}
({{ whole_input(calls) }} + coalesce({{ calls }}.output_tokens, 0))
{%- endmacro %}

{#- Which band prices a call: the prices of its model and tier whose band its whole input lies in,
    strictly above the threshold. -#}
{% macro is_band_of_call(calls, prices) -%}
{{ prices }}.provider = lower(trim(coalesce({{ calls }}.provider, '')))
    and {{ prices }}.model = lower(trim({{ calls }}.model))
    and {{ prices }}.service_tier = {{ price_tier(calls ~ '.service_tier') }}
    and {{ whole_input(calls) }} > {{ prices }}.input_above
    and ({{ prices }}.input_up_to is null or {{ whole_input(calls) }} <= {{ prices }}.input_up_to)
{%- endmacro %}

{#- The band that priced a call at its own time, `priced_at`; a price that always held needs no time. -#}
{% macro is_band_at_time_of_call(calls, prices) -%}
{{ is_band_of_call(calls, prices) }}
    and (
        {{ calls }}.priced_at >= {{ prices }}.valid_from
        or ({{ calls }}.priced_at is null and {{ prices }}.holds_always)
    )
    and ({{ prices }}.valid_to is null or {{ calls }}.priced_at < {{ prices }}.valid_to)
{%- endmacro %}

{#- The tier of a request as prices name it; the same names as in agentledger/prices.py. -#}
{% macro price_tier(service_tier) -%}
case
    when coalesce(lower(trim({{ service_tier }})), '') in ('', 'standard', 'default', 'auto', 'on_demand')
        then 'standard'
    else lower(trim({{ service_tier }}))
end
{%- endmacro %}
