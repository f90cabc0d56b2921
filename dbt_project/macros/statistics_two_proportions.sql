{#- Comparing two proportions, s1 of n1 against s2 of n2 (analyses.md I3). Every argument may be
    an expression. -#}

{#- Upper tail of the standard normal distribution at z >= 0. Rational approximation of J. F.
    Hart et al., Computer Approximations (1968), algorithm 5666, in the double-precision form of
    G. West, Better approximations to cumulative normal functions (2005); beyond 7.07 a
    continued fraction. Relative error below 1e-8 up to z = 37, absolute below 1e-15. -#}
{% macro normal_upper_tail(z) -%}
{%- set numerator = [3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383,
    112.079291497871, 221.213596169931, 220.206867912376] -%}
{%- set denominator = [8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461,
    296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752] -%}
case
    when {{ z }} > 37 then 0.0
    when {{ z }} < 7.07106781186547 then exp(-{{ z }} * {{ z }} / 2)
        * {{ horner(numerator, z) }}
        / {{ horner(denominator, z) }}
    else exp(-{{ z }} * {{ z }} / 2) / 2.506628274631
        / ({{ z }} + 1 / ({{ z }} + 2 / ({{ z }} + 3 / ({{ z }} + 4 / ({{ z }} + 0.65)))))
end
{%- endmacro %}

{#- Value of a polynomial by Horner's rule; coefficients from the highest power down. Doubles
    throughout: a decimal literal would be cut to the scale of a decimal. -#}
{% macro horner(coefficients, x) -%}
{%- set terms = namespace(text='cast(' ~ coefficients[0] ~ ' as double)') -%}
{%- for coefficient in coefficients[1:] -%}
{%- set terms.text = '(' ~ terms.text ~ ' * ' ~ x ~ ' + cast(' ~ coefficient ~ ' as double))' -%}
{%- endfor -%}
{{ terms.text }}
{%- endmacro %}

{#- z of the pooled test of p2 - p1; null when an arm is empty or the pooled rate is 0 or 1. -#}
{% macro two_proportion_z(s1, n1, s2, n2) -%}
{%- set pooled = '(cast(' ~ s1 ~ ' + ' ~ s2 ~ ' as double) / (' ~ n1 ~ ' + ' ~ n2 ~ '))' -%}
case
    when {{ n1 }} > 0 and {{ n2 }} > 0 and {{ s1 }} + {{ s2 }} > 0
        and {{ s1 }} + {{ s2 }} < {{ n1 }} + {{ n2 }}
    then (cast({{ s2 }} as double) / {{ n2 }} - cast({{ s1 }} as double) / {{ n1 }})
        / sqrt({{ pooled }} * (1 - {{ pooled }}) * (1.0 / {{ n1 }} + 1.0 / {{ n2 }}))
end
{%- endmacro %}

{#- Two-sided p of that test. -#}
{% macro two_proportion_p(s1, n1, s2, n2) -%}
{{ two_sided_p(two_proportion_z(s1, n1, s2, n2)) }}
{%- endmacro %}

{% macro two_sided_p(z) -%}
2 * ({{ normal_upper_tail('abs(' ~ z ~ ')') }})
{%- endmacro %}

{#- One end of Newcombe's 95 % interval of p2 - p1, from the two Wilson intervals. -#}
{% macro newcombe(s1, n1, s2, n2, side) -%}
{%- set p1 = '(cast(' ~ s1 ~ ' as double) / ' ~ n1 ~ ')' -%}
{%- set p2 = '(cast(' ~ s2 ~ ' as double) / ' ~ n2 ~ ')' -%}
case
    when {{ n1 }} > 0 and {{ n2 }} > 0 then {{ p2 }} - {{ p1 }}
    {%- if side == 'low' %} - sqrt(
        power({{ p2 }} - ({{ wilson(s2, n2, 'low') }}), 2)
        + power(({{ wilson(s1, n1, 'high') }}) - {{ p1 }}, 2)
    )
    {%- else %} + sqrt(
        power(({{ wilson(s2, n2, 'high') }}) - {{ p2 }}, 2)
        + power({{ p1 }} - ({{ wilson(s1, n1, 'low') }}), 2)
    )
    {%- endif %}
end
{%- endmacro %}
