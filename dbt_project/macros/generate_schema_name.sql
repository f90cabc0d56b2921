{#- Schemas carry their plain names on every target: one warehouse file per data home is isolation enough. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
