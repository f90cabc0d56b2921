{#- Exact tests, and what to do when many are published together. -#}

{% macro log_factorial(n) %}{{ return(adapter.dispatch('log_factorial', 'agentledger')(n)) }}{% endmacro %}
{% macro duckdb__log_factorial(n) %}lgamma(cast({{ n }} + 1 as double)){% endmacro %}
{#- Spark has no lgamma: Stirling's series at n + 8, taken back to n by the product of the seven
    factors between; wrong by less than 1e-11. -#}
{% macro spark__log_factorial(n) -%}
{%- set x = '(cast(' ~ n ~ ' as double) + 8)' -%}
(
    ({{ x }} - 0.5) * ln({{ x }}) - {{ x }} + 0.9189385332046727
    + 1 / (12 * {{ x }}) - 1 / (360 * pow({{ x }}, 3)) + 1 / (1260 * pow({{ x }}, 5))
    - 1 / (1680 * pow({{ x }}, 7))
    - ln(({{ x }} - 1) * ({{ x }} - 2) * ({{ x }} - 3) * ({{ x }} - 4))
    - ln(({{ x }} - 5) * ({{ x }} - 6) * ({{ x }} - 7))
)
{%- endmacro %}

{#- Probability of `k` in the first cell of a 2x2 table whose margins are those of (a, b, c, d). -#}
{% macro table_probability(k, a, b, c, d) -%}
exp(
    {{ log_factorial(a ~ ' + ' ~ b) }} + {{ log_factorial(c ~ ' + ' ~ d) }}
    + {{ log_factorial(a ~ ' + ' ~ c) }} + {{ log_factorial(b ~ ' + ' ~ d) }}
    - {{ log_factorial(a ~ ' + ' ~ b ~ ' + ' ~ c ~ ' + ' ~ d) }}
    - {{ log_factorial(k) }} - {{ log_factorial(a ~ ' + ' ~ b ~ ' - ' ~ k) }}
    - {{ log_factorial(a ~ ' + ' ~ c ~ ' - ' ~ k) }}
    - {{ log_factorial(d ~ ' - ' ~ a ~ ' + ' ~ k) }}
)
{%- endmacro %}

{% macro fisher_exact_p(a, b, c, d) %}{{ return(adapter.dispatch('fisher_exact_p', 'agentledger')(a, b, c, d)) }}{% endmacro %}
{#- Two-sided exact test of Fisher: the probability of all tables with these margins that are no
    more likely than the one seen. The factor forgives the last digits of equally likely tables.
    The arguments are names of whole-number columns; one of them null gives null. -#}
{% macro duckdb__fisher_exact_p(a, b, c, d) -%}
-- Asked for by name: least() and greatest() pass over a null.
case when {{ a }} + {{ b }} + {{ c }} + {{ d }} is not null then least(1.0, list_sum(list_filter(
    list_transform(
        range(greatest(0, {{ a }} - {{ d }}), least({{ a }} + {{ b }}, {{ a }} + {{ c }}) + 1),
        lambda k: {{ table_probability('k', a, b, c, d) }}
    ),
    lambda probability:
        probability <= {{ table_probability(a, a, b, c, d) }}
            * {{ 1 + var('equal_probability_tolerance') }}
))) end
{%- endmacro %}
{% macro spark__fisher_exact_p(a, b, c, d) -%}
case when {{ a }} + {{ b }} + {{ c }} + {{ d }} is not null then least(1.0D, aggregate(
    filter(
        transform(
            sequence(greatest(0, {{ a }} - {{ d }}), least({{ a }} + {{ b }}, {{ a }} + {{ c }})),
            k -> {{ table_probability('k', a, b, c, d) }}
        ),
        probability ->
            probability <= {{ table_probability(a, a, b, c, d) }}
                * {{ 1 + var('equal_probability_tolerance') }}
    ),
    0.0D,
    (total, probability) -> total + probability
)) end
{%- endmacro %}

{#- Benjamini and Hochberg, step 1: the limit q · i / m of the i-th smallest of m p-values of a
    family (columns to partition by; none: the whole relation). A null p is no test and counts
    nowhere; equal p-values share the largest of their places. -#}
{% macro bh_limit(p, family=none) -%}
{%- set of_family = 'partition by ' ~ family if family else '' -%}
case
    when {{ p }} is not null then {{ var('false_discovery_rate') }}
        * count({{ p }}) over ({{ of_family }} order by {{ p }})
        / count({{ p }}) over ({{ of_family }})
end
{%- endmacro %}

{#- Step 2: flagged up to the largest p that is within its limit; null without a test. `bound` is
    the column that holds the limit of step 1. -#}
{% macro bh_flag(p, bound, family=none) -%}
case
    when {{ p }} is not null then coalesce(
        {{ p }} <= max(case when {{ comparable(p) }} <= {{ comparable(bound) }} then {{ p }} end)
            over ({{ 'partition by ' ~ family if family }}),
        false
    )
end
{%- endmacro %}
