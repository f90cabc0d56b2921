{{ intent_daily_config() }}
{#- How utterances ended, success included: the share of a mode needs them all. -#}
with events as (
    {{ countable_intents([
        'occurred_on', 'prompt_version', 'outcome', 'outcome_class', 'error_code', 'occurred_at',
        'load_seq',
    ], 'day') }}
)

select
    occurred_on as event_date,
    {{ prompt_version_key('prompt_version') }} as prompt_version,
    outcome,
    coalesce(error_code, '(none)') as error_code,
    outcome_class,
    count(*) as event_count,
    min(occurred_at) as first_seen_at,
    max(occurred_at) as last_seen_at,
    max(load_seq) as load_seq
from events
group by
    occurred_on,
    {{ prompt_version_key('prompt_version') }},
    outcome,
    coalesce(error_code, '(none)'),
    outcome_class
