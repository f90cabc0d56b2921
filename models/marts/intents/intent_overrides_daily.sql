{{ config(materialized='view') }}
{#- Which verb was forced in place of which, of all events of the day that had a first choice
    and settled on a verb. That denominator is the day's, so it must not be summed over pairs.
    -#}
with pairs as (
    select
        event_date,
        prompt_version,
        coalesce(pre_choice, '(none)') as pre_choice,
        forced_verb,
        count(*) as override_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from {{ ref('intent_override_events') }}
    group by event_date, prompt_version, coalesce(pre_choice, '(none)'), forced_verb
)

select
    pairs.event_date,
    pairs.prompt_version,
    pairs.pre_choice,
    pairs.forced_verb,
    pairs.override_count,
    daily.override_event_count as event_count,
    -- Without a first choice an event is in no denominator.
    case
        when pairs.pre_choice <> '(none)'
            then {{ ratio('pairs.override_count', 'daily.override_event_count') }}
    end as override_rate,
    pairs.first_seen_at,
    pairs.last_seen_at
from pairs
inner join {{ ref('intent_daily') }} as daily
    on pairs.event_date = daily.event_date
    and pairs.prompt_version = daily.prompt_version
