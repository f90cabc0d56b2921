{#- Ratios and intervals, once. Every argument may be an expression. -#}

{% macro ratio(numerator, denominator) -%}
case when {{ denominator }} > 0 then cast({{ numerator }} as double) / {{ denominator }} end
{%- endmacro %}

{#- Wilson score interval of a proportion; `side` is 'low' or 'high'. Clamped to 0..1, null without trials. -#}
{% macro wilson(successes, trials, side) -%}
{%- set z = var('wilson_z') -%}
{%- set p = '(cast(' ~ successes ~ ' as double) / ' ~ trials ~ ')' -%}
{%- set sign = {'low': '-', 'high': '+'}[side] -%}
case
    when {{ trials }} > 0 then least(1.0, greatest(0.0, (
        {{ p }} + {{ z * z }} / (2 * {{ trials }}) {{ sign }} {{ z }} * sqrt(
            {{ p }} * (1 - {{ p }}) / {{ trials }}
            + {{ z * z }} / (4 * cast({{ trials }} as double) * {{ trials }})
        )
    ) / (1 + {{ z * z }} / {{ trials }})))
end
{%- endmacro %}

{#- Thresholds compare after rounding: 0.70 - 0.65 is 0.04999999999999993 in a double. -#}
{% macro comparable(expression) -%} round({{ expression }}, 9) {%- endmacro %}

{#- Milliseconds as an exact number, so that a sum does not depend on the order of its rows. -#}
{% macro exact_ms(expression) -%} cast({{ expression }} as decimal(18, 6)) {%- endmacro %}
