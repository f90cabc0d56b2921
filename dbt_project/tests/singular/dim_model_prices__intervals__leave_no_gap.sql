{#- Where a price of the package ends, another one begins. A band of context may end, for requests then
    have the price of the band below; so may a price that a person wrote. -#}
select
    ended.provider,
    ended.model,
    ended.service_tier,
    ended.token_class,
    ended.valid_to
from {{ ref('dim_model_prices') }} as ended
left join {{ ref('dim_model_prices') }} as following
    on ended.provider = following.provider
        and ended.model = following.model
        and ended.service_tier = following.service_tier
        and ended.token_class = following.token_class
        and ended.context_threshold = following.context_threshold
        and ended.valid_to = following.valid_from
where ended.context_threshold = 0
    and ended.source = 'genai-prices'
    and ended.valid_to is not null
    and following.model is null
