{#- 1:1 with raw.model_prices. #}
select
    provider,
    model,
    service_tier,
    token_class,
    context_threshold,
    usd_per_token,
    valid_from,
    valid_to,
    source,
    source_version
from {{ source('raw', 'model_prices') }}
