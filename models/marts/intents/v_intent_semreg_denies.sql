{{ config(materialized='view') }}
{#- All retained events. For a period, sum `intent_denies_daily`; distinct sessions exist for
    totals only. -#}
with verbs as (
    select
        denied_verb,
        cast(sum(deny_count) as bigint) as deny_count,
        cast(sum(event_count) as bigint) as event_count,
        min(first_denied_at) as first_denied_at,
        max(last_denied_at) as last_denied_at
    from {{ ref('intent_denies_daily') }}
    where deny_source = 'semreg'
    group by denied_verb
),

sessions as (
    select
        denied_verb,
        count(*) as session_count
    from {{ ref('intent_denied_sessions') }}
    where deny_source = 'semreg'
    group by denied_verb
)

select
    verbs.denied_verb,
    verbs.deny_count,
    coalesce(sessions.session_count, 0) as session_count,
    verbs.last_denied_at,
    verbs.event_count,
    {{ ratio('verbs.deny_count', 'verbs.event_count') }} as deny_rate,
    verbs.first_denied_at,
    {{ rate_evidence('verbs.event_count') }} as evidence,
    {{ wilson('verbs.deny_count', 'verbs.event_count', 'low') }} as deny_rate_low,
    {{ wilson('verbs.deny_count', 'verbs.event_count', 'high') }} as deny_rate_high
from verbs
left join sessions on verbs.denied_verb = sessions.denied_verb
where verbs.deny_count > 0
