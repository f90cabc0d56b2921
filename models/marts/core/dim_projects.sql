{#- First and last use come from the aggregates, not from facts: a dimension must stay cheap. #}
with projects as (
    select
        project_id,
        project_name,
        project_type,
        is_active,
        registered_at
    from {{ ref('stg_ledger__projects') }}
),

used as (
    select
        project_id,
        sum(total_invocations) as total_invocations,
        count(*) as distinct_skills,
        min(first_used_at) as first_used_at,
        max(last_used_at) as last_used_at
    from {{ ref('skill_aggregates') }}
    where time_window = 'all'
    group by project_id
)

select
    projects.project_id,
    projects.project_name,
    projects.project_type,
    cast(coalesce(used.total_invocations, 0) as bigint) as total_invocations,
    coalesce(used.distinct_skills, 0) as distinct_skills,
    projects.is_active,
    projects.registered_at,
    used.first_used_at,
    used.last_used_at
from projects
left join used on projects.project_id = used.project_id
