{#- Asked again in the same words within a session: a sign that the first answer did not help. #}
with repeats as (
    select
        verb,
        first_outcome_class,
        session_key,
        count(*) as repeat_count,
        count(*) filter (where is_first_repeat) as utterance_count,
        count(*) filter (where outcome_class = 'success') as success_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from {{ ref('fct_intent_signals') }}
    where signal_kind = 'repeat'
    group by verb, first_outcome_class, session_key
)

select
    verb,
    first_outcome_class,
    cast(sum(repeat_count) as bigint) as repeat_count,
    cast(sum(utterance_count) as bigint) as utterance_count,
    count(*) as session_count,
    cast(sum(success_count) as bigint) as success_count,
    {{ rate_columns('success', 'sum(success_count)', 'sum(repeat_count)') }},
    {{ rate_evidence('sum(repeat_count)') }} as evidence,
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at
from repeats
group by verb, first_outcome_class
