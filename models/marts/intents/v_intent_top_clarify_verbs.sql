{{ config(materialized='view') }}
{#- All retained events. For a period, sum `intent_verbs_daily`. -#}
with verbs as (
    select
        verb,
        cast(sum(clarify_count) as bigint) as clarify_count,
        cast(sum(event_count) as bigint) as event_count,
        min(first_clarified_at) as first_seen_at,
        max(last_clarified_at) as last_seen_at
    from {{ ref('intent_verbs_daily') }}
    group by verb
)

select
    verb,
    clarify_count,
    event_count,
    {{ ratio('clarify_count', 'event_count') }} as clarify_rate,
    first_seen_at,
    last_seen_at,
    {{ rate_evidence('event_count') }} as evidence,
    {{ wilson('clarify_count', 'event_count', 'low') }} as clarify_rate_low,
    {{ wilson('clarify_count', 'event_count', 'high') }} as clarify_rate_high
from verbs
where clarify_count > 0
