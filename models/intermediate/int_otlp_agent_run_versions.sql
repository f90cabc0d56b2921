{{ made_anew_by('trace_key') }}
{#- Every copy of a span of an agent, as a task: how it ended, how long it took, and what the model
    calls and tools below it used, as far as no other agent stands between. An interaction of Claude
    Code is a turn of a person, and no task. A trace that gained a span is judged anew, and all are
    when prices changed. #}
{%- set since = trusted_load_seq(reads_prices=true) %}
with recursive traces as (
    select distinct trace_key
    from {{ ref('int_otlp_spans') }}
    where span_role = 'agent' and source_kind = 'otlp'
    {%- if since is not none %}
        and key_load_seq > {{ since }}
    {%- endif %}
),

spans as materialized (
    select * from {{ ref('int_otlp_spans') }}
    where trace_key in (select traces.trace_key from traces)
),

links as materialized (
    select
        span_key,
        parent_span_key,
        span_role = 'agent' as is_agent
    from spans
    where is_kept
),

-- An agent that tells tokens and has no call below it tells them for itself.
leaf_calls as (
    select
        {{ leaf_call_columns('spans', 'span_key') }}
    from spans
    where is_kept and has_tokens and not has_inference_below
        and span_role in ('inference', 'agent')
),

leaf_tools as (
    select
        span_key,
        coalesce(tool_name, 'unknown') as tool_name
    from spans
    where is_kept and span_role = 'tool'
),

{{ used_below_agents() }},

named as (
    select
        *,
        'agent_span' as variant,
        {{ normal_form('coalesce(agent_name, ' ~ name_of_run('span_name') ~ ", 'unknown')") }}
            as agent_text
    from spans
    where span_role = 'agent' and source_kind = 'otlp'
)

{{ agent_run_tasks() }}
