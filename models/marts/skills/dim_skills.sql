{#- A skill is known by its name; the `__all__` rows already hold everything about it. #}
select
    skill_name,
    total_invocations,
    distinct_projects,
    distinct_sessions,
    first_used_at,
    last_used_at
from {{ ref('skill_aggregates') }}
where project_id = '__all__' and time_window = 'all'
