{{ config(materialized='view') }}
{#- How sure the ranking was, per verb; of the events that have a score. -#}
with verbs as (
    select
        verb,
        {%- for measure in [
            'event_count', 'scored_count', 'accept_count', 'suggest_count', 'none_count',
            'low_confidence_count', 'ambiguous_count',
        ] %}
        cast(sum({{ measure }}) as bigint) as {{ measure }},
        {%- endfor %}
        max(last_seen_at) as last_seen_at
    from {{ ref('intent_verbs_daily') }}
    group by verb
)

select
    verb,
    event_count,
    scored_count,
    accept_count,
    suggest_count,
    none_count,
    low_confidence_count,
    ambiguous_count,
    {{ rate_columns('low_confidence', 'low_confidence_count', 'scored_count') }},
    {{ rate_columns('ambiguous', 'ambiguous_count', 'scored_count') }},
    {{ rate_evidence('scored_count') }} as evidence,
    last_seen_at
from verbs
