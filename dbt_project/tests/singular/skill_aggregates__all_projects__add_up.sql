{#- The `__all__` row of a bucket is the sum of its project rows, sessions included. -#}
with aggregates as (
    select * from {{ ref('skill_aggregates') }}
),

summed as (
    select
        skill_name,
        time_window,
        bucket_start,
        sum(total_invocations) as total_invocations,
        sum(distinct_sessions) as distinct_sessions,
        count(*) as distinct_projects,
        sum(duration_sum_ms) as duration_sum_ms
    from aggregates
    where project_id <> '__all__'
    group by skill_name, time_window, bucket_start
),

everywhere as (
    select * from aggregates where project_id = '__all__'
)

select
    coalesce(summed.skill_name, everywhere.skill_name) as skill_name,
    coalesce(summed.time_window, everywhere.time_window) as time_window,
    coalesce(summed.bucket_start, everywhere.bucket_start) as bucket_start
from summed
full outer join everywhere
    on summed.skill_name = everywhere.skill_name
    and summed.time_window = everywhere.time_window
    and summed.bucket_start = everywhere.bucket_start
where summed.total_invocations is distinct from everywhere.total_invocations
    or summed.distinct_sessions is distinct from everywhere.distinct_sessions
    or summed.distinct_projects is distinct from everywhere.distinct_projects
    or summed.duration_sum_ms is distinct from everywhere.duration_sum_ms
