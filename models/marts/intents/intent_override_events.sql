{{ intent_daily_config('event_key', 'event') }}
{#- Events in which another verb was forced than the one that came first before policy. An event
    that is no override any more leaves. -#}
with events as (
    {{ countable_intents([
        'event_key', 'session_key', 'pre_choice', 'chosen_verb', 'forced_verb', 'selection_source',
        'semreg_mode', 'prompt_version', 'is_override', 'outcome_class', 'execution_outcome',
        'occurred_at', 'occurred_on', 'load_seq',
    ], 'event') }}
)

select
    event_key,
    session_key,
    pre_choice,
    chosen_verb,
    forced_verb,
    selection_source,
    semreg_mode,
    {{ prompt_version_key('prompt_version') }} as prompt_version,
    outcome_class,
    execution_outcome,
    load_seq,
    occurred_at,
    occurred_on as event_date
from events
where is_override
