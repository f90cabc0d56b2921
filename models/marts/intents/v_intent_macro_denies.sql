{{ config(materialized='view') }}
{#- All retained events. The denominator is every event whose macro was checked, of whatever
    verb. -#}
with checked as (
    select cast(coalesce(sum(macro_check_count), 0) as bigint) as event_count
    from {{ ref('intent_daily') }}
),

{{ denied_verb_ctes('macro') }}

select
    {{ denied_verb_columns('checked.event_count') }}
from verbs
cross join checked
left join sessions on verbs.denied_verb = sessions.denied_verb
