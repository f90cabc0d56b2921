{#- Each prompt version against all the others together: a comparison of two proportions. Long,
    one row per rate, because the tests of all rates and versions are one family. #}
{%- set rates = {
    'success': ('success_count', 'event_count'),
    'clarify': ('friction_count', 'event_count'),
    'failure': ('failure_count', 'event_count'),
    'execution_failure': ('execution_failure_count', 'execution_known_count'),
} %}
{%- set q = var('false_discovery_rate') %}
{%- set arms = ['rest_numerator', 'rest_denominator', 'numerator', 'denominator'] %}
with daily as (
    select * from {{ ref('intent_daily') }}
),

versions as (
    {%- for metric, (numerator, denominator) in rates.items() %}
    select
        prompt_version,
        '{{ metric }}' as metric,
        cast(sum({{ numerator }}) as bigint) as numerator,
        cast(sum({{ denominator }}) as bigint) as denominator,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from daily
    group by prompt_version
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

against_the_rest as (
    select
        *,
        cast(sum(numerator) over (partition by metric) - numerator as bigint) as rest_numerator,
        cast(sum(denominator) over (partition by metric) - denominator as bigint)
            as rest_denominator
    from versions
),

armed as (
    select
        *,
        least(denominator, rest_denominator) >= {{ var('ab_min_per_arm') }}
            as is_enough,
        {{ two_proportion_z(*arms) }} as z
    from against_the_rest
),

tested as (
    select
        *,
        case when is_enough then {{ two_sided_p('z') }} end as p_value,
        case when is_enough
            then {{ newcombe(*arms, side='low') }}
        end as difference_low,
        case when is_enough
            then {{ newcombe(*arms, side='high') }}
        end as difference_high
    from armed
),

ranked as (
    select
        *,
        count(p_value) over () as test_count,
        case when p_value is not null then row_number() over (
            order by p_value nulls last, metric, prompt_version
        ) end as p_rank
    from tested
),

-- Benjamini-Hochberg: everything up to the largest rank whose p is small enough.
flagged as (
    select
        *,
        max(case
            when {{ comparable('p_value') }} <= {{ comparable(q ~ ' * p_rank / test_count') }}
                then p_rank
        end) over () as last_flagged_rank
    from ranked
)

select
    prompt_version,
    metric,
    numerator,
    denominator,
    {{ ratio('numerator', 'denominator') }} as rate,
    {{ wilson('numerator', 'denominator', 'low') }} as rate_low,
    {{ wilson('numerator', 'denominator', 'high') }} as rate_high,
    rest_numerator,
    rest_denominator,
    {{ ratio('rest_numerator', 'rest_denominator') }} as rest_rate,
    {{ ratio('numerator', 'denominator') }} - {{ ratio('rest_numerator', 'rest_denominator') }}
        as difference,
    difference_low,
    difference_high,
    p_value,
    case
        when denominator = 0 or rest_denominator = 0 then 'no_data'
        when not is_enough then 'insufficient_data'
        when difference_low > 0 or difference_high < 0 then 'confirmed'
        else 'provisional'
    end as evidence,
    coalesce(p_rank <= last_flagged_rank, false) as flagged_bh,
    first_seen_at,
    last_seen_at
from flagged
