{{ config(materialized='view') }}
{#- All retained events. For a period, sum `intent_denies_daily`. -#}
with {{ denied_verb_ctes('semreg') }}

select
    {{ denied_verb_columns('verbs.event_count') }}
from verbs
left join sessions on verbs.denied_verb = sessions.denied_verb
where verbs.deny_count > 0
