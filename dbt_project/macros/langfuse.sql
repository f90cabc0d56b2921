{#- Observations of Langfuse: which traces are judged anew, and which version of one counts
    (formats.md 9). -#}

{#- Rows of an export, with `…_instant` for each of these `…_at`. Times without a zone are UTC: that
    is the contract of the export. -#}
{% macro langfuse_rows(relation, times) -%}
select
        *,
        {%- for name in times %}
        {{ stated_instant('trim(' ~ name ~ '_at)', "'UTC'") }} as {{ name }}_instant{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}

{#- All versions of the observations of the traces that gained one after `since`, or were told more
    of, with what decides between them: the producer's own stamp, then the larger figures, then the
    content. The session is that of the observation, else that of its trace, else the trace itself. -#}
{% macro langfuse_versions(since) -%}
select
    versions.*,
    coalesce(versions.stated_session_id, traces.session_id, versions.trace_id) as session_id,
    {{ langfuse_ranks('observation_key', langfuse_newest()) }},
    greatest(
        max(versions.load_seq) over (partition by versions.trace_key),
        coalesce(traces.trace_load_seq, 0)
    ) as key_load_seq
from {{ ref('stg_langfuse__observations') }} as versions
left join ({{ langfuse_trace_sessions() }}) as traces
    on versions.trace_key = traces.trace_key
where versions.trace_key in (
    select arrived.trace_key
    from {{ ref('stg_langfuse__observations') }} as arrived
    where arrived.load_seq > {{ since }}
    union
    select told.trace_key
    from {{ ref('stg_langfuse__traces') }} as told
    where told.load_seq > {{ since }}
)
{%- endmacro %}

{#- One row per trace that tells of itself: its session, of the newest version that names one. -#}
{% macro langfuse_trace_sessions() -%}
    select
        ranked.trace_key,
        ranked.session_id,
        ranked.trace_load_seq
    from (
        select
            told.trace_key,
            told.session_id,
            max(told.load_seq) over (partition by told.trace_key) as trace_load_seq,
            row_number() over (
                partition by told.trace_key
                order by
                    case when told.session_id is null then 1 else 0 end,
                    told.updated_at desc nulls last,
                    told.content_hash, told.file_id, told.line_no, told.ordinal, told.load_seq
            ) as trace_rank
        from {{ ref('stg_langfuse__traces') }} as told
    ) as ranked
    where ranked.trace_rank = 1
{%- endmacro %}

{#- One row per trace that tells of itself: its name, of the newest version that has one. -#}
{% macro langfuse_trace_names() -%}
    select
        ranked.trace_key,
        ranked.trace_name
    from (
        select
            told.trace_key,
            told.trace_name,
            row_number() over (
                partition by told.trace_key
                order by
                    told.updated_at desc nulls last,
                    told.content_hash, told.file_id, told.line_no, told.ordinal, told.load_seq
            ) as trace_rank
        from {{ ref('stg_langfuse__traces') }} as told
        where told.trace_name <> 'unknown'
            and told.trace_key in (select versions.trace_key from versions)
    ) as ranked
    where ranked.trace_rank = 1
{%- endmacro %}

{#- Place of a version among those of its key, and among those with the same content. -#}
{% macro langfuse_ranks(key, newest) -%}
row_number() over (partition by versions.{{ key }} order by {{ newest }}) as version_rank,
    row_number() over (partition by versions.{{ key }}, versions.content_hash order by {{ newest }})
        as copy_rank
{%- endmacro %}

{% macro langfuse_newest() -%}
versions.updated_at desc nulls last,
versions.output_tokens desc nulls last,
versions.input_tokens desc nulls last,
{{ langfuse_place() }}
{%- endmacro %}

{#- Which version of a score counts: the producer's own stamp, then the later judgement, then the
    content. -#}
{% macro langfuse_newest_score() -%}
versions.updated_at desc nulls last,
versions.scored_at desc nulls last,
{{ langfuse_place() }}
{%- endmacro %}

{#- What tells versions apart that know the same of themselves. -#}
{% macro langfuse_place() -%}
versions.content_hash, versions.source_id, versions.file_id, versions.line_no, versions.ordinal
{%- endmacro %}
