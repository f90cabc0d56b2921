{#- Proposals of analyses.md F2: how far the score of a verb should move for a kind of subject.
    Nothing changes by them until somebody accepts them. The rate of a verb is shrunk towards
    its cell, the cell towards all. #}
with counted as (
    select * from {{ ref('verb_signal_counts') }}
),

pooled as (
    select
        *,
        cast(sum(accepted_count) over () as double) as accepted_all,
        cast(sum(rejected_count) over () as double) as rejected_all,
        cast(sum(accepted_count) over (partition by scope_bucket, subject_kind, phase) as double)
            as accepted_cell,
        cast(sum(rejected_count) over (partition by scope_bucket, subject_kind, phase) as double)
            as rejected_cell
    from counted
),

expected as (
    select
        *,
        {{ shrunk_acceptance(
            'accepted_cell', 'rejected_cell', pooled_acceptance('accepted_all', 'rejected_all')
        ) }} as expected_rate
    from pooled
),

weighed as (
    select
        *,
        {{ log_odds_shift('accepted_count', 'rejected_count', 'expected_rate') }} as log_odds_shift
    from expected
),

decided as (
    select
        *,
        {{ bounded_boost('log_odds_shift') }} as raw_weight,
        accepted_count + rejected_count < {{ var('boost_min_signals') }}
        or session_count < {{ var('boost_min_sessions') }} as is_too_few
    from weighed
)

select
    scope_bucket,
    subject_kind,
    phase,
    verb_fqn,
    accepted_count,
    rejected_count,
    session_count,
    expected_rate,
    log_odds_shift,
    raw_weight,
    case when is_too_few then 0.0 else raw_weight end as boost_weight,
    case
        when is_too_few then 'insufficient_data'
        when raw_weight > 0 then 'accepted_more_than_expected'
        when raw_weight < 0 then 'rejected_more_than_expected'
        else 'as_expected'
    end as reason,
    case when is_too_few then 'insufficient_data' else 'provisional' end as evidence,
    'proposal' as status,
    (select max(context.as_of) from {{ ref('stg_ledger__run_context') }} as context) as valid_from
from decided
