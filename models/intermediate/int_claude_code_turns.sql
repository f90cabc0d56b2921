{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_transcript_sessions() }}"
) }}
{#- A turn of a transcript lasts from a real prompt to the last answer before the next one. Calls of
    subagents count in the turn that they fall into. What precedes the first prompt, or has no time
    that can be believed, makes up turns without a prompt, so that all calls stay in some turn. A
    session that gained a line is made anew. #}
{%- set since = built_load_seq('load_seq') %}
{%- set touched = '' %}
{%- if since >= 0 %}
{%- set touched = ' and session_id in (' ~ touched_transcript_sessions(since) ~ ')' %}
{%- endif %}
with responses as (
    select
        llm_call_key,
        max(case when is_owner then session_id end) as session_id,
        max(case when is_owner then source_project_id end) as source_project_id,
        max(case when is_owner then workdir_id end) as workdir_id,
        max(case when is_owner then occurred_at end) as occurred_at,
        max(case when not ts_suspicious then occurred_at end) as last_line_at,
        coalesce(bool_or(is_owner and ts_suspicious), false) as ts_suspicious,
        coalesce(bool_or(is_owner and is_sidechain), false) as is_sidechain,
        coalesce(bool_or(is_synthetic), false) as is_synthetic,
        max(case when is_kept then model end) as model,
        max(case when is_kept then stop_reason end) as stop_reason,
        sum(kept_input_fresh_tokens + coalesce(kept_cache_write_tokens, 0)
            + coalesce(kept_cache_read_tokens, 0)) as input_tokens,
        sum(kept_output_tokens) as output_tokens,
        max(key_load_seq) as load_seq
    from {{ ref('int_claude_code_call_versions') }}
    {%- if since >= 0 %}
    where message_key in (
        select owners.message_key
        from {{ ref('int_claude_code_call_versions') }} as owners
        where owners.is_owner{{ touched }}
    )
    {%- endif %}
    group by llm_call_key
),

-- Subagents aside, the order at one instant: a prompt, its answers, how it ended.
happened as (
    select
        session_id,
        source_project_id,
        workdir_id,
        case mark when 'prompt' then 0 when 'interruption' then 3 else 4 end as place,
        record_key as event_key,
        occurred_at,
        occurred_at as last_line_at,
        ts_suspicious,
        prompt_kind,
        duration_ms as stated_duration_ms,
        cast(null as varchar) as model,
        cast(null as varchar) as stop_reason,
        cast(null as bigint) as input_tokens,
        cast(null as bigint) as output_tokens,
        false as is_sidechain,
        key_load_seq as load_seq
    from {{ ref('int_claude_code_turn_lines') }}
    where is_kept and session_id is not null{{ touched }}
    union all
    select
        session_id,
        source_project_id,
        workdir_id,
        1 as place,
        llm_call_key as event_key,
        occurred_at,
        last_line_at,
        ts_suspicious,
        cast(null as varchar) as prompt_kind,
        cast(null as double) as stated_duration_ms,
        case when not is_synthetic then model end as model,
        stop_reason,
        cast(input_tokens as bigint) as input_tokens,
        cast(output_tokens as bigint) as output_tokens,
        is_sidechain,
        load_seq
    from responses
    where session_id is not null{{ touched }}
    union all
    select
        session_id,
        source_project_id,
        workdir_id,
        2 as place,
        tool_call_key as event_key,
        occurred_at,
        occurred_at as last_line_at,
        ts_suspicious,
        cast(null as varchar) as prompt_kind,
        cast(null as double) as stated_duration_ms,
        cast(null as varchar) as model,
        cast(null as varchar) as stop_reason,
        cast(null as bigint) as input_tokens,
        cast(null as bigint) as output_tokens,
        is_sidechain,
        key_load_seq as load_seq
    from {{ ref('int_claude_code_tool_versions') }}
    where is_call and is_kept and session_id is not null{{ touched }}
),

numbered as (
    select
        *,
        case
            when occurred_at is null or ts_suspicious then -1
            else sum(
                case
                    when place = 0 and occurred_at is not null and not ts_suspicious then 1
                    else 0
                end
            ) over (
                partition by session_id
                order by occurred_at nulls last, place, event_key
                rows between unbounded preceding and current row
            )
        end as prompt_no
    from happened
),

ended as (
    select
        *,
        row_number() over (
            partition by session_id, prompt_no
            order by
                case when place = 1 and not is_sidechain then 0 else 1 end,
                occurred_at desc,
                event_key
        ) as rank_from_end
    from numbered
),

turns as (
    select
        session_id,
        prompt_no,
        min(case when place = 0 then cast(event_key as varchar) end) as prompt_key,
        min(case when place = 0 then prompt_kind end) as prompt_kind,
        coalesce(
            min(case when place = 0 then source_project_id end), min(source_project_id)
        ) as source_project_id,
        coalesce(min(case when place = 0 then workdir_id end), min(workdir_id)) as workdir_id,
        min(occurred_at) as started_at,
        max(last_line_at) as ended_at,
        max(case when place in (1, 2) then last_line_at end) as last_answer_at,
        max(stated_duration_ms) as stated_duration_ms,
        max(case when rank_from_end = 1 and place = 1 and not is_sidechain then model end) as model,
        max(case when rank_from_end = 1 and place = 1 and not is_sidechain then stop_reason end)
            as stop_reason,
        count(case when place = 1 then 1 end) as llm_calls,
        count(case when place = 1 and not is_sidechain then 1 end) as rounds,
        count(case when place = 2 then 1 end) as tool_call_count,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        bool_or(place = 3) as is_interrupted,
        max(load_seq) as load_seq
    from ended
    group by session_id, prompt_no
)

-- A command that the tool answers by itself, such as one that ends the session, is no turn; nor is
-- an interruption or a note of time of which nothing else is known.
select
    session_id,
    prompt_no,
    row_number() over (
        partition by session_id order by case when prompt_no < 0 then 1 else 0 end, prompt_no
    ) as turn_seq,
    prompt_key,
    source_project_id,
    workdir_id,
    model,
    stop_reason,
    llm_calls,
    rounds,
    tool_call_count,
    input_tokens,
    output_tokens,
    stated_duration_ms,
    prompt_key is not null as has_prompt,
    is_interrupted,
    prompt_no < 0 as ts_suspicious,
    started_at,
    ended_at,
    last_answer_at,
    load_seq
from turns
where llm_calls + tool_call_count > 0 or (prompt_key is not null and prompt_kind <> 'command')
