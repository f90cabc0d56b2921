{{ intent_daily_config() }}
{#- What happened to utterances on a day, under a prompt version. Only counts add up: read rates
    over a period from sums of these columns. -#}
with events as (
    {{ countable_intents([
        'occurred_on', 'prompt_version', 'outcome_class', 'is_failure', 'is_friction', 'is_override',
        'pre_choice', 'final_verb', 'forced_verb', 'denied_verbs', 'macro_denied_verbs',
        'macro_semreg_checked', 'execution_outcome', 'top1_score', 'is_low_confidence',
        'is_ambiguous', 'session_key', 'occurred_at', 'load_seq',
    ], 'day') }}
),

counted as (
    select
        occurred_on as event_date,
        {{ prompt_version_key('prompt_version') }} as prompt_version,
        count(*) as event_count,
        {%- for outcome_class in intent_outcome_classes() %}
        count(*) filter (where outcome_class = '{{ outcome_class }}') as {{ outcome_class }}_count,
        {%- endfor %}
        count(*) filter (where is_failure) as failure_count,
        count(*) filter (where is_friction) as friction_count,
        count(*) filter (where {{ item_count('denied_verbs') }} > 0) as deny_count,
        count(*) filter (where is_override and pre_choice is not null) as override_count,
        count(*) filter (where pre_choice is not null and final_verb is not null)
            as override_event_count,
        count(*) filter (where {{ item_count('macro_denied_verbs') }} > 0) as macro_deny_count,
        -- A macro denial is proof of a check, whatever the flag says.
        count(*) filter (
            where macro_semreg_checked or {{ item_count('macro_denied_verbs') }} > 0
        ) as macro_check_count,
        count(*) filter (where forced_verb is not null) as forced_count,
        count(*) filter (where execution_outcome <> 'unknown') as execution_known_count,
        count(*) filter (where execution_outcome = 'failure') as execution_failure_count,
        count(*) filter (where forced_verb is not null and execution_outcome <> 'unknown')
            as forced_execution_known_count,
        count(*) filter (where forced_verb is not null and execution_outcome = 'failure')
            as forced_execution_failure_count,
        count(top1_score) as scored_count,
        count(*) filter (where is_low_confidence) as low_confidence_count,
        count(*) filter (where is_ambiguous) as ambiguous_count,
        count(*) - count(session_key) as sessionless_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        max(load_seq) as load_seq
    from events
    group by occurred_on, {{ prompt_version_key('prompt_version') }}
)

select
    event_date,
    prompt_version,
    event_count,
    {%- for outcome_class in intent_outcome_classes() %}
    {{ outcome_class }}_count,
    {%- endfor %}
    failure_count,
    friction_count,
    deny_count,
    override_count,
    override_event_count,
    macro_deny_count,
    macro_check_count,
    forced_count,
    execution_known_count,
    execution_failure_count,
    forced_execution_known_count,
    forced_execution_failure_count,
    scored_count,
    low_confidence_count,
    ambiguous_count,
    sessionless_count,
    {{ rate_columns('success', 'success_count', 'event_count') }},
    {{ rate_columns('clarify', 'friction_count', 'event_count') }},
    {{ rate_columns('failure', 'failure_count', 'event_count') }},
    {{ rate_columns('deny', 'deny_count', 'event_count') }},
    {{ rate_columns('override', 'override_count', 'override_event_count') }},
    {{ rate_columns('macro_deny', 'macro_deny_count', 'macro_check_count') }},
    {{ rate_columns('execution_failure', 'execution_failure_count', 'execution_known_count') }},
    {{ rate_columns(
        'forced_execution_failure', 'forced_execution_failure_count', 'forced_execution_known_count'
    ) }},
    {{ rate_evidence('event_count') }} as evidence,
    first_seen_at,
    last_seen_at,
    load_seq
from counted
