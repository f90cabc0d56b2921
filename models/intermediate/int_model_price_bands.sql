{{ config(materialized='view') }}
{#- The prices of a model side by side: whenever one of them changes a new row begins, and every
    band of context has a row of its own. So a call needs exactly one row. A class without a price
    in the band has the price of the band below it. #}
with prices as (
    select * from {{ ref('stg_ledger__model_prices') }}
),

instants as (
    select provider, model, service_tier, valid_from as instant from prices
    union
    select provider, model, service_tier, valid_to as instant from prices where valid_to is not null
),

thresholds as (
    select provider, model, service_tier, context_threshold from prices
    union
    select provider, model, service_tier, 0 as context_threshold from prices
),

banded as (
    select
        instants.provider,
        instants.model,
        instants.service_tier,
        instants.instant as valid_from,
        thresholds.context_threshold,
        {%- for class in price_classes() %}
        max_by(prices.usd_per_token, prices.context_threshold) filter (
            where prices.token_class = '{{ class }}'
        ) as {{ class }}_usd{{ '' if loop.last else ',' }}
        {%- endfor %}
    from instants
    inner join thresholds
        on instants.provider = thresholds.provider
            and instants.model = thresholds.model
            and instants.service_tier = thresholds.service_tier
    left join prices
        on instants.provider = prices.provider
            and instants.model = prices.model
            and instants.service_tier = prices.service_tier
            and prices.context_threshold <= thresholds.context_threshold
            and instants.instant >= prices.valid_from
            and (prices.valid_to is null or instants.instant < prices.valid_to)
    group by
        instants.provider, instants.model, instants.service_tier, instants.instant,
        thresholds.context_threshold
),

bounded as (
    select
        banded.*,
        lead(valid_from) over (
            partition by provider, model, service_tier, context_threshold order by valid_from
        ) as valid_to,
        -- Strictly above the threshold; a request without any input is in the first band.
        case when context_threshold = 0 then -1 else context_threshold end as input_above,
        lead(context_threshold) over (
            partition by provider, model, service_tier, valid_from order by context_threshold
        ) as input_up_to
    from banded
)

select
    provider,
    model,
    service_tier,
    valid_from,
    valid_to,
    input_above,
    input_up_to,
    {%- for class in price_classes() %}
    {{ class }}_usd,
    {%- endfor %}
    valid_from = {{ instant_from_micros('0') }} and valid_to is null as holds_always
from bounded
