{#- Runs of workflows: their status in one spelling, what that means, which version wins. -#}

{% macro workflow_status(text) -%}
case
    when {{ text }} in ('completed', 'failed', 'cancelled', 'running', 'pending', 'blocked')
        then {{ text }}
    when {{ text }} = 'in_progress' then 'running'
    else 'unknown'
end
{%- endmacro %}

{#- Only a run that ended by itself has a known outcome; a run that somebody cancelled has none. -#}
{% macro workflow_outcome(status) -%}
case {{ status }} when 'completed' then 'success' when 'failed' then 'failure' else 'unknown' end
{%- endmacro %}

{#- Not ended yet, as far as the record tells. -#}
{% macro is_open_status(status) -%}
{{ status }} in ('running', 'pending', 'blocked')
{%- endmacro %}

{#- Which version of a run wins: the later status, then the later end, then the larger figures,
    which grow while a run goes on. What decides among equal ones: `versions_of`. -#}
{% macro workflow_version_order(relation) -%}
case {{ relation }}.status
    when 'completed' then 4
    when 'failed' then 4
    when 'cancelled' then 3
    when 'running' then 2
    when 'blocked' then 2
    when 'pending' then 1
    else 0
end desc,
{{ relation }}.completed_at desc nulls last,
{{ relation }}.duration_ms desc nulls last,
{{ list_length(relation ~ '.skills_used') }} desc nulls last
{%- endmacro %}

{#- What can be a duration: not negative, not beyond ten years; else null. -#}
{% macro plausible_ms(expression) -%}
case when {{ expression }} between 0 and {{ var('max_duration_ms') }} then {{ expression }} end
{%- endmacro %}
