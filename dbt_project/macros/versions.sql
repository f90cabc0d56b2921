{#- Every version of every record, and why all but one of them are dropped: the body of an incremental
    model whose unique key is `key`. A key that gained a row brings all of its versions, and content
    alone chooses the winner anew. `winner` is the order of what the kinds of records know about
    themselves; the last columns, which end in the `place` of a record, only tell byte-equal copies
    apart.
    `is_shared`: copies of one key may lie in several projects. One in a project that counts comes
    before one in a project that does not: a change of the projects that share records makes a full
    refresh.
    `is_wide`: the rows are too wide to be kept. From scratch they are computed again for each use:
    only the versions of repeated keys are read twice. -#}
{% macro versions_of(
    staging, key, columns, winner,
    place=('file_id', 'line_no', 'ordinal'), is_shared=true, is_wide=true
) -%}
{%- set since = built_load_seq('load_seq') -%}
{%- set listed = columns | join(',\n        ') -%}
{%- set order -%}
{% if is_shared %}case when active.project_id is null then 1 else 0 end, {% endif -%}
{{ winner }}, versions.content_hash, versions.record_key, versions.source_id, versions.{{ place | join(', versions.') }}
{%- endset -%}
-- What is kept is parsed and hashed once, and not once per use below; what does not fit in memory
-- goes to the spill folder.
with arrived as {{ 'not ' if is_wide and since < 0 }}materialized (
    select
        {{ listed }}
    from {{ staging }}
    where load_seq > {{ since }}
),

{% if is_incremental() %}
known as (
    select
        {{ listed }}
    from {{ this }}
    where {{ key }} in (select arrived.{{ key }} from arrived)
),

{% endif %}
versions as not materialized (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select * from known
    {%- endif %}
),

-- Most keys have one version. Only the others are sorted; that is a tenth of the time of a window
-- over everything.
repeated_keys as (
    select {{ key }}
    from versions
    group by {{ key }}
    having count(*) > 1
),

ranked as (
    select
        versions.*,
        row_number() over (
            partition by versions.{{ key }}
            order by {{ order }}
        ) as version_rank,
        row_number() over (
            partition by versions.{{ key }}, versions.content_hash
            order by {{ order }}
        ) as copy_rank,
        max(versions.load_seq) over (partition by versions.{{ key }}) as key_load_seq
    from versions
    inner join repeated_keys on versions.{{ key }} = repeated_keys.{{ key }}
    {%- if is_shared %}
    left join {{ active_projects() }} as active on versions.project_id = active.project_id
    {%- endif %}
)

select
    {{ listed }},
    key_load_seq,
    version_rank = 1 as is_kept,
    {{ version_drop_reason() }} as drop_reason
from ranked
union all
select
    {{ listed }},
    load_seq as key_load_seq,
    true as is_kept,
    cast(null as varchar) as drop_reason
from versions
where {{ key }} not in (select repeated_keys.{{ key }} from repeated_keys)
{%- endmacro %}

{#- The relations with which an incremental model that keeps all rows of a key begins: `arrived`, what
    its staging model gained since it was built, and `name`, that and what the model holds of the same
    keys already. `columns` is the list of both, as text. -#}
{% macro rows_of_arrived_keys(name, staging, key, columns) -%}
arrived as materialized (
    select
        {{ columns }}
    from {{ staging }}
    where load_seq > {{ built_load_seq('load_seq') }}
),

{{ name }} as not materialized (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select
        {{ columns }}
    from {{ this }}
    where {{ key }} in (select arrived.{{ key }} from arrived)
    {%- endif %}
)
{%- endmacro %}

{#- Values that a column has in the rows of relations that came after `since`. `loads` are pairs: a
    relation, and its column that says with which load a row came or changed. -#}
{% macro touched_values(column, loads, since) -%}
{%- for relation, load_seq in loads %}
{{- '\nunion\n' if not loop.first }}select versions.{{ column }}
from {{ relation }} as versions
where versions.{{ load_seq }} > {{ since }} and versions.{{ column }} is not null
{%- endfor %}
{%- endmacro %}

{#- Projects that count; a relation with `project_id`. -#}
{% macro active_projects() -%}
(select projects.project_id from {{ ref('stg_ledger__projects') }} as projects where projects.is_active)
{%- endmacro %}

{#- Facts of active projects with a time that can be believed. `conditions`, on columns of the facts,
    say what else a fact needs to count. -#}
{% macro facts_that_count(facts, columns, conditions) -%}
select
    {%- for column in columns %}
        facts.{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ facts }} as facts
    inner join {{ ref('stg_ledger__projects') }} as projects
        on facts.project_id = projects.project_id
    where projects.is_active
    {%- for condition in conditions %}
        and facts.{{ condition }}
    {%- endfor %}
        and not facts.ts_suspicious
{%- endmacro %}

{#- Why a version is dropped, of `version_rank` among those of its key and `copy_rank` among those with
    the same content; null for the one that counts. -#}
{% macro version_drop_reason(relation=none) -%}
{%- set of = relation ~ '.' if relation else '' -%}
case
        when {{ of }}version_rank = 1 then null
        when {{ of }}copy_rank > 1 then 'snapshot_copy'
        else 'superseded_version'
    end
{%- endmacro %}
