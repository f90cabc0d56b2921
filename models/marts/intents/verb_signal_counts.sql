{{ config(materialized='view') }}
{#- Preferences of the weeks before `as_of`, counted per verb and subject. Neither the scope nor
    the phase of an utterance is kept, so both stand as `(any)`: keys of the rules, ready for a
    source that tells them. #}
with context as (
    select as_of from {{ ref('stg_ledger__run_context') }}
),

recent as (
    select
        signals.subject_kind,
        signals.verb,
        signals.signal_kind,
        signals.session_key
    from {{ ref('fct_intent_signals') }} as signals
    cross join context
    where signals.signal_kind in ('accepted', 'rejected')
        and signals.occurred_at >= context.as_of - interval '{{ var("boost_window_days") }} days'
        and signals.occurred_at < context.as_of
),

-- Two plain steps and not count(distinct …) beside the others, which would spill.
per_session as (
    select
        subject_kind,
        verb,
        session_key,
        count(*) filter (where signal_kind = 'accepted') as accepted_count,
        count(*) filter (where signal_kind = 'rejected') as rejected_count
    from recent
    group by subject_kind, verb, session_key
)

select
    '(any)' as scope_bucket,
    subject_kind,
    '(any)' as phase,
    verb as verb_fqn,
    cast(sum(accepted_count) as bigint) as accepted_count,
    cast(sum(rejected_count) as bigint) as rejected_count,
    count(*) as session_count
from per_session
group by subject_kind, verb
