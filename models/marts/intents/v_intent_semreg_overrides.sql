{{ config(materialized='view') }}
{#- Rates per pair of verbs are in `intent_overrides_daily`. -#}
select
    event_key,
    occurred_at,
    session_key,
    chosen_verb,
    forced_verb,
    selection_source,
    semreg_mode,
    pre_choice,
    prompt_version,
    outcome_class,
    execution_outcome
from {{ ref('intent_override_events') }}
