{{ config(tags=['as_of', 'every_30_minutes']) }}
{#- What people and evaluators think of an agent, by the name of the score: the last day, week and
    30 days beside the same time before, and everything. Evidence beside success, which a score
    never decides. #}
{%- set windows = {'last_day': 86400, 'last_week': 604800, 'last_month': 2592000, 'all': none} %}
{%- set keys = ['agent_id', 'score_name', 'score_kind', 'window_name', 'as_of'] %}
with instant as materialized (
    select closed.as_of
    from {{ closed_as_of() }} as closed
),

scores as materialized (
    select
        facts.*,
        instant.as_of,
        cast(facts.numeric_value as decimal(24, 9)) as exact_value,
        cast(facts.numeric_value * facts.numeric_value as decimal(38, 9)) as exact_square,
        case when not facts.ts_suspicious then facts.occurred_at end as happened_at
    from {{ ref('fct_scores') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    cross join instant
    where projects.is_active
),

windowed as not materialized (
    {%- for name, seconds in windows.items() %}
    select
        scores.*,
        '{{ name }}' as window_name,
        {%- if seconds is none %}
        cast(null as timestamptz) as window_start,
        true as is_current
    from scores
        {%- else %}
        scores.as_of - interval {{ seconds }} second as window_start,
        scores.happened_at >= scores.as_of - interval {{ seconds }} second as is_current
    from scores
    where scores.happened_at >= scores.as_of - interval {{ 2 * seconds }} second
        and scores.happened_at < scores.as_of
        {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

measured as (
    select
        {{ keys | join(',\n        ') }},
        window_start,
        count(*) filter (where is_current) as score_count,
        max(happened_at) filter (where is_current) as last_scored_at,
        min(numeric_value) filter (where is_current) as min_value,
        max(numeric_value) filter (where is_current) as max_value,
        {%- for prefix, condition in {'': 'is_current', 'previous_': 'not is_current'}.items() %}
        count(exact_value) filter (where {{ condition }}) as {{ prefix }}value_count,
        sum(exact_value) filter (where {{ condition }}) as {{ prefix }}value_sum,
        sum(exact_square) filter (where {{ condition }}) as {{ prefix }}value_sumsq,
        count(*) filter (where {{ condition }} and is_true) as {{ prefix }}true_count,
        count(is_true) filter (where {{ condition }}) as {{ prefix }}boolean_count
        {{- ',' if not loop.last }}
        {%- endfor %}
    from windowed
    group by {{ keys | join(', ') }}, window_start
),

{% for name, column in {'categories': 'category', 'sources': 'score_source'}.items() -%}
{{ name }} as (
    select
        agent_id,
        score_name,
        score_kind,
        window_name,
        {{ name_counts_text(column, 'uses') }} as {{ column }}_counts
    from (
        select
            agent_id,
            score_name,
            score_kind,
            window_name,
            {{ column }},
            cast(count(*) as bigint) as uses
        from windowed
        where is_current and {{ column }} is not null
        group by agent_id, score_name, score_kind, window_name, {{ column }}
    ) as counted
    group by agent_id, score_name, score_kind, window_name
),

{% endfor -%}
{%- set rates = ['previous_true_count', 'previous_boolean_count', 'true_count', 'boolean_count'] %}
{%- set parts = [
    'previous_value_sum', 'previous_value_sumsq', 'previous_value_count',
    'value_sum', 'value_sumsq', 'value_count',
] %}
compared as (
    select
        *,
        {{ ratio('value_sum', 'value_count') }} as mean_value,
        {{ ratio('previous_value_sum', 'previous_value_count') }} as previous_mean_value,
        {{ mean_difference(*parts, side='low') }} as mean_change_low,
        {{ mean_difference(*parts, side='high') }} as mean_change_high,
        {{ ratio('true_count', 'boolean_count') }} as true_rate,
        {{ ratio('previous_true_count', 'previous_boolean_count') }} as previous_true_rate,
        {{ newcombe(*rates, side='low') }} as rate_change_low,
        {{ newcombe(*rates, side='high') }} as rate_change_high,
        {{ rate_change(*rates) }} as rate_trend
    from measured
    where score_count > 0
)

select
    compared.agent_id,
    compared.score_name,
    compared.score_kind,
    compared.window_name,
    compared.as_of,
    compared.window_start,
    compared.as_of as window_end,
    compared.score_count,
    compared.value_count,
    compared.mean_value,
    compared.min_value,
    compared.max_value,
    compared.boolean_count,
    compared.true_count,
    compared.true_rate,
    {{ wilson('compared.true_count', 'compared.boolean_count', 'low') }} as true_rate_low,
    {{ wilson('compared.true_count', 'compared.boolean_count', 'high') }} as true_rate_high,
    categories.category_counts,
    sources.score_source_counts as source_counts,
    case compared.score_kind
        when 'numeric' then compared.previous_value_count
        when 'boolean' then compared.previous_boolean_count
    end as previous_count,
    compared.previous_mean_value,
    compared.previous_true_rate,
    case compared.score_kind
        when 'numeric' then compared.mean_value - compared.previous_mean_value
        when 'boolean' then compared.true_rate - compared.previous_true_rate
    end as change,
    case compared.score_kind
        when 'numeric' then compared.mean_change_low
        when 'boolean' then compared.rate_change_low
    end as change_low,
    case compared.score_kind
        when 'numeric' then compared.mean_change_high
        when 'boolean' then compared.rate_change_high
    end as change_high,
    case
        when compared.window_name = 'all' then null
        when compared.score_kind = 'boolean' then compared.rate_trend
        when compared.score_kind <> 'numeric' then null
        when compared.value_count = 0 or compared.previous_value_count = 0 then 'no_data'
        when compared.value_count < {{ var('min_n_rate') }}
            or compared.previous_value_count < {{ var('min_n_rate') }} then 'insufficient_data'
        when {{ comparable('compared.mean_change_low') }} > 0 then 'up'
        when {{ comparable('compared.mean_change_high') }} < 0 then 'down'
        else 'no_clear_change'
    end as trend,
    compared.last_scored_at,
    compared.as_of as refreshed_at
from compared
left join categories
    on compared.agent_id = categories.agent_id
        and compared.score_name = categories.score_name
        and compared.score_kind = categories.score_kind
        and compared.window_name = categories.window_name
left join sources
    on compared.agent_id = sources.agent_id
        and compared.score_name = sources.score_name
        and compared.score_kind = sources.score_kind
        and compared.window_name = sources.window_name
