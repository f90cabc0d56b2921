{#- The unit of change of `skill_aggregates`: a bucket of one skill, in one project and in all of them. -#}

{% macro skill_windows() %}{{ return(['daily', 'weekly', 'monthly', 'all']) }}{% endmacro %}

{#- Buckets of all versions, old and new, of the keys that gained a row after `since`. -#}
{% macro touched_skill_buckets(since) %}
{%- for time_window in skill_windows() %}
select distinct
    versions.project_id,
    versions.skill_name,
    '{{ time_window }}' as time_window,
    {{ bucket_start(time_window, 'versions.invoked_on') }} as bucket_start
from (
    select found.project_id, found.skill_name, found.invoked_on
    from {{ ref('int_skill_invocation_versions') }} as found
    where found.key_load_seq > {{ since }}
    union all
    -- Their folder may have belonged to any other project before.
    select others.project_id, moved.skill_name, moved.invoked_on
    from {{ ref('int_claude_code_skill_versions') }} as moved
    cross join {{ ref('stg_ledger__projects') }} as others
    where moved.folder_load_seq > {{ since }}
) as versions
inner join {{ ref('stg_ledger__projects') }} as projects
    on versions.project_id = projects.project_id
where versions.invoked_on is not null
    -- Neither deleted nor inserted for a project that is not counted: its `__all__` rows would be lost.
    and projects.is_active
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
{% endmacro %}

{#- Runs in the transaction of the model, before its rows are computed: a bucket that lost its last row
    leaves nothing behind. -#}
{% macro delete_touched_skill_buckets() %}
{%- if execute and is_incremental() -%}
    {%- set since = trusted_load_seq() -%}
    {%- if since is none -%}
delete from {{ this }}
    {%- else -%}
delete from {{ this }}
where (skill_name, time_window, bucket_start, project_id) in (
    with touched as ({{ touched_skill_buckets(since) }})
    select skill_name, time_window, bucket_start, project_id from touched
    union all
    select skill_name, time_window, bucket_start, '__all__' from touched
)
    {%- endif -%}
{%- endif -%}
{% endmacro %}

{#- Whether a fact falls into a touched bucket of its project; reads the CTE `touched` of the model. -#}
{% macro in_touched_bucket(time_window) -%}
(project_no, skill_no, {{ bucket_start(time_window, 'invoked_on') }}) in (
            select (touched.project_no, touched.skill_no, touched.bucket_start)
            from touched
            where touched.time_window = '{{ time_window }}'
        )
{%- endmacro %}
