{#- naive - dropped = kept, and the facts are the kept rows: nothing is lost between the two. -#}
{{ config(meta={'dagster': {'ref': {'name': 'int_skill_invocation_versions'}}}) }}
select
    versions.n_versions,
    versions.n_kept,
    facts.n_facts
from (
    select
        count(*) as n_versions,
        count(*) filter (where is_kept) as n_kept,
        count(*) filter (where drop_reason is not null) as n_dropped
    from {{ ref('int_skill_invocation_versions') }}
) as versions
cross join (
    select count(*) as n_facts from {{ ref('fct_skill_invocations') }}
) as facts
where versions.n_versions - versions.n_dropped <> facts.n_facts
    or versions.n_kept <> facts.n_facts
