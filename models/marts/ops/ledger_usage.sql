{#- What readers ask of this ledger. Each question counts in four places: in all, in its own row,
    and with its subject in both. A subject that was never found in a snapshot counts in the first
    two alone. #}
{%- set subject_measures = [
    'total_invocations', 'known_outcomes', 'success_rate', 'success_rate_low', 'success_rate_high',
    'p95_duration_ms', 'insight', 'insight_evidence', 'recommendation'
] %}
with copies as (
    select
        *,
        row_number() over (
            partition by read_key order by content_hash, file_id, line_no, ordinal
        ) as copy_rank
    from {{ ref('stg_ledger__reads') }}
),

reads as (
    select * from copies where copy_rank = 1
),

skills as (
    select
        skill_name,
        {{ subject_measures | join(',\n        ') }}
    from {{ ref('skill_effectiveness') }}
    where project_id = '__all__'
),

placed as (
    select
        reads.*,
        places.place,
        case when places.place in ('question', 'both') then reads.question else '__all__' end
            as in_question,
        case when places.place in ('subject', 'both') then reads.subject_kind else '__all__' end
            as in_kind,
        case when places.place in ('subject', 'both') then reads.subject_name else '__all__' end
            as in_name
    from reads
    cross join (values ('all'), ('question'), ('subject'), ('both')) as places (place)
    where places.place in ('all', 'question') or reads.subject_name is not null
),

counted as (
    select
        in_question as question,
        in_kind as subject_kind,
        in_name as subject_name,
        place,
        count(*) as asked_count,
        count(case when succeeded then 1 end) as answered_count,
        count(case when not succeeded then 1 end) as failed_count,
        count(case when succeeded is null then 1 end) as unknown_count,
        {% for surface in ['cli', 'python', 'mcp', 'dashboard', 'other'] -%}
        count(case when surface = '{{ surface }}' then 1 end) as {{ surface }}_count,
        {% endfor -%}
        count(case when succeeded then duration_ms end) as duration_n,
        {{ percentiles('case when succeeded then duration_ms end', [0.5, 0.95]) }} as quantiles,
        max(case when succeeded then duration_ms end) as max_duration_ms,
        min(asked_at) as first_asked_at,
        max(asked_at) as last_asked_at
    from placed
    group by in_question, in_kind, in_name, place
),

joined as (
    select
        counted.*,
        {{ list_item('counted.quantiles', 0) }} as p50_duration_ms,
        {{ list_item('counted.quantiles', 1) }} as p95_duration_ms,
        -- Questions compete with questions, subjects with the subjects of the same question.
        case when counted.place = 'question' then 'questions' else counted.question end as rivals,
        skills.skill_name is not null as is_known_skill,
        coalesce(skills.known_outcomes >= {{ var('min_n_rank') }}, false) as has_quality,
        {% for name in subject_measures -%}
        skills.{{ name }} as subject_{{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from counted
    left join skills
        on counted.subject_kind = 'skill'
        and counted.subject_name = skills.skill_name
)

select
    ---------- text
    question,
    subject_kind,
    subject_name,
    ---------- numerics
    asked_count,
    answered_count,
    failed_count,
    unknown_count,
    cli_count,
    python_count,
    mcp_count,
    dashboard_count,
    other_count,
    duration_n,
    p50_duration_ms,
    p95_duration_ms,
    max_duration_ms,
    case
        when place <> 'all' then row_number() over (
            partition by place, rivals
            order by asked_count desc, question, subject_kind, subject_name
        )
    end as rank_by_requests,
    case
        when place <> 'all' and duration_n > 0 then row_number() over (
            partition by place, rivals, duration_n > 0
            order by p95_duration_ms desc, question, subject_kind, subject_name
        )
    end as rank_by_answer_time,
    subject_total_invocations as subject_uses,
    subject_known_outcomes,
    subject_success_rate,
    subject_success_rate_low,
    subject_success_rate_high,
    subject_p95_duration_ms,
    subject_insight,
    subject_insight_evidence,
    subject_recommendation,
    case
        when subject_p95_duration_ms is not null then row_number() over (
            partition by place, rivals, subject_p95_duration_ms is not null
            order by subject_p95_duration_ms desc, subject_name
        )
    end as rank_by_subject_duration,
    case
        when has_quality then row_number() over (
            partition by place, rivals, has_quality
            order by subject_success_rate_low desc, subject_known_outcomes desc, subject_name
        )
    end as rank_by_subject_quality,
    ---------- booleans
    case
        when is_known_skill
            then coalesce(subject_insight in ('low_success', 'needs_refinement'), false)
    end as needs_improvement,
    ---------- timestamps
    first_asked_at,
    last_asked_at
from joined
