{#- Every window of a skill counts the same invocations: each is applied, none is lost. -#}
select
    skill_name,
    project_id,
    count(distinct total_invocations) as n_totals
from (
    select
        skill_name,
        project_id,
        time_window,
        sum(total_invocations) as total_invocations
    from {{ ref('skill_aggregates') }}
    group by skill_name, project_id, time_window
) as windows
group by skill_name, project_id
having count(distinct total_invocations) <> 1 or count(*) <> 4
