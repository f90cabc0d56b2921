{#- What several sources tell of counts once: who speaks, and who gives way (ADR 0016). -#}

{#- The reasons of figures that count elsewhere: their own source tells them rightly. -#}
{% macro told_elsewhere() %}
    {{ return(['told_by_transcript', 'told_by_events', 'told_by_spans']) }}
{% endmacro %}

{#- Sessions that some rows of telemetry tell, with the load with which each began to be told. -#}
{% macro otlp_tellers(relation, condition='true') -%}
select
    session_id,
    min(load_seq) as first_load_seq
from {{ relation }}
where session_id is not null and {{ condition }}
group by session_id
{%- endmacro %}

{#- Sessions that a transcript tells, with the load with which each began to be told. A CTE. -#}
{% macro transcript_tellers() -%}
transcripts as (
    select
        session_id,
        first_load_seq
    from {{ ref('int_claude_code_sessions') }}
)
{%- endmacro %}

{#- Who tells of a session before others do: `transcripts`, and `logs`, Claude Code's events of these
    names, which `log_events` holds. CTEs. -#}
{% macro session_tellers(event_names) -%}
{{ transcript_tellers() }},

log_events as (
    select * from {{ ref('int_otlp_log_events') }}
    where event_name in ('{{ event_names | join("', '") }}')
),

logs as (
    {{ otlp_tellers('log_events', 'is_kept') }}
)
{%- endmacro %}

{#- The rows of `told` with their verdict, a CTE beside those of `session_tellers`. Spans give way to
    log events first, so that what is left to compare with a transcript is one telling. -#}
{% macro otlp_judged() -%}
judged as (
    select
        told.*,
        {{ verdict_beside('told', ['logs', 'transcripts'], own_reason='own_drop_reason') }}
    from told
    left join transcripts
        on told.source_kind = 'claude_code_otel' and told.session_id = transcripts.session_id
    left join logs
        on told.source_kind = 'claude_code_otel' and told.is_span
            and told.session_id = logs.session_id
)
{%- endmacro %}

{#- Why a row does not count beside other tellers, and the load with which that was known: who
    arrives later takes back what was counted. `tellers` are CTEs that `rows` are joined to, the one
    that speaks first before the others; `own_reason` and `load` are what the row says by itself. -#}
{% macro verdict_beside(rows, tellers, own_reason='drop_reason', load='key_load_seq') -%}
{%- set known = {
    'transcripts': ('session_id', 'told_by_transcript'),
    'logs': ('session_id', 'told_by_events'),
    'spans': ('trace_key', 'told_by_spans'),
} -%}
case
            when {{ rows }}.{{ own_reason }} is not null then {{ rows }}.{{ own_reason }}
            {%- for teller in tellers %}
            when {{ teller }}.{{ known[teller][0] }} is not null then '{{ known[teller][1] }}'
            {%- endfor %}
        end as told_reason,
        greatest(
            {{ rows }}.{{ load }},
            {%- for teller in tellers %}
            coalesce({{ teller }}.first_load_seq, {{ rows }}.{{ load }}){{ ',' if not loop.last }}
            {%- endfor %}
        ) as told_load_seq
{%- endmacro %}

{#- Who may tell the same: sessions of transcripts, of Claude Code's events named `event_name`, and
    traces with spans that `is_teller` describes. CTEs of a model that joins them to `versions`. -#}
{% macro langfuse_other_tellers(event_name, is_teller) -%}
{{ session_tellers([event_name]) }},

spans as (
    select
        trace_key,
        min(load_seq) as first_load_seq
    from {{ ref('int_otlp_spans') }}
    where is_kept and {{ is_teller }}
    group by trace_key
)
{%- endmacro %}

{#- The body of a view: the rows of a model of Langfuse, judged once more beside the other tellers.
    `kept`: columns that count nothing when a row gives way, and what they are then. -#}
{% macro langfuse_verdicts(versions, columns, event_name, is_teller, kept={}) -%}
with {{ langfuse_other_tellers(event_name, is_teller) }},

judged as (
    select
        versions.*,
        {{ verdict_beside('versions', ['transcripts', 'logs', 'spans']) }}
    from {{ versions }} as versions
    {{ join_langfuse_other_tellers() }}
)

select
    {%- for column in columns %}
    {%- if column == 'drop_reason' %}
    told_reason as drop_reason
    {%- elif column == 'key_load_seq' %}
    told_load_seq as key_load_seq
    {%- elif column == 'is_kept' %}
    told_reason is null as is_kept
    {%- elif column in kept %}
    case when told_reason is null then {{ column }} else {{ kept[column] }} end as {{ column }}
    {%- else %}
    {{ column }}
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
from judged
{%- endmacro %}

{% macro join_langfuse_other_tellers() -%}
left join transcripts on versions.session_id = transcripts.session_id
    left join logs on versions.session_id = logs.session_id
    left join spans on versions.otlp_trace_key = spans.trace_key
{%- endmacro %}
