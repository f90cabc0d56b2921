-- depends_on: {{ ref('int_claude_code_skill_versions') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_skill_buckets() }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('int_skill_invocation_versions'), 'key_load_seq') }}"
    ]
) }}
{#- Quantiles and distinct sessions do not add up over time, so each window is computed from facts.
    Sessions and everything else do add up over projects, so the `__all__` rows merge the project
    rows, and only their quantiles read facts again.
    An incremental run replaces the touched buckets, which the pre-hook has just deleted. #}
{%- set since = trusted_load_seq() %}
{%- set windows = skill_windows() %}
with projects as (
    -- Small numbers for long names: they halve the memory of the aggregations below.
    select
        project_id,
        cast(row_number() over (order by project_id) as integer) as project_no
    from {{ ref('stg_ledger__projects') }}
    where is_active
),

skills as (
    select
        skill_name,
        cast(row_number() over (order by skill_name) as integer) as skill_no
    from (
        select distinct used.skill_name
        from {{ ref('fct_skill_invocations') }} as used
    ) as names
),

{% if since is not none %}
touched as materialized (
    select
        projects.project_no,
        skills.skill_no,
        buckets.time_window,
        buckets.bucket_start
    from (
        {{ touched_skill_buckets(since) }}
    ) as buckets
    inner join projects on buckets.project_id = projects.project_id
    inner join skills on buckets.skill_name = skills.skill_name
),

touched_everywhere as materialized (
    select distinct skill_no, time_window, bucket_start
    from touched
),

touched_projects as materialized (
    select project_id, project_no
    from projects
    where project_no in (select touched.project_no from touched)
),

{% endif %}
{#- The facts of all active projects, and those of the projects that changed: the names of few
    projects reach the scan, which then skips the others. #}
{%- for facts, of_projects in [
    ('countable', 'projects'),
    ('changed', 'projects' if since is none else 'touched_projects'),
] %}
{{ facts }} as not materialized (
    select
        chosen.project_no,
        skills.skill_no,
        invocations.session_key,
        invocations.outcome,
        invocations.is_abandoned,
        invocations.duration_ms,
        {{ exact_ms('invocations.duration_ms') }} as exact_duration_ms,
        invocations.followup_count,
        invocations.invoked_on,
        invocations.occurred_at,
        invocations.load_seq
    from {{ ref('fct_skill_invocations') }} as invocations
    inner join {{ of_projects }} as chosen on invocations.project_id = chosen.project_id
    inner join skills on invocations.skill_name = skills.skill_name
    -- No bucket for a time that nobody can believe.
    where invocations.occurred_at is not null and not invocations.ts_suspicious
),

{% endfor %}
{% for time_window in windows %}
project_{{ time_window }} as (
    select
        '{{ time_window }}' as time_window,
        project_no,
        skill_no,
        {{ bucket_start(time_window, 'invoked_on') }} as bucket_start,
        {{ skill_measures() }}
    from changed
    {%- if since is not none %}
    where {{ in_touched_bucket(time_window) }}
    {%- endif %}
    group by project_no, skill_no, {{ bucket_start(time_window, 'invoked_on') }}
),

-- Two plain steps and not count(distinct …) beside the other measures: for that the engine would
-- keep all facts in memory once more for each window, and spill 14 GB at 10 million.
sessions_{{ time_window }} as (
    select
        project_no,
        skill_no,
        bucket_start,
        count(*) as distinct_sessions
    from (
        select distinct
            project_no,
            skill_no,
            {{ bucket_start(time_window, 'invoked_on') }} as bucket_start,
            session_key
        from changed
        where session_key is not null
        {%- if since is not none %}
        and {{ in_touched_bucket(time_window) }}
        {%- endif %}
    ) as sessions
    group by project_no, skill_no, bucket_start
),

everywhere_{{ time_window }} as (
    select
        '{{ time_window }}' as time_window,
        skill_no,
        {{ bucket_start(time_window, 'invoked_on') }} as bucket_start,
        {{ percentiles('duration_ms', [0.5, 0.95]) }} as duration_quantiles
    from countable
    where duration_ms is not null
    {%- if since is not none %}
    and (skill_no, {{ bucket_start(time_window, 'invoked_on') }}) in (
        select (touched_everywhere.skill_no, touched_everywhere.bucket_start)
        from touched_everywhere
        where touched_everywhere.time_window = '{{ time_window }}'
    )
    {%- endif %}
    group by skill_no, {{ bucket_start(time_window, 'invoked_on') }}
),

{% endfor %}
project_rows as materialized (
    select
        projects.project_id,
        skills.skill_name,
        counted.*
    from (
        {%- for time_window in windows %}
        select
            project_{{ time_window }}.*,
            coalesce(sessions_{{ time_window }}.distinct_sessions, 0) as distinct_sessions
        from project_{{ time_window }}
        left join sessions_{{ time_window }}
            on project_{{ time_window }}.project_no = sessions_{{ time_window }}.project_no
            and project_{{ time_window }}.skill_no = sessions_{{ time_window }}.skill_no
            and project_{{ time_window }}.bucket_start = sessions_{{ time_window }}.bucket_start
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as counted
    inner join projects on counted.project_no = projects.project_no
    inner join skills on counted.skill_no = skills.skill_no
),

everywhere_quantiles as (
    select
        skills.skill_name,
        counted.*
    from (
        {%- for time_window in windows %}
        select * from everywhere_{{ time_window }}
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as counted
    inner join skills on counted.skill_no = skills.skill_no
),

mergeable as (
    select
        {{ merged_columns() }}
    from project_rows
    {%- if since is not none %}
    union all
    -- Projects that did not change, in the buckets of those that did.
    select
        {{ merged_columns() }}
    from {{ this }}
    where project_id <> '__all__'
        and (skill_name, time_window, bucket_start) in (
            select (
                skills.skill_name,
                touched_everywhere.time_window,
                touched_everywhere.bucket_start
            )
            from touched_everywhere
            inner join skills on touched_everywhere.skill_no = skills.skill_no
        )
    {%- endif %}
),

merged as (
    select
        time_window,
        skill_name,
        bucket_start,
        {{ merged_measures() }}
    from mergeable
    group by time_window, skill_name, bucket_start
),

measured as (
    select
        project_id,
        {{ merged_columns() }},
        duration_quantiles
    from project_rows
    union all
    select
        '__all__' as project_id,
        {{ merged_columns('merged') }},
        everywhere_quantiles.duration_quantiles
    from merged
    left join everywhere_quantiles
        on merged.time_window = everywhere_quantiles.time_window
        and merged.skill_name = everywhere_quantiles.skill_name
        and merged.bucket_start = everywhere_quantiles.bucket_start
),

rated as (
    select
        *,
        successful_completions + failed_invocations as known_outcomes,
        {{ ratio('unknown_outcomes', 'total_invocations') }} as unknown_share
    from measured
)

select
    skill_name,
    project_id,
    time_window,
    bucket_start,
    total_invocations,
    successful_completions,
    failed_invocations,
    unknown_outcomes,
    {{ ratio('successful_completions', 'known_outcomes') }} as success_rate,
    {{ wilson('successful_completions', 'known_outcomes', 'low') }} as success_rate_low,
    {{ wilson('successful_completions', 'known_outcomes', 'high') }} as success_rate_high,
    {{ ratio('duration_sum_ms', 'duration_n') }} as avg_duration_ms,
    {{ list_item('duration_quantiles', 0) }} as p50_duration_ms,
    {{ list_item('duration_quantiles', 1) }} as p95_duration_ms,
    {{ ratio('followup_sum', 'followup_n') }} as avg_followup_actions,
    {{ ratio('followup_positive_n', 'followup_n') }} as followup_rate,
    distinct_sessions,
    distinct_projects,
    first_used_at,
    last_used_at,
    case
        when known_outcomes < {{ var('min_n_rate') }} then 'insufficient_data' else 'sufficient'
    end as evidence,
    {{ comparable('unknown_share') }} > {{ var('unknown_share_high') }} as mostly_unknown,
    unknown_share,
    known_outcomes,
    abandoned_n,
    sessionless_n,
    duration_n,
    duration_sum_ms,
    success_duration_n,
    success_duration_sum_ms,
    {{ ratio('success_duration_sum_ms', 'success_duration_n') }} as avg_success_duration_ms,
    followup_n,
    followup_positive_n,
    followup_sum,
    followup_sumsq,
    case time_window
    {%- for time_window in windows if time_window != 'all' %}
        when '{{ time_window }}' then {{ bucket_end(time_window, 'bucket_start') }}
    {%- endfor %}
    end as bucket_end,
    load_seq,
    (select max(context.as_of) from {{ ref('stg_ledger__run_context') }} as context) as refreshed_at
from rated
