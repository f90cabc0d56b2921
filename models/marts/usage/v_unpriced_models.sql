{{ config(materialized='view') }}
{#- Models whose calls have tokens and no price. Their cost is unknown, so sums that hold them are
    lower bounds. #}
with calls as (
    select
        coalesce(lower(trim(provider)), '') as provider,
        lower(trim(model)) as model,
        sum(calls) as calls,
        sum(unpriced_calls) as unpriced_calls,
        sum(unpriced_tokens) as unpriced_tokens,
        min(first_called_at) as first_called_at,
        max(last_called_at) as last_called_at
    from {{ ref('usage_quarter_hours') }}
    group by coalesce(lower(trim(provider)), ''), lower(trim(model))
    having sum(unpriced_calls) > 0
),

prices as (
    select distinct
        provider,
        model
    from {{ ref('dim_model_prices') }}
)

select
    calls.provider,
    calls.model,
    cast(calls.calls as bigint) as calls,
    cast(calls.unpriced_calls as bigint) as unpriced_calls,
    cast(calls.unpriced_tokens as bigint) as unpriced_tokens,
    case
        when prices.model is null then 'no_price'
        else 'not_every_class_or_time'
    end as reason,
    calls.first_called_at,
    calls.last_called_at
from calls
left join prices on calls.provider = prices.provider and calls.model = prices.model
