{#- What the audit keeps of each kind of token is what the facts hold: nothing is lost between. -#}
select
    audit.token_tier,
    audit.kept_tokens,
    facts.tokens
from (
    select
        token_tier,
        sum(kept_tokens) as kept_tokens
    from {{ ref('llm_call_audit') }}
    group by token_tier
) as audit
inner join (
    select 'input_fresh' as token_tier, sum(input_fresh_tokens) as tokens
    from {{ ref('fct_llm_calls') }}
    union all
    select 'cache_write', sum(cache_write_5m_tokens + cache_write_1h_tokens)
    from {{ ref('fct_llm_calls') }}
    union all
    select 'cache_read', sum(cache_read_tokens) from {{ ref('fct_llm_calls') }}
    union all
    select 'output', sum(output_tokens) from {{ ref('fct_llm_calls') }}
) as facts
    on audit.token_tier = facts.token_tier
where audit.kept_tokens is distinct from coalesce(facts.tokens, 0)
