{#- The normal distribution, for engines without an error function. -#}

{#- Two-sided p-value of a standard normal deviate. `z` is the name of a column, because it stands
    here many times. Rational approximation of Hart (1968, no. 5666), a continued fraction in the
    far tail: wrong by less than 1e-14, and by less than 1e-8 of a small p-value. -#}
{% macro normal_two_sided_p(z) -%}
{%- set x = 'abs(' ~ z ~ ')' -%}
{%- set above = [
    0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383,
    112.079291497871, 221.213596169931, 220.206867912376,
] -%}
{%- set below = [
    0.0883883476483184, 1.75566716318264, 16.064177579207, 86.7807322029461,
    296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752,
] -%}
case
    when {{ z }} is null then cast(null as double)
    when {{ x }} > 37 then 0.0
    when {{ x }} < 7.07106781186547
        then least(
            1.0,
            2 * exp(-{{ x }} * {{ x }} / 2)
            * ({{ polynomial(x, above) }})
            / ({{ polynomial(x, below) }})
        )
    else 2 * exp(-{{ x }} * {{ x }} / 2) / 2.5066282746310002
        / ({{ x }} + 1 / ({{ x }} + 2 / ({{ x }} + 3 / ({{ x }} + 4 / ({{ x }} + 0.65)))))
end
{%- endmacro %}

{#- Value of a polynomial, highest power first. -#}
{% macro polynomial(x, coefficients) -%}
{%- set text = namespace(value=coefficients[0] | string) -%}
{%- for coefficient in coefficients[1:] -%}
{%- set text.value = '(' ~ text.value ~ ') * ' ~ x ~ ' + ' ~ coefficient -%}
{%- endfor -%}
cast({{ text.value }} as double)
{%- endmacro %}
