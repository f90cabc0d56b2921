{{ intent_daily_config() }}
{#- What happened to the verb that an event is about: the chosen one, else the first that was
    ranked. -#}
with events as (
    {{ countable_intents([
        'occurred_on', 'prompt_version', 'subject_verb', 'outcome_class', 'is_failure', 'decision_band',
        'top1_score', 'is_low_confidence', 'is_ambiguous', 'occurred_at', 'load_seq',
    ], 'day') }}
)

select
    occurred_on as event_date,
    {{ prompt_version_key('prompt_version') }} as prompt_version,
    coalesce(subject_verb, '(none)') as verb,
    count(*) as event_count,
    count(*) filter (where outcome_class = 'success') as success_count,
    count(*) filter (where outcome_class = 'clarify_verb') as clarify_count,
    count(*) filter (where outcome_class = 'clarify_args') as clarify_args_count,
    count(*) filter (where is_failure) as failure_count,
    count(*) filter (where outcome_class in ('success', 'clarify_args', 'error'))
        as arg_event_count,
    count(top1_score) as scored_count,
    count(*) filter (where decision_band = 'accept') as accept_count,
    count(*) filter (where decision_band = 'suggest') as suggest_count,
    count(*) filter (where decision_band = 'none') as none_count,
    count(*) filter (where is_low_confidence) as low_confidence_count,
    count(*) filter (where is_ambiguous) as ambiguous_count,
    min(occurred_at) filter (where outcome_class = 'clarify_verb') as first_clarified_at,
    max(occurred_at) filter (where outcome_class = 'clarify_verb') as last_clarified_at,
    min(occurred_at) as first_seen_at,
    max(occurred_at) as last_seen_at,
    max(load_seq) as load_seq
from events
group by occurred_on, {{ prompt_version_key('prompt_version') }}, coalesce(subject_verb, '(none)')
