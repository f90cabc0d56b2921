{{ config(materialized='view') }}
{#- Every event of Claude Code's log that a subagent ended, as a task. It knows a total of tokens
    and no tiers, and so no cost. Where requests and results of tools name the subagent, it costs what
    they add up to: by its id, or by its name if no other of that name ended in the session. A
    session's transcript tells of its subagents better. #}
with {{ transcript_tellers() }},

events as (
    select * from {{ ref('int_otlp_log_events') }}
    where event_name = 'subagent_completed'
),

ended as (
    select
        *,
        count(*) over (partition by session_id, agent_id) as ended_of_id,
        count(*) over (partition by session_id, agent_name) as ended_of_name
    from events
    where is_kept and session_id is not null
),

acted as (
    select * from {{ ref('int_otlp_log_events') }}
    where is_kept
        and event_name in ('api_request', 'tool_result')
        and (agent_id is not null or agent_name is not null)
        and session_id in (select ended.session_id from ended)
),

by_id as (
    select
        acted.event_key as item_key,
        ended.event_key as agent_key
    from acted
    inner join ended
        on acted.session_id = ended.session_id and acted.agent_id = ended.agent_id
    where ended.ended_of_id = 1
),

-- What an id tells is no other's, whatever its name: else it would be counted twice.
owners as (
    select
        item_key,
        agent_key,
        false as is_by_name
    from by_id
    union all
    select
        acted.event_key as item_key,
        ended.event_key as agent_key,
        true as is_by_name
    from acted
    inner join ended
        on acted.session_id = ended.session_id and acted.agent_name = ended.agent_name
    where ended.ended_of_name = 1
        and (acted.agent_id is null or ended.agent_id is null)
        and acted.event_key not in (select by_id.item_key from by_id)
),

by_name as (
    select
        agent_key,
        bool_or(is_by_name) as is_by_name
    from owners
    group by agent_key
),

-- Whoever ends or acts later may change what belongs to whom.
session_loads as (
    select
        session_id,
        max(key_load_seq) as session_load_seq
    from (
        select
            session_id,
            key_load_seq
        from ended
        union all
        select
            session_id,
            key_load_seq
        from acted
    ) as seen
    group by session_id
),

leaf_calls as (
    select
        event_key as span_key,
        'anthropic' as provider,
        model,
        cast(null as varchar) as service_tier,
        input_fresh_tokens,
        cache_write_tokens,
        cache_read_tokens,
        output_tokens,
        recorded_cost_usd,
        case when not ts_suspicious then occurred_at end as priced_at
    from acted
    where event_name = 'api_request'
),

leaf_tools as (
    select
        event_key as span_key,
        coalesce(tool_name, 'unknown') as tool_name
    from acted
    where event_name = 'tool_result'
),

{{ spent_by_owners() }},

judged as (
    select
        events.*,
        {{ normal_form("coalesce(events.agent_name, 'unknown')") }} as agent_text,
        coalesce(
            events.drop_reason,
            case when transcripts.session_id is not null then 'told_by_transcript' end
        ) as told_reason,
        greatest(
            events.key_load_seq,
            coalesce(transcripts.first_load_seq, events.key_load_seq),
            coalesce(session_loads.session_load_seq, events.key_load_seq)
        ) as told_load_seq,
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
    left join session_loads on events.session_id = session_loads.session_id
)

select
    ---------- ids
    judged.event_key as task_key,
    judged.record_key,
    judged.content_hash,
    judged.source_project_id as project_id,
    judged.source_id,
    judged.session_id,
    case
        when judged.session_id is not null
            then {{ key_128(['judged.source_project_id', 'judged.session_id']) }}
    end as session_key,
    ---------- text
    judged.agent_text as agent_id,
    judged.source_kind,
    cast('subagent' as varchar) as variant,
    cast(null as varchar) as task_type,
    judged.outcome,
    used.patterns,
    cast('anthropic' as varchar) as provider,
    coalesce(spent.model, nullif(judged.model, 'unknown')) as model,
    case when judged.outcome = 'failure' then coalesce(judged.error_type, 'other') end
        as error_class,
    nullif(concat_ws(
        ',',
        case when judged.agent_text = 'unknown' then 'agent_unknown' end,
        case
            when spent.agent_key is null and judged.total_tokens is not null
                then 'subagent_estimated'
        end,
        case when by_name.is_by_name then 'calls_by_name' end,
        case when spent.agent_key is not null and spent.cost_usd is null then 'unpriced' end,
        case when judged.ts_suspicious then 'ts_suspicious' end
    ), '') as flags,
    judged.told_reason as drop_reason,
    ---------- numerics
    judged.file_id,
    judged.line_no,
    judged.ordinal,
    judged.load_seq,
    judged.told_load_seq as key_load_seq,
    cast(spent.cost_usd * 100 as double) as cost_cents,
    judged.duration_ms as latency_ms,
    spent.prompt_tokens,
    spent.completion_tokens,
    spent.cache_read_tokens,
    spent.cache_write_tokens,
    -- What its calls add up to; else what the event says.
    coalesce(spent.prompt_tokens + spent.completion_tokens, judged.total_tokens) as total_tokens,
    ---------- booleans
    judged.agent_text = 'unknown' as is_agent_unknown,
    false as tz_assumed,
    judged.ts_suspicious,
    judged.told_reason is null as is_kept,
    ---------- timestamps
    judged.occurred_at
from judged
left join spent on judged.event_key = spent.agent_key
left join used on judged.event_key = used.agent_key
left join by_name on judged.event_key = by_name.agent_key
