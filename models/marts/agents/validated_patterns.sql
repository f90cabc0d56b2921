{#- Patterns of tasks as candidates of the knowledge export, and the first gate that each fails.
    What is no figure (consent, whether it was exported before) is judged when it is exported. -#}
with used as (
    select
        facts.outcome,
        facts.agent_id,
        {{ each_item(name_count_entries('facts.patterns')) }} as entry
    from {{ ref('fct_agent_tasks') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active and facts.patterns is not null and not facts.ts_suspicious
),

counted as (
    select
        entry.key as pattern,
        count(*) as tasks,
        cast(sum(entry.value) as bigint) as uses,
        count(distinct agent_id) as agents,
        count(*) filter (where outcome = 'success') as succeeded,
        count(*) filter (where outcome = 'failure') as failed,
        -- Nobody judges the quality of a pattern yet; unknown does not pass.
        cast(null as double) as quality
    from used
    group by entry.key
),

judged as (
    select
        *,
        succeeded + failed as known_outcomes,
        {{ failed_knowledge_gate('succeeded', '(succeeded + failed)', 'quality') }} as reason
    from counted
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
    reason is null as is_validated
from judged
