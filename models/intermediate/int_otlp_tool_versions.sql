{{ config(materialized='view') }}
{#- Every span and log event of a tool, as a call and, where its outcome is known, as a result. A
    span that ended with no status tells no outcome. #}
with {{ session_tellers(['tool_result']) }},

told as (
    select
        spans.span_key as call_key,
        spans.key_load_seq,
        spans.agent_id,
        spans.tool_name,
        spans.skill_name,
        case when spans.outcome = 'failure' then coalesce(spans.error_type, 'other') end
            as error_class,
        spans.outcome <> 'unknown' as has_outcome,
        spans.outcome = 'failure' as has_failed,
        spans.is_sidechain,
        spans.drop_reason as own_drop_reason,
        true as is_span,
        coalesce(spans.ended_at, spans.occurred_at) as completed_at,
        {{ otlp_shared_columns('spans') }}
    from {{ ref('int_otlp_spans') }} as spans
    where spans.span_role = 'tool'
    union all
    select
        events.event_key as call_key,
        events.key_load_seq,
        events.agent_id,
        events.tool_name,
        events.skill_name,
        case
            when events.is_success then null
            when events.decision = 'reject' then 'user_rejected'
            when not events.is_success then coalesce(events.error_type, 'other')
        end as error_class,
        events.is_success is not null or coalesce(events.decision = 'reject', false) as has_outcome,
        coalesce(not events.is_success or events.decision = 'reject', false) as has_failed,
        coalesce(events.query_source = 'subagent', false) as is_sidechain,
        events.drop_reason as own_drop_reason,
        false as is_span,
        events.occurred_at as completed_at,
        {{ otlp_shared_columns('events') }}
    from log_events as events
),

{{ otlp_judged() }},

halves as (
    select
        judged.*,
        0 as position,
        true as is_call,
        -- An event of the log is written when the tool has ended.
        case
            when is_span or duration_ms is null then occurred_at
            else {{ instant_from_micros(
                'cast(' ~ epoch_micros('occurred_at') ~ ' - duration_ms * 1000 as bigint)'
            ) }}
        end as happened_at
    from judged
    union all
    select
        judged.*,
        1 as position,
        false as is_call,
        completed_at as happened_at
    from judged
    where has_outcome
)

select
    ---------- ids
    call_key as tool_call_key,
    cast(null as uuid) as message_key,
    record_key,
    content_hash,
    source_id,
    source_project_id,
    session_id,
    agent_id,
    ---------- text
    source_kind,
    coalesce(tool_name, 'unknown') as tool_name,
    skill_name,
    cast(null as varchar) as subagent_type,
    case when not is_call and has_failed then error_class end as error_class,
    told_reason as drop_reason,
    case when not is_call and has_failed and told_reason is null then error_class end
        as kept_error_class,
    ---------- numerics
    cast(null as bigint) as workdir_id,
    file_id,
    line_no,
    ordinal,
    position,
    load_seq,
    told_load_seq as key_load_seq,
    ---------- booleans
    is_call,
    told_reason is null as is_kept,
    not is_call and has_failed as is_error,
    not is_call and has_failed and told_reason is null as kept_is_error,
    is_sidechain,
    ts_suspicious,
    ---------- timestamps
    happened_at as occurred_at
from halves
