{#- The expression is true on every row; null counts as a failure, so write the null case out. -#}
{% test row_expression(model, expression) %}
select *
from {{ model }}
where ({{ expression }}) is not true
{% endtest %}
