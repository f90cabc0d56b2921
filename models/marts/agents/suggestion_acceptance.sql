{#- How often suggestions are taken, by project and category. -#}
with counted as (
    select
        facts.project_id,
        facts.category,
        count(*) as suggestions,
        count(*) filter (where facts.is_accepted) as accepted,
        count(*) filter (where not facts.is_accepted) as rejected,
        count(*) filter (where facts.is_accepted is null) as unknown,
        max(facts.occurred_at) filter (where not facts.ts_suspicious) as last_given_at
    from {{ ref('fct_suggestion_feedback') }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active
    group by facts.project_id, facts.category
)

select
    project_id,
    category,
    suggestions,
    accepted,
    rejected,
    unknown,
    {{ ratio('accepted', '(accepted + rejected)') }} as acceptance_rate,
    {{ wilson('accepted', '(accepted + rejected)', 'low') }} as acceptance_rate_low,
    {{ wilson('accepted', '(accepted + rejected)', 'high') }} as acceptance_rate_high,
    case
        when accepted + rejected < {{ var('min_n_rate') }} then 'insufficient_data'
        else 'sufficient'
    end as evidence,
    last_given_at
from counted
