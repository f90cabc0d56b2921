{#- Per kind of token: what all lines add up to, what was dropped and why, what is kept. A kept line
    brings the largest figure of all lines of its response, so what it dropped itself can be less
    than nothing. #}
with amounts as (
    {%- for tier in token_tiers() %}
    select
        source_kind,
        '{{ tier }}' as token_tier,
        case
            when is_synthetic then 'synthetic'
            else coalesce(drop_reason, 'kept')
        end as verdict,
        coalesce({{ tier }}_tokens, 0) as naive_tokens,
        coalesce(kept_{{ tier }}_tokens, 0) as kept_tokens
    from {{ ref('int_llm_call_versions') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    source_kind,
    token_tier,
    verdict,
    count(*) as line_count,
    cast(sum(naive_tokens) as bigint) as naive_tokens,
    cast(sum(naive_tokens - kept_tokens) as bigint) as dropped_tokens,
    cast(sum(kept_tokens) as bigint) as kept_tokens
from amounts
group by source_kind, token_tier, verdict
