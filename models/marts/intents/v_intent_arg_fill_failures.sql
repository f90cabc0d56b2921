{{ config(materialized='view') }}
{#- All retained events. For a period, sum `intent_args_daily` and
    `intent_verbs_daily.arg_event_count`. -#}
with args as (
    select
        verb,
        missing_arg,
        cast(sum(failure_count) as bigint) as failure_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from {{ ref('intent_args_daily') }}
    group by verb, missing_arg
),

verbs as (
    select
        verb,
        cast(sum(arg_event_count) as bigint) as event_count
    from {{ ref('intent_verbs_daily') }}
    group by verb
)

select
    args.verb,
    args.missing_arg,
    args.failure_count,
    verbs.event_count,
    {{ ratio('args.failure_count', 'verbs.event_count') }} as failure_rate,
    args.first_seen_at,
    args.last_seen_at,
    {{ rate_evidence('verbs.event_count') }} as evidence,
    {{ wilson('args.failure_count', 'verbs.event_count', 'low') }} as failure_rate_low,
    {{ wilson('args.failure_count', 'verbs.event_count', 'high') }} as failure_rate_high
from args
inner join verbs on args.verb = verbs.verb
