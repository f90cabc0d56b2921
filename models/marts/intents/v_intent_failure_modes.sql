{{ config(materialized='view') }}
{#- All retained events, success and unmapped outcomes included: `share` is of all of them. -#}
with modes as (
    select
        outcome,
        error_code,
        outcome_class,
        cast(sum(event_count) as bigint) as event_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from {{ ref('intent_failure_modes_daily') }}
    group by outcome, error_code, outcome_class
),

totals as (
    select
        *,
        cast(sum(event_count) over () as bigint) as total_count
    from modes
)

select
    outcome,
    error_code,
    event_count,
    {{ ratio('event_count', 'total_count') }} as share,
    first_seen_at,
    last_seen_at,
    outcome_class,
    {{ in_classes('outcome_class', intent_failure_classes()) }} as is_failure,
    {{ in_classes('outcome_class', intent_friction_classes()) }} as is_friction,
    total_count,
    {{ wilson('event_count', 'total_count', 'low') }} as share_low,
    {{ wilson('event_count', 'total_count', 'high') }} as share_high,
    {{ rate_evidence('total_count') }} as evidence
from totals
