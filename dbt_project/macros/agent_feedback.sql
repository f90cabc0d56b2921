{#- What is thought of the figures of an agent: spreads from sums, ratios of means, and gates. -#}

{#- Sample variance from parts; null below two values. Rounding may leave a hair below 0. -#}
{% macro variance_of_parts(total, squares, n) -%}
case
    when {{ n }} > 1 then greatest(
        0.0,
        (cast({{ squares }} as double) - cast({{ total }} as double) * cast({{ total }} as double) / {{ n }})
        / ({{ n }} - 1)
    )
end
{%- endmacro %}

{#- Lower end of the 95 % interval of a mean, from its parts. -#}
{% macro mean_low(total, squares, n) -%}
cast({{ total }} as double) / {{ n }}
- {{ var('mean_z') }} * sqrt(({{ variance_of_parts(total, squares, n) }}) / {{ n }})
{%- endmacro %}

{#- One end of the 95 % interval of mean2/mean1, on the scale of logarithms; null when a mean is 0 or
    a spread unknown. -#}
{% macro mean_ratio_bound(mean1, sd1, n1, mean2, sd2, n2, side) -%}
case
    when {{ mean1 }} > 0 and {{ mean2 }} > 0 and {{ n1 }} > 1 and {{ n2 }} > 1
        then exp(
            ln(cast({{ mean2 }} as double) / {{ mean1 }})
            {{ {'low': '-', 'high': '+'}[side] }} {{ var('mean_z') }} * sqrt(
                power(cast({{ sd1 }} as double) / {{ mean1 }}, 2) / {{ n1 }}
                + power(cast({{ sd2 }} as double) / {{ mean2 }}, 2) / {{ n2 }}
            )
        )
end
{%- endmacro %}

{#- One end of the 95 % interval of mean2 - mean1, from their parts; null when a spread is unknown. -#}
{% macro mean_difference(total1, squares1, n1, total2, squares2, n2, side) -%}
case
    when {{ n1 }} > 1 and {{ n2 }} > 1
        then cast({{ total2 }} as double) / {{ n2 }} - cast({{ total1 }} as double) / {{ n1 }}
            {{ {'low': '-', 'high': '+'}[side] }} {{ var('mean_z') }} * sqrt(
                ({{ variance_of_parts(total1, squares1, n1) }}) / {{ n1 }}
                + ({{ variance_of_parts(total2, squares2, n2) }}) / {{ n2 }}
            )
end
{%- endmacro %}

{#- The first gate that a candidate of the knowledge export fails; null when it passes all that
    figures can tell (analyses.md D3). -#}
{% macro failed_knowledge_gate(successes, known, quality) -%}
case
    when {{ known }} < {{ var('knowledge_min_n') }} then 'usage'
    when {{ comparable(ratio(successes, known)) }} < {{ var('knowledge_min_rate') }} then 'success_rate'
    when {{ quality }} is null then 'no_quality'
    when {{ comparable(quality) }} < {{ var('knowledge_min_quality') }} then 'quality'
    when {{ comparable(wilson(successes, known, 'low')) }} < {{ var('knowledge_min_wilson_low') }}
        then 'wilson_lo'
end
{%- endmacro %}
