{#- What tasks say of the patterns that they name. It knows no clock: a tick without a new task
    leaves it as it is, and `validated_patterns` need not read all tasks to judge its gates. -#}
with used as (
    select
        facts.outcome,
        facts.agent_id,
        {{ each_item(name_count_entries('facts.patterns')) }} as entry
    from {{ ref('fct_agent_tasks') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active and facts.patterns is not null and not facts.ts_suspicious
)

select
    entry.key as pattern,
    count(*) as tasks,
    cast(sum(entry.value) as bigint) as uses,
    count(distinct agent_id) as agents,
    count(*) filter (where outcome = 'success') as succeeded,
    count(*) filter (where outcome = 'failure') as failed
from used
group by entry.key
