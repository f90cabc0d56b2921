{{ config(materialized='view') }}
{#- What Claude Code's counters add up to in a session. A delta point is an increment. A
    cumulative one is what was counted since its start: its increment is what it grew by, and all
    of it when the counter began anew, which another start or a fallen value tells. #}
with points as (
    select
        *,
        lag(amount) over (
            partition by series_key, metric_name, temporality, started_at
            order by occurred_at, record_key
        ) as amount_before
    from {{ ref('int_otlp_usage_points') }}
    where is_kept and amount is not null
),

increments as (
    select
        session_id,
        metric_name,
        token_type,
        case
            when temporality = 'cumulative' and amount_before <= amount then amount - amount_before
            else amount
        end as increment
    from points
)

select
    ---------- ids
    session_id,
    ---------- text
    cast('claude_code_metrics' as varchar) as source_kind,
    ---------- numerics
    count(*) as points
    {%- for tier, token_type in [
        ('input_fresh', 'input'), ('cache_write', 'cacheCreation'), ('cache_read', 'cacheRead'),
        ('output', 'output')
    ] %},
    case
        when count(*) filter (where metric_name = 'claude_code.token.usage') > 0
            then cast(round(coalesce(sum(increment) filter (
                where metric_name = 'claude_code.token.usage' and token_type = '{{ token_type }}'
            ), 0), 0) as bigint)
    end as {{ tier }}_tokens
    {%- endfor %},
    sum(increment) filter (where metric_name = 'claude_code.cost.usage') as cost_usd
from increments
group by session_id
