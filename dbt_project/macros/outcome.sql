{#- The three-state outcome, decided once. `detail` keeps abandonment and failure apart. -#}
{% macro outcome_detail(variant, success, completed, has_error, has_duration) -%}
case
    when {{ variant }} = 'V-D' then
        case {{ success }} when 'true' then 'success' when 'false' then 'error' else 'unreported' end
    when {{ completed }} = 'true' then 'success'
    when {{ completed }} = 'false' and {{ has_error }} then 'error'
    when {{ completed }} = 'false' and {{ has_duration }} then 'abandoned'
    when {{ completed }} = 'false' then 'pending'
    else 'unreported'
end
{%- endmacro %}

{% macro outcome(detail) -%}
case
    when {{ detail }} = 'success' then 'success'
    when {{ detail }} in ('error', 'abandoned') then 'failure'
    else 'unknown'
end
{%- endmacro %}

{#- The other way round, of a source that tells no more than the outcome. -#}
{% macro outcome_detail_of(outcome) -%}
case {{ outcome }} when 'success' then 'success' when 'failure' then 'error' else 'unreported' end
{%- endmacro %}

{#- How much a version of a record knows about its end; the most complete version wins. -#}
{% macro completeness(detail) -%}
case
    when {{ detail }} in ('success', 'error') then 2
    when {{ detail }} = 'abandoned' then 1
    else 0
end
{%- endmacro %}

{#- Which version of a record wins: content decides, never the order of loading. What decides among
    equal ones: `versions_of`. -#}
{% macro version_order(relation) -%}
{{ completeness(relation ~ '.outcome_detail') }} desc,
{{ relation }}.completed_at desc nulls last,
{{ relation }}.duration_ms desc nulls last,
{{ relation }}.followup_count desc nulls last,
case when {{ relation }}.variant in ('SA', 'SB') then 0 when {{ relation }}.variant = 'VX' then 2 else 1 end
{%- endmacro %}
