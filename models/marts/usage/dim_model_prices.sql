{#- Every price that calls may be priced with, and where it comes from. #}
select
    prices.provider,
    prices.model,
    prices.service_tier,
    prices.token_class,
    prices.context_threshold,
    prices.usd_per_token,
    cast(
        prices.usd_per_token
        * case when prices.token_class = 'web_search' then 1000 else 1000000 end
        as double
    ) as usd_as_quoted,
    prices.valid_from,
    prices.valid_to,
    prices.source,
    prices.source_version,
    models.matched_provider,
    models.matched_model
from {{ ref('stg_ledger__model_prices') }} as prices
left join {{ ref('stg_ledger__priced_models') }} as models
    on prices.provider = models.provider
        and prices.model = models.model
        and prices.service_tier = models.service_tier
