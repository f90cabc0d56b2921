{#- What tasks say of the patterns that they name. It knows no clock: a tick without a new task
    leaves it as it is, and `validated_patterns` need not read all tasks to judge its gates. -#}
-- Many tasks name the same patterns: each list is taken apart once, not once a task.
with lists as (
    select
        facts.outcome,
        facts.agent_id,
        facts.patterns,
        count(*) as tasks
    from {{ ref('fct_agent_tasks') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active and facts.patterns is not null and not facts.ts_suspicious
    group by facts.outcome, facts.agent_id, facts.patterns
),

used as (
    select
        outcome,
        agent_id,
        tasks,
        {{ each_item(name_count_entries('patterns')) }} as entry
    from lists
)

select
    entry.key as pattern,
    cast(sum(tasks) as bigint) as tasks,
    cast(sum(entry.value * tasks) as bigint) as uses,
    count(distinct agent_id) as agents,
    cast(coalesce(sum(tasks) filter (where outcome = 'success'), 0) as bigint) as succeeded,
    cast(coalesce(sum(tasks) filter (where outcome = 'failure'), 0) as bigint) as failed
from used
group by entry.key
