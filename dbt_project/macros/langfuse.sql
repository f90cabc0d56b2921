{#- Observations of Langfuse: which traces are judged anew, and which version of one counts
    (formats.md 9). -#}

{#- All versions of the observations of the traces that gained one after `since`, with what decides
    between them: the producer's own stamp, then the larger figures, then the content. -#}
{% macro langfuse_versions(since) -%}
select
    versions.*,
    row_number() over (partition by versions.observation_key order by {{ langfuse_newest() }})
        as version_rank,
    row_number() over (
        partition by versions.observation_key, versions.content_hash
        order by {{ langfuse_newest() }}
    ) as copy_rank,
    max(versions.load_seq) over (partition by versions.trace_key) as key_load_seq
from {{ ref('stg_langfuse__observations') }} as versions
where versions.trace_key in (
    select arrived.trace_key
    from {{ ref('stg_langfuse__observations') }} as arrived
    where arrived.load_seq > {{ since }}
)
{%- endmacro %}

{% macro langfuse_newest() -%}
updated_at desc nulls last,
output_tokens desc nulls last,
input_tokens desc nulls last,
content_hash,
source_id,
file_id,
line_no,
ordinal
{%- endmacro %}
