{#- The two vocabularies of intent events, read as one (formats.md 5.1 to 5.3). Every argument
    is a value that was trimmed and folded to lower case; the caller keeps the raw one beside
    it. -#}

{#- Canonical outcome → the values that mean it, and its class (analyses.md F). -#}
{% macro intent_outcome_definitions() %}
{{ return({
    'matched': (['ready', 'matched'], 'success'),
    'scope_resolved': (['scope_resolved'], 'success'),
    'macro_expanded': (['macro_expanded'], 'success'),
    'clarify_verb': (['needs_clarification', 'clarify_verb'], 'clarify_verb'),
    'clarify_args': (['needs_user_input', 'clarify_args'], 'clarify_args'),
    'clarify_scope': (['scope_candidates'], 'clarify_scope'),
    'no_match': (['no_match'], 'no_match'),
    'no_allowed_verbs': (['no_allowed_verbs'], 'denied'),
    'direct_dsl_denied': (['direct_dsl_denied'], 'denied'),
    'not_ready': (['semantic_not_ready'], 'not_ready'),
    'error': (['error'], 'error'),
}) }}
{% endmacro %}

{% macro intent_outcome(folded) -%}
case
{%- for outcome, (values, outcome_class) in intent_outcome_definitions().items() %}
    when {{ folded }} in ('{{ values | join("', '") }}') then '{{ outcome }}'
{%- endfor %}
    else 'unknown'
end
{%- endmacro %}

{% macro intent_outcome_class(folded) -%}
case
{%- for outcome, (values, outcome_class) in intent_outcome_definitions().items() %}
    when {{ folded }} in ('{{ values | join("', '") }}') then '{{ outcome_class }}'
{%- endfor %}
    else 'unmapped'
end
{%- endmacro %}

{#- Classes that count as a failure; a clarification is friction and no failure. -#}
{% macro intent_failure_classes() %}{{ return(['denied', 'no_match', 'not_ready', 'error']) }}{% endmacro %}
{% macro intent_friction_classes() %}{{ return(['clarify_verb', 'clarify_args', 'clarify_scope']) }}{% endmacro %}

{% macro in_classes(column, classes) %}{{ column }} in ('{{ classes | join("', '") }}'){% endmacro %}

{% macro semreg_mode(folded, folded_outcome) -%}
case
    when {{ folded }} = 'strict' and {{ folded_outcome }} = 'no_allowed_verbs' then 'deny_all_or_unavailable'
    when {{ folded }} in ('applied', 'strict') then 'applied'
    when {{ folded }} = 'permissive' then 'applied_permissive'
    when {{ folded }} in ('deny_all', 'unavailable', 'fail_open') then {{ folded }}
    else 'unknown'
end
{%- endmacro %}

{% macro selection_source(folded) -%}
case
    when {{ folded }} in ('discovery', 'user_choice', 'semreg', 'scenario') then {{ folded }}
    when {{ folded }} in ('macro', 'macro_index') then 'macro'
    when {{ folded }} in ('sage_fast_path', 'sage_serve_fast_path') then 'fast_path'
    when {{ folded }} = 'sage_serve_coder' then 'coder'
    when {{ folded }} = 'sage_delegate' then 'delegate'
    else 'unknown'
end
{%- endmacro %}

{#- Which vocabulary an event speaks, from the words that only one of the two has. `both`: only
    words that both share, or words of each; `unknown`: no word of either. -#}
{% macro intent_vocabulary(folded_outcome, folded_mode) -%}
{%- set of_implementation -%}
coalesce(
            {{ folded_outcome }} in (
                'ready', 'needs_clarification', 'needs_user_input', 'scope_candidates',
                'scope_resolved', 'no_match', 'semantic_not_ready'
            ), false
        ) or coalesce({{ folded_mode }} in ('strict', 'permissive'), false)
{%- endset -%}
{%- set of_design -%}
coalesce(
            {{ folded_outcome }} in (
                'matched', 'clarify_verb', 'clarify_args', 'direct_dsl_denied', 'macro_expanded',
                'error'
            ), false
        ) or coalesce({{ folded_mode }} in ('applied', 'deny_all', 'unavailable'), false)
{%- endset -%}
case
    when ({{ of_implementation }}) and ({{ of_design }}) then 'both'
    when {{ of_implementation }} then 'implementation'
    when {{ of_design }} then 'design'
    when {{ folded_outcome }} = 'no_allowed_verbs' or {{ folded_mode }} = 'fail_open' then 'both'
    else 'unknown'
end
{%- endmacro %}

{#- Text of a producer as a boolean; null when it is none. -#}
{% macro boolean_text(text) -%}
case
    when lower(trim({{ text }})) in ('true', 't', '1') then true
    when lower(trim({{ text }})) in ('false', 'f', '0') then false
end
{%- endmacro %}

{#- An id as text; the nil UUID and an empty text mean that there is none. -#}
{% macro known_id(text) -%}
case
    when trim({{ text }}) not in (
        '', '00000000-0000-0000-0000-000000000000', '00000000000000000000000000000000'
    ) then trim({{ text }})
end
{%- endmacro %}

{#- Text of a producer as a count; null when it is none. -#}
{% macro count_of(text) -%}
case when try_cast({{ text }} as integer) >= 0 then try_cast({{ text }} as integer) end
{%- endmacro %}
