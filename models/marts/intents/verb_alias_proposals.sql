{#- Verbs that users reached only after saying it in other words: an alias would have helped.
    The words are never kept; whoever knows the users finds them. #}
with rephrased as (
    select
        verb,
        session_key,
        count(*) as rephrase_count,
        count(*) filter (where first_outcome_class like 'clarify%') as clarify_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from {{ ref('fct_intent_signals') }}
    where signal_kind = 'rephrased'
    group by verb, session_key
)

select
    verb,
    cast(sum(rephrase_count) as bigint) as rephrase_count,
    cast(sum(clarify_count) as bigint) as after_clarification_count,
    cast(sum(rephrase_count) - sum(clarify_count) as bigint) as after_failure_count,
    count(*) as session_count,
    'proposal' as status,
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at
from rephrased
group by verb
having count(*) >= {{ var('alias_min_sessions') }}
