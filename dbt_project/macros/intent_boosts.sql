{#- Boosts of verbs (analyses.md F2). Every argument may be an expression. -#}

{#- Share of accepted signals, shrunk towards a rate by the weight of `boost_prior_strength`
    signals. -#}
{% macro shrunk_acceptance(accepted, rejected, towards) -%}
({{ accepted }} + {{ var('boost_prior_strength') }} * {{ towards }})
    / ({{ accepted }} + {{ rejected }} + {{ var('boost_prior_strength') }})
{%- endmacro %}

{#- Acceptance over all cells, never 0 or 1. -#}
{% macro pooled_acceptance(accepted, rejected) -%}
(({{ accepted }} + 1) / cast({{ accepted }} + {{ rejected }} + 2 as double))
{%- endmacro %}

{#- How far the shrunk log odds of a verb lie from those expected in its cell. -#}
{% macro log_odds_shift(accepted, rejected, expected) -%}
ln(
    ({{ accepted }} + {{ var('boost_prior_strength') }} * {{ expected }})
    / ({{ rejected }} + {{ var('boost_prior_strength') }} * (1 - {{ expected }}))
) - ln({{ expected }} / (1 - {{ expected }}))
{%- endmacro %}

{% macro bounded_boost(shift) -%}
greatest(-{{ var('boost_bound') }}, least({{ var('boost_bound') }}, {{ var('boost_scale') }} * ({{ shift }})))
{%- endmacro %}
