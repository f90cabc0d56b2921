{#- One skill over several projects. The raw rate would put 2 of 2 first: each rate is drawn towards
    the pooled one, the more the fewer outcomes it rests on, by as much as the projects agree. #}
with projects as (
    select
        skill_name,
        project_id,
        total_invocations,
        successful_completions,
        failed_invocations,
        unknown_outcomes,
        known_outcomes,
        success_rate,
        success_rate_low,
        success_rate_high
    from {{ ref('skill_aggregates') }}
    where time_window = 'all' and project_id <> '__all__' and known_outcomes > 0
),

pooled as (
    select
        skill_name,
        count(*) as project_count,
        cast(sum(successful_completions) as bigint) as pooled_successes,
        cast(sum(known_outcomes) as bigint) as pooled_outcomes,
        cast(sum(successful_completions) as double) / sum(known_outcomes) as pooled_rate,
        -- Exact numbers: a sum of doubles depends on the order of its rows.
        cast(sum(cast(known_outcomes as decimal(38, 0)) * known_outcomes) as double)
            / cast(sum(known_outcomes) as double) as square_mean
    from projects
    group by skill_name
),

spread as (
    select
        pooled.skill_name,
        cast(sum(cast(
            projects.known_outcomes
            * (projects.success_rate - pooled.pooled_rate)
            * (projects.success_rate - pooled.pooled_rate)
            as decimal(38, 15)
        )) as double) as weighted_spread
    from pooled
    inner join projects on pooled.skill_name = projects.skill_name
    group by pooled.skill_name
),

estimable as (
    select
        pooled.*,
        spread.weighted_spread,
        pooled.pooled_rate * (1 - pooled.pooled_rate) as pooled_variance,
        pooled.pooled_outcomes - pooled.square_mean - (pooled.project_count - 1) as denominator,
        pooled.project_count >= {{ var('prior_strength_min_projects') }}
        and pooled.pooled_successes > 0
        and pooled.pooled_successes < pooled.pooled_outcomes as has_spread
    from pooled
    inner join spread on pooled.skill_name = spread.skill_name
),

priors as (
    select
        skill_name,
        project_count,
        pooled_successes,
        pooled_outcomes,
        pooled_rate,
        pooled_variance,
        case
            when has_spread and {{ comparable('denominator') }} > 0 then 1.0 / least(
                1.0 / (1 + {{ var('prior_strength_bounds')[0] }}),
                greatest(
                    1.0 / (1 + {{ var('prior_strength_bounds')[1] }}),
                    (weighted_spread / pooled_variance - (project_count - 1)) / denominator
                )
            ) - 1
            else cast({{ var('prior_strength_default') }} as double)
        end as prior_strength
    from estimable
),

rested as (
    select
        projects.*,
        priors.project_count,
        priors.pooled_rate,
        priors.pooled_variance,
        priors.pooled_outcomes,
        priors.prior_strength,
        (projects.successful_completions + priors.prior_strength * priors.pooled_rate)
            / (projects.known_outcomes + priors.prior_strength) as shrunk_rate,
        priors.pooled_successes - projects.successful_completions as rest_successes,
        priors.pooled_outcomes - projects.known_outcomes as rest_outcomes
    from projects
    inner join priors on projects.skill_name = priors.skill_name
),

measured as (
    select
        *,
        {{ ratio('rest_successes', 'rest_outcomes') }} as rest_success_rate,
        success_rate - {{ ratio('rest_successes', 'rest_outcomes') }} as rate_difference,
        -- Against the rest, not against a total that holds the project itself.
        case
            when least(known_outcomes, rest_outcomes) >= {{ var('min_n_rate') }}
                and pooled_variance > 0
                then (success_rate - {{ ratio('rest_successes', 'rest_outcomes') }}) / sqrt(
                    pooled_variance
                    * (1.0 / nullif(known_outcomes, 0) + 1.0 / nullif(rest_outcomes, 0))
                )
        end as z_score
    from rested
),

tested as (
    select
        *,
        {{ two_sided_p('z_score') }} as p_value
    from measured
),

limited as (
    select
        *,
        {{ bh_limit('p_value') }} as p_limit
    from tested
),

flagged as (
    select
        *,
        {{ bh_flag('p_value', 'p_limit') }} as differs
    from limited
)

select
    skill_name,
    project_id,
    row_number() over (
        partition by skill_name
        order by {{ comparable('shrunk_rate') }} desc, known_outcomes desc, project_id
    ) as shrunk_rank,
    shrunk_rate,
    total_invocations,
    successful_completions,
    failed_invocations,
    unknown_outcomes,
    known_outcomes,
    success_rate,
    success_rate_low,
    success_rate_high,
    project_count,
    pooled_rate,
    pooled_outcomes,
    prior_strength,
    rest_successes,
    rest_outcomes,
    rest_success_rate,
    rate_difference,
    z_score,
    p_value,
    differs,
    case
        when p_value is null then 'insufficient_data'
        when differs and {{ comparable('p_value') }} < {{ var('significance') }} then 'confirmed'
        else 'provisional'
    end as evidence
from flagged
