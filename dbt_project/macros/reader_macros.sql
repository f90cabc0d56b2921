{#- The definitions of rates and of quantiles that merge as functions of the warehouse, for readers that
    sum additive marts over a period. Publishing copies them, so a rate of any period is the very
    expression of the models. -#}

{#- Name → (parameters, expression). -#}
{% macro reader_macros() %}
{{ return({
    'rate': (['s', 'n'], ratio('s', 'n')),
    'rate_low': (['s', 'n'], wilson('s', 'n', 'low')),
    'rate_high': (['s', 'n'], wilson('s', 'n', 'high')),
    'rate_evidence': (['n'], rate_evidence('n')),
    'rate_difference': (['s1', 'n1', 's2', 'n2'], ratio('s2', 'n2') ~ ' - ' ~ ratio('s1', 'n1')),
    'rate_difference_low': (['s1', 'n1', 's2', 'n2'], newcombe('s1', 'n1', 's2', 'n2', 'low')),
    'rate_difference_high': (['s1', 'n1', 's2', 'n2'], newcombe('s1', 'n1', 's2', 'n2', 'high')),
    'latency_p50': (['histograms', 'zeros', 'n'], histogram_quantile('histograms', 'zeros', 'n', 0.5)),
    'latency_p95': (['histograms', 'zeros', 'n'], histogram_p95('histograms', 'zeros', 'n')),
    'rate_change': (['s1', 'n1', 's2', 'n2'], rate_change('s1', 'n1', 's2', 'n2')),
}) }}
{% endmacro %}

{#- Whether a rate changed from the first sample to the second: 'up' and 'down' only where Newcombe's
    interval of the difference leaves 0 out and each sample is large enough. -#}
{% macro rate_change(s1, n1, s2, n2) -%}
case
    when coalesce({{ n1 }}, 0) = 0 or coalesce({{ n2 }}, 0) = 0 then 'no_data'
    when {{ n1 }} < {{ var('min_n_rate') }} or {{ n2 }} < {{ var('min_n_rate') }} then 'insufficient_data'
    when {{ comparable(newcombe(s1, n1, s2, n2, 'low')) }} > 0 then 'up'
    when {{ comparable(newcombe(s1, n1, s2, n2, 'high')) }} < 0 then 'down'
    else 'no_clear_change'
end
{%- endmacro %}

{#- Runs after the models. Other engines have no readers of ours beside them. -#}
{% macro create_reader_macros() %}
{{ return(adapter.dispatch('create_reader_macros', 'agentledger')()) }}
{% endmacro %}

{% macro spark__create_reader_macros() %}{% endmacro %}

{% macro duckdb__create_reader_macros() %}
{%- if execute and flags.WHICH in ('run', 'build') -%}
create schema if not exists marts;
    {%- for name, (parameters, expression) in reader_macros().items() %}
create or replace macro marts.{{ name }}({{ parameters | join(', ') }}) as ({{ expression }});
    {%- endfor %}
{%- endif -%}
{% endmacro %}
