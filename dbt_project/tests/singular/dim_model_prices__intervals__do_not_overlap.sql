{#- At any instant a token class of a band has one price. -#}
select
    one.provider,
    one.model,
    one.service_tier,
    one.token_class,
    one.context_threshold,
    other.valid_from
from {{ ref('dim_model_prices') }} as one
inner join {{ ref('dim_model_prices') }} as other
    on one.provider = other.provider
        and one.model = other.model
        and one.service_tier = other.service_tier
        and one.token_class = other.token_class
        and one.context_threshold = other.context_threshold
        and one.valid_from < other.valid_from
        and (one.valid_to is null or one.valid_to > other.valid_from)
