{#- No two rows share the values of `columns`. Name all columns of the grain, in any order.
    `newest_of` limits the check to the last load in a source, for a view whose rows are all checked again
    in the table that is built from it. -#}
{% test unique_combination(model, columns, newest_of=none) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ model }}
{%- if newest_of and execute %}
-- A literal, so that the scan skips everything older.
where load_seq >= {{ run_query('select coalesce(max(load_seq), 0) from ' ~ newest_of).columns[0].values()[0] }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
