{#- Each view equals what the facts say, counted anew: no event is lost on the way through the
    daily marts, and none counts twice. -#}
with events as not materialized (
    select events.*
    from {{ ref('fct_intent_events') }} as events
    inner join {{ ref('stg_ledger__projects') }} as projects
        on events.project_id = projects.project_id
    where projects.is_active and events.occurred_at is not null and not events.ts_suspicious
),

from_views as (
    select 'clarify' as topic, verb as name, '' as detail, clarify_count as counted, event_count as of_events
    from {{ ref('v_intent_top_clarify_verbs') }}
    union all
    select 'args', verb, missing_arg, failure_count, event_count
    from {{ ref('v_intent_arg_fill_failures') }}
    union all
    select 'modes', outcome, error_code, event_count, total_count
    from {{ ref('v_intent_failure_modes') }}
    union all
    select 'overrides', coalesce(pre_choice, ''), forced_verb, count(*), 0
    from {{ ref('v_intent_semreg_overrides') }}
    group by coalesce(pre_choice, ''), forced_verb
    union all
    -- Of the denominator of each verb, only the sum over verbs is counted anew: that needs no list of
    -- candidates per event.
    select 'semreg denies', denied_verb, '', deny_count, session_count
    from {{ ref('v_intent_semreg_denies') }}
    union all
    select 'macro denies', denied_verb, '', deny_count, session_count
    from {{ ref('v_intent_macro_denies') }}
    union all
    select 'offered', '', '', sum(event_count), 0
    from {{ ref('intent_denies_daily') }}
    where deny_source = 'semreg'
    having count(*) > 0
),

verbs as (
    select
        coalesce(subject_verb, '(none)') as verb,
        count(*) filter (where outcome_class = 'clarify_verb') as clarify_count,
        count(*) filter (where outcome_class in ('success', 'clarify_args', 'error')) as arg_event_count,
        count(*) as event_count
    from events
    group by coalesce(subject_verb, '(none)')
),

args as (
    select
        coalesce(subject_verb, '(none)') as verb,
        {{ each_item('coalesce(missing_args, ' ~ one_item_list("'(not logged)'") ~ ')') }}
            as missing_arg
    from events
    where outcome_class = 'clarify_args'
),

denials as (
    {%- for topic, column in [('semreg denies', 'denied_verbs'), ('macro denies', 'macro_denied_verbs')] %}
    select '{{ topic }}' as topic, {{ each_item(column) }} as denied_verb, session_key
    from events
    where {{ item_count(column) }} > 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

from_facts as (
    select 'clarify' as topic, verb as name, '' as detail, clarify_count as counted, event_count as of_events
    from verbs
    where clarify_count > 0
    union all
    select 'args', args.verb, args.missing_arg, count(*), max(verbs.arg_event_count)
    from args
    inner join verbs on args.verb = verbs.verb
    group by args.verb, args.missing_arg
    union all
    select 'modes', outcome, coalesce(error_code, '(none)'), count(*), max(total.event_count)
    from events
    cross join (select count(*) as event_count from events) as total
    group by outcome, coalesce(error_code, '(none)')
    union all
    select 'overrides', coalesce(pre_choice, ''), forced_verb, count(*), 0
    from events
    where is_override
    group by coalesce(pre_choice, ''), forced_verb
    union all
    select topic, denied_verb, '', count(*), count(distinct session_key)
    from denials
    group by topic, denied_verb
    union all
    select 'offered', '', '', sum({{ item_count('offered_verbs') }}), 0
    from events
    having sum({{ item_count('offered_verbs') }}) > 0
)

select *
from from_views
full outer join from_facts
    on from_views.topic = from_facts.topic
    and from_views.name = from_facts.name
    and from_views.detail = from_facts.detail
where from_views.counted is distinct from from_facts.counted
    or from_views.of_events is distinct from from_facts.of_events
