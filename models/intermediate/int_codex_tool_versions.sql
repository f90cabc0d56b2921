{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='thread_key',
    on_schema_change='fail'
) }}
{#- Every call of a tool in a thread of Codex and every result. A thread uses a call id twice where
    the tool was called twice; a child repeats the calls of its parent. #}
{%- set since = built_load_seq('key_load_seq') %}
with {{ codex_family(since) }},

carried as (
    {{ codex_carried() }}
),

told as (
    select
        *,
        coalesce(call_id, cast(record_key as varchar)) as call_text,
        row_number() over (
            partition by file_id, generation, content_hash order by line_no, ordinal
        ) as occurrence
    from carried
    where line_kind in ('tool_call', 'tool_result')
),

ranked as (
    {{ codex_copies('told') }}
),

-- A tool that is called twice with one id is two calls; copies in other files are none.
numbered as (
    select
        ranked.*,
        firsts.call_ordinal
    from ranked
    inner join (
        select
            thread_key,
            content_hash,
            occurrence,
            row_number() over (
                partition by thread_key, call_text, payload_type
                order by walked_at, line_no, ordinal, content_hash, occurrence
            ) as call_ordinal
        from ranked
        where copy_rank = 1
    ) as firsts
        on ranked.thread_key = firsts.thread_key
            and ranked.content_hash = firsts.content_hash
            and ranked.occurrence = firsts.occurrence
),

calls as (
    select distinct
        thread_key,
        call_text,
        payload_type
    from ranked
),

owners as (
    {{ codex_event_owners('told') }}
),

related as (
    select
        numbered.*,
        threads.is_subagent as thread_is_subagent,
        {{ codex_verdict_load_seq() }} as key_load_seq,
        case
            when numbered.current_turn_id is not null then parent_turns.turn_id is not null
            else parent_calls.thread_key is not null
        end
        or ({{ codex_is_copied('numbered') }}) as is_replayed
    from numbered
    inner join threads on numbered.thread_key = threads.thread_key
    left join threads as parents
        on threads.parent_thread_text = cast(parents.thread_key as varchar)
    left join turns as parent_turns
        on parents.thread_key = parent_turns.thread_key
            and numbered.current_turn_id = parent_turns.turn_id
    left join calls as parent_calls
        on parents.thread_key = parent_calls.thread_key
            and numbered.call_text = parent_calls.call_text
            and numbered.payload_type = parent_calls.payload_type
    left join owners on numbered.event_key = owners.event_key and owners.owner_rank = 1
    left join shared_loads on numbered.thread_key = shared_loads.thread_key
),

keyed as (
    select
        *,
        {{ key_128([
            'cast(thread_key as varchar)', 'call_text', 'cast(call_ordinal as varchar)'
        ]) }} as tool_call_key,
        line_kind = 'tool_call' as is_call
    from related
),

-- A command tells its end twice, by an event and by what the model is given: one result.
judged_rows as (
    select
        *,
        row_number() over (
            partition by tool_call_key, is_call
            order by
                case when copy_rank = 1 then 0 else 1 end,
                walked_at, line_no, ordinal, content_hash, occurrence, source_id, file_id, load_seq
        ) as kept_rank,
        bool_or(error_class is not null) over (partition by tool_call_key, is_call) as any_is_error,
        -- The class that says most: an exit code is known of each failure.
        coalesce(
            min(case when error_class in ('user_rejected', 'interrupted') then error_class end)
                over (partition by tool_call_key, is_call),
            min(error_class) over (partition by tool_call_key, is_call)
        ) as any_error_class
    from keyed
),

verdicts as (
    select
        *,
        case
            when copy_rank > 1 then 'snapshot_copy'
            when is_replayed then 'fork_replay'
            when kept_rank > 1 then 'content_block_copy'
        end as drop_reason
    from judged_rows
)

select
    ---------- ids
    tool_call_key,
    cast(null as uuid) as message_key,
    thread_key,
    record_key,
    content_hash,
    source_id,
    source_project_id,
    thread_id as session_id,
    case when thread_is_subagent then thread_id end as agent_id,
    ---------- text
    'codex' as source_kind,
    coalesce(tool_name, 'unknown') as tool_name,
    cast(null as varchar) as skill_name,
    cast(null as varchar) as subagent_type,
    error_class,
    drop_reason,
    case when drop_reason is null then any_error_class end as kept_error_class,
    ---------- numerics
    current_workdir_id as workdir_id,
    file_id,
    line_no,
    ordinal,
    0 as position,
    load_seq,
    key_load_seq,
    ---------- booleans
    is_call,
    drop_reason is null as is_kept,
    error_class is not null as is_error,
    drop_reason is null and any_is_error as kept_is_error,
    thread_is_subagent as is_sidechain,
    ts_suspicious,
    ---------- timestamps
    occurred_at
from verdicts
where thread_key in (select judged.thread_key from judged)
