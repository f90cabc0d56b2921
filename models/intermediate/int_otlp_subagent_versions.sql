{{ config(materialized='view') }}
{#- Every event of Claude Code's log that a subagent ended, as a task. It knows a total of tokens
    and no tiers, and so no cost. A session's transcript tells of its subagents better. #}
with {{ transcript_tellers() }},

events as (
    select * from {{ ref('int_otlp_log_events') }}
    where event_name = 'subagent_completed'
),

judged as (
    select
        events.*,
        {{ normal_form("coalesce(events.agent_name, 'unknown')") }} as agent_text,
        {{ verdict_beside('events', ['transcripts']) }},
        case
            when events.is_success then 'success'
            when not events.is_success then 'failure'
            when events.stated_status in ('completed', 'success') then 'success'
            when events.stated_status in ('failed', 'error') then 'failure'
            -- It ended; whether well, the event does not say.
            else 'unknown'
        end as outcome
    from events
    left join transcripts on events.session_id = transcripts.session_id
)

select
    ---------- ids
    event_key as task_key,
    record_key,
    content_hash,
    source_project_id as project_id,
    source_id,
    session_id,
    case when session_id is not null then {{ key_128(['source_project_id', 'session_id']) }} end
        as session_key,
    ---------- text
    agent_text as agent_id,
    source_kind,
    cast('subagent' as varchar) as variant,
    cast(null as varchar) as task_type,
    outcome,
    cast(null as varchar) as patterns,
    cast('anthropic' as varchar) as provider,
    nullif(model, 'unknown') as model,
    case when outcome = 'failure' then coalesce(error_type, 'other') end as error_class,
    nullif(concat_ws(
        ',',
        case when agent_text = 'unknown' then 'agent_unknown' end,
        case when total_tokens is not null then 'subagent_estimated' end,
        case when ts_suspicious then 'ts_suspicious' end
    ), '') as flags,
    told_reason as drop_reason,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    told_load_seq as key_load_seq,
    cast(null as double) as cost_cents,
    duration_ms as latency_ms,
    cast(null as bigint) as prompt_tokens,
    cast(null as bigint) as completion_tokens,
    cast(null as bigint) as cache_read_tokens,
    cast(null as bigint) as cache_write_tokens,
    total_tokens,
    ---------- booleans
    agent_text = 'unknown' as is_agent_unknown,
    false as tz_assumed,
    ts_suspicious,
    told_reason is null as is_kept,
    ---------- timestamps
    occurred_at
from judged
