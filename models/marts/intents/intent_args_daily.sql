{{ intent_daily_config() }}
{#- Which arguments could not be filled. The denominator of a verb, which holds its events
    without a missing argument too, is `intent_verbs_daily.arg_event_count`. -#}
with events as (
    {{ countable_intents([
        'occurred_on', 'prompt_version', 'subject_verb', 'outcome_class', 'missing_args',
        'occurred_at', 'load_seq',
    ], 'day') }}
),

named as (
    select
        occurred_on,
        {{ prompt_version_key('prompt_version') }} as prompt_version,
        coalesce(subject_verb, '(none)') as verb,
        -- Not reported is another thing than none missing, which gives no row.
        {{ each_item('coalesce(missing_args, ' ~ one_item_list("'(not logged)'") ~ ')') }}
            as missing_arg,
        occurred_at,
        load_seq
    from events
    where outcome_class = 'clarify_args'
)

select
    occurred_on as event_date,
    prompt_version,
    verb,
    missing_arg,
    count(*) as failure_count,
    min(occurred_at) as first_seen_at,
    max(occurred_at) as last_seen_at,
    max(load_seq) as load_seq
from named
where missing_arg is not null
group by occurred_on, prompt_version, verb, missing_arg
