{{ config(tags=['as_of']) }}
{#- Patterns of tasks as candidates of the knowledge export, and the first gate that each fails.
    What is no figure (consent, whether it was exported before) is judged when it is exported. -#}
with instant as (
    select closed.as_of from {{ closed_as_of() }} as closed
),

-- The latest judgement holds. Of two for one instant the later word counts, then the stricter one.
ranked_judgements as (
    select
        judgements.pattern,
        judgements.quality,
        judgements.judged_at,
        row_number() over (
            partition by judgements.pattern
            order by
                judgements.judged_at desc,
                judgements.declared_at desc nulls last,
                judgements.quality,
                judgements.record_key
        ) as judgement_rank
    from {{ ref('stg_events__pattern_judgements') }} as judgements
    cross join instant
    where judgements.pattern is not null
        and judgements.quality is not null
        and not judgements.ts_suspicious
        -- A tick of the past knows nothing of what came later.
        and judgements.judged_at <= instant.as_of
),

-- What nobody judged is unknown, and unknown does not pass.
judged as (
    select
        counted.pattern,
        counted.tasks,
        counted.uses,
        counted.agents,
        counted.succeeded,
        counted.failed,
        judgements.quality,
        judgements.judged_at,
        counted.succeeded + counted.failed as known_outcomes,
        {{ failed_knowledge_gate(
            'counted.succeeded', '(counted.succeeded + counted.failed)', 'judgements.quality'
        ) }} as reason
    from {{ ref('agent_pattern_totals') }} as counted
    left join ranked_judgements as judgements
        on counted.pattern = judgements.pattern and judgements.judgement_rank = 1
)

select
    pattern,
    tasks,
    uses,
    agents,
    succeeded,
    failed,
    known_outcomes,
    {{ ratio('succeeded', 'known_outcomes') }} as success_rate,
    {{ wilson('succeeded', 'known_outcomes', 'low') }} as success_rate_low,
    {{ wilson('succeeded', 'known_outcomes', 'high') }} as success_rate_high,
    quality,
    known_outcomes >= {{ var('knowledge_min_n') }} as passes_usage,
    coalesce(
        {{ comparable(ratio('succeeded', 'known_outcomes')) }} >= {{ var('knowledge_min_rate') }},
        false
    ) as passes_success_rate,
    coalesce(
        {{ comparable('quality') }} >= {{ var('knowledge_min_quality') }}, false
    ) as passes_quality,
    coalesce(
        {{ comparable(wilson('succeeded', 'known_outcomes', 'low')) }}
            >= {{ var('knowledge_min_wilson_low') }},
        false
    ) as passes_wilson_low,
    reason,
    reason is null as is_validated,
    judged_at
from judged
