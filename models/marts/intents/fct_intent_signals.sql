{{ intent_daily_config('session_key', 'session') }}
{#- What the events of a session tell about each other: the same utterance asked again, an
    utterance put in other words until it worked, a verb accepted or rejected. Sessions that are
    touched are read again as a whole. Events without a session say nothing here: strangers must
    not be merged. -#}
{%- set patience = "interval '" ~ var('rephrase_window_minutes') ~ " minutes'" %}
with events as not materialized (
    {{ countable_intents([
        'event_key', 'session_key', 'utterance_key', 'occurred_at', 'occurred_on', 'outcome_class',
        'is_failure', 'is_friction', 'subject_verb', 'final_verb',
        'ranked_first_verb', 'denied_verbs', 'selection_source', 'forced_verb', 'subject_kind',
        'execution_outcome', 'load_seq',
    ], 'session') }}
        and facts.session_key is not null
),

-- Few utterances are asked twice; only those are sorted.
repeated_utterances as (
    select
        session_key,
        utterance_key
    from events
    where utterance_key is not null
    group by session_key, utterance_key
    having count(*) > 1
),

asked_again as materialized (
    select
        events.*,
        row_number() over utterance as ask_number,
        first_value(events.outcome_class) over utterance as first_outcome_class,
        first_value(coalesce(events.subject_verb, '(none)')) over utterance as first_verb,
        lead(events.final_verb) over utterance as next_verb,
        lead(events.outcome_class) over utterance as next_outcome_class,
        lead(events.occurred_at) over utterance as next_at
    from events
    inner join repeated_utterances
        on events.session_key = repeated_utterances.session_key
        and events.utterance_key = repeated_utterances.utterance_key
    window utterance as (
        partition by events.session_key, events.utterance_key
        order by events.occurred_at, events.event_key
    )
),

repeats as (
    select
        event_key,
        session_key,
        'repeat' as signal_kind,
        first_verb as verb,
        first_outcome_class,
        outcome_class,
        case when ask_number = 2 then 1 else 0 end as is_first_repeat,
        occurred_at,
        occurred_on,
        load_seq
    from asked_again
    where ask_number > 1
),

-- Events up to a success share its number, counted from the end of the session: the success is what
-- each of them led to.
led_to as (
    select
        *,
        count(case when outcome_class = 'success' and chosen_now is not null then 1 end) over (
            partition by session_key
            order by occurred_at desc, event_key desc
            rows unbounded preceding
        ) as success_number
    from (
        select
            event_key,
            session_key,
            utterance_key,
            outcome_class,
            is_failure or is_friction as is_stuck,
            final_verb as chosen_now,
            occurred_at,
            occurred_on,
            load_seq
        from events
    ) as asked
),

rephrased as (
    select
        stuck.event_key,
        stuck.session_key,
        'rephrased' as signal_kind,
        success.chosen_now as verb,
        stuck.outcome_class as first_outcome_class,
        success.outcome_class,
        0 as is_first_repeat,
        stuck.occurred_at,
        stuck.occurred_on,
        greatest(stuck.load_seq, success.load_seq) as load_seq
    from led_to as stuck
    inner join led_to as success
        on stuck.session_key = success.session_key
        and stuck.success_number = success.success_number
    where stuck.is_stuck
        and success.outcome_class = 'success'
        and success.chosen_now is not null
        and stuck.utterance_key <> success.utterance_key
        and success.occurred_at - stuck.occurred_at <= {{ patience }}
),

-- Asked again soon and settled on another verb: the first choice was corrected.
judged as (
    select
        event_key,
        session_key,
        utterance_key,
        outcome_class,
        final_verb,
        ranked_first_verb as first_verb,
        denied_verbs,
        selection_source,
        forced_verb,
        execution_outcome,
        coalesce(subject_kind, '(any)') as subject_kind,
        coalesce(
            next_outcome_class = 'success'
            and next_verb is distinct from final_verb
            and next_at - occurred_at <= {{ patience }},
            false
        ) as is_corrected,
        true as is_repeated,
        occurred_at,
        occurred_on,
        load_seq
    from asked_again
    union all
    select
        events.event_key,
        events.session_key,
        events.utterance_key,
        events.outcome_class,
        events.final_verb,
        events.ranked_first_verb as first_verb,
        events.denied_verbs,
        events.selection_source,
        events.forced_verb,
        events.execution_outcome,
        coalesce(events.subject_kind, '(any)') as subject_kind,
        false as is_corrected,
        false as is_repeated,
        events.occurred_at,
        events.occurred_on,
        events.load_seq
    from events
    left join repeated_utterances
        on events.session_key = repeated_utterances.session_key
        and events.utterance_key = repeated_utterances.utterance_key
    where repeated_utterances.session_key is null
),

preferences as (
    select
        *,
        'accepted' as signal_kind,
        final_verb as verb
    from judged
    where outcome_class = 'success'
        and final_verb is not null
        and not is_corrected
        and execution_outcome <> 'failure'
    union all
    -- Came first and the user took another, corrected it, or saw it fail. What policy denied or
    -- forced is no preference.
    select
        *,
        'rejected' as signal_kind,
        first_verb as verb
    from judged
    where outcome_class = 'success'
        and final_verb is not null
        and first_verb is not null
        and not {{ list_has('denied_verbs', 'first_verb') }}
        and (
            (
                final_verb <> first_verb
                and (
                    selection_source = 'user_choice'
                    or (forced_verb is not null and selection_source not in ('semreg', 'macro'))
                )
            )
            or (final_verb = first_verb and (is_corrected or execution_outcome = 'failure'))
        )
),

-- One signal of an utterance for a verb: the last.
last_preferences as (
    select
        *,
        row_number() over (
            partition by session_key, utterance_key, verb
            order by occurred_at desc, event_key desc
        ) as preference_rank
    from preferences
    where is_repeated
    union all
    select
        *,
        1 as preference_rank
    from preferences
    where not is_repeated
)

select
    event_key,
    session_key,
    signal_kind,
    verb,
    cast(null as varchar) as subject_kind,
    first_outcome_class,
    outcome_class,
    is_first_repeat = 1 as is_first_repeat,
    load_seq,
    occurred_at,
    occurred_on
from (
    select * from repeats
    union all
    select * from rephrased
) as sequences
union all
select
    event_key,
    session_key,
    signal_kind,
    verb,
    subject_kind,
    outcome_class as first_outcome_class,
    outcome_class,
    false as is_first_repeat,
    load_seq,
    occurred_at,
    occurred_on
from last_preferences
where preference_rank = 1
