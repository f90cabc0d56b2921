{#- 1:1 with raw.priced_models. #}
select
    provider,
    model,
    service_tier,
    matched_provider,
    matched_model
from {{ source('raw', 'priced_models') }}
