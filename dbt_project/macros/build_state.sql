{#- Up to where a model was built. A watermark is rendered as a literal, so that it reaches the scan. -#}

{#- Highest load_seq that the model's own rows hold; -1 when it is built from scratch. -#}
{% macro built_load_seq(column) %}
    {%- if execute and is_incremental() -%}
        {{ return(run_query('select coalesce(max(' ~ column ~ '), -1) from ' ~ this).columns[0].values()[0] | int) }}
    {%- endif -%}
    {{ return(-1) }}
{% endmacro %}

{#- One row per model that depends on more than rows. Written in the transaction of the model. -#}
{% macro create_build_state() %}
create schema if not exists state;
create table if not exists state.model_builds (
    model_name varchar not null,
    load_seq bigint not null,
    projects_fingerprint varchar not null
);
-- Later than the table: what depends on the instant of a run as well, or on prices.
alter table state.model_builds add column if not exists as_of timestamptz;
alter table state.model_builds add column if not exists prices_fingerprint varchar
{% endmacro %}

{#- Load_seq up to which an incremental aggregate may trust its other rows; none = rebuild every bucket:
    a first build, or a project was registered, renamed or unregistered since the last one. A model that
    reads prices trusts nothing, either, once they changed. -#}
{% macro trusted_load_seq(reads_prices=false) %}
    {%- if execute and is_incremental() -%}
        {%- set found = run_query(
            "select built.load_seq from state.model_builds as built"
            ~ " where built.model_name = '" ~ this.identifier ~ "' and built.projects_fingerprint = "
            ~ projects_fingerprint()
            ~ (' and built.prices_fingerprint = ' ~ prices_fingerprint() if reads_prices else '')
        ) -%}
        {%- if found.rows | length == 1 -%}
            {{ return(found.columns[0].values()[0] | int) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}

{% macro projects_fingerprint() -%}
coalesce((select max(context.projects_fingerprint) from {{ ref('stg_ledger__load_context') }} as context), '')
{%- endmacro %}

{% macro prices_fingerprint() -%}
coalesce((select max(context.prices_fingerprint) from {{ ref('stg_ledger__load_context') }} as context), '')
{%- endmacro %}

{% macro forget_build() -%}
delete from state.model_builds where model_name = '{{ this.identifier }}'
{%- endmacro %}

{#- `reads_clock`: the model depends on the instant of the run as well. One that does not may not name it,
    or it would be built in every run. -#}
{% macro remember_build(upstream, column, reads_clock=false) -%}
insert into state.model_builds (
    model_name, load_seq, projects_fingerprint, as_of, prices_fingerprint
)
select
    '{{ this.identifier }}',
    (select coalesce(max(upstream.{{ column }}), -1) from {{ upstream }} as upstream),
    {{ projects_fingerprint() }},
    {% if reads_clock -%}
    (select max(context.as_of) from {{ ref('stg_ledger__run_context') }} as context)
    {%- else -%} null {%- endif %},
    {{ prices_fingerprint() }}
{%- endmacro %}

{#- Configuration of a model that makes all rows of a key anew when one of them may have changed, and
    that remembers what it was built from. -#}
{% macro made_anew_by(unique_key) %}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=unique_key,
    on_schema_change='fail',
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{% endmacro %}
