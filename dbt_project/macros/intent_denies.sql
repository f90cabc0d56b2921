{#- The views of denied verbs. -#}

{#- CTEs `verbs` and `sessions`: what `deny_source` denied, per verb, of all retained events. Distinct
    sessions exist for totals only. -#}
{% macro denied_verb_ctes(deny_source) -%}
verbs as (
    select
        denied_verb,
        cast(sum(deny_count) as bigint) as deny_count,
        cast(sum(event_count) as bigint) as event_count,
        min(first_denied_at) as first_denied_at,
        max(last_denied_at) as last_denied_at
    from {{ ref('intent_denies_daily') }}
    where deny_source = '{{ deny_source }}'
    group by denied_verb
),

sessions as (
    select
        denied_verb,
        count(*) as session_count
    from {{ ref('intent_denied_sessions') }}
    where deny_source = '{{ deny_source }}'
    group by denied_verb
)
{%- endmacro %}

{#- Columns of such a view; `event_count` is the denominator. -#}
{% macro denied_verb_columns(event_count) -%}
verbs.denied_verb,
    verbs.deny_count,
    coalesce(sessions.session_count, 0) as session_count,
    verbs.last_denied_at,
    {{ event_count }} as event_count,
    {{ ratio('verbs.deny_count', event_count) }} as deny_rate,
    verbs.first_denied_at,
    {{ rate_evidence(event_count) }} as evidence,
    {{ wilson('verbs.deny_count', event_count, 'low') }} as deny_rate_low,
    {{ wilson('verbs.deny_count', event_count, 'high') }} as deny_rate_high
{%- endmacro %}
