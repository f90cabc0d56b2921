{#- naive - dropped = kept, and the facts are the kept rows: nothing is lost between the two. -#}
select
    kept.record_key as kept_key,
    facts.record_key as fact_key
from (
    select record_key
    from {{ ref('int_workflow_runs__versioned') }}
    where is_kept
) as kept
full outer join {{ ref('fct_workflow_runs') }} as facts on kept.record_key = facts.record_key
where kept.record_key is null or facts.record_key is null
