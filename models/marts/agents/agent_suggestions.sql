{{ config(tags=['as_of', 'every_30_minutes']) }}
{#- What to change about an issue. The gain is a rule of thumb and never measured. -#}
with proposed as (
    select
        *,
        case issue_type
            when 'low_success_rate' then 'add_patterns'
            when 'high_cost' then 'optimize_model'
            else 'improve_cache'
        end as suggestion,
        case issue_type when 'low_success_rate' then 'low' else 'medium' end as effort,
        least(1.0, case issue_type
            when 'low_success_rate' then 2 * (0.95 - measured)
            when 'high_cost' then (measured - 2) / 5
            else (measured - 1000) / 5000
        end) as base_confidence,
        case issue_type
            when 'low_success_rate' then least(15, round(100 * (0.95 - measured)))
            when 'high_cost' then -least(50, round(100 * (measured - 2) / measured))
            else -least(60, round(100 * (measured - 1000) / measured))
        end as expected_gain_pct
    from {{ ref('agent_feedback_issues') }}
)

select
    agent_id,
    as_of,
    issue_type,
    suggestion,
    severity,
    evidence,
    n,
    base_confidence,
    -- The base tells how far the figure is from its target; the factor, how much is known.
    base_confidence * n / (n + 20) as confidence,
    cast(expected_gain_pct as integer) as expected_gain_pct,
    'heuristic' as gain_basis,
    effort
from proposed
