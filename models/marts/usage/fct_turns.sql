{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_turns() }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
-- depends_on: {{ ref('int_agent_telemetry_versions') }}
-- depends_on: {{ ref('int_claude_code_turn_lines') }}
-- depends_on: {{ ref('int_claude_code_call_versions') }}
-- depends_on: {{ ref('int_claude_code_tool_versions') }}
{#- One turn of a user with an agent. Where a summary and its calls tell the same tokens, the calls
    count and the summary is compared with them; the two are never added. -#}
{%- set since = trusted_load_seq() %}
with {% if since is not none -%}
touched as (
    {{ touched_turn_units(since) }}
),

{% endif -%}
records as (
    select * from {{ ref('int_agent_telemetry_records') }}
    {%- if since is not none %}
    where turn_unit in (select touched.turn_unit from touched)
    {%- endif %}
),

{%- set call = "filter (where record_type = 'llm_call')" %}
{%- set summary = "filter (where record_type = 'turn_summary')" %}
counted as (
    select
        turn_key,
        turn_unit,
        max(project_id) as project_id,
        max(session_key) as session_key,
        max(session_id) as session_id,
        max(turn_seq) as turn_seq,
        max(is_open) as is_open,
        bool_or(ts_suspicious) as ts_suspicious,
        bool_or(totals_disagree) as totals_disagree,
        count(*) {{ call }} as llm_calls,
        count(*) filter (where is_outside_span) as calls_outside_span,
        count(tokens) {{ call }} as calls_with_tokens,
        cast(sum(prompt_tokens) {{ call }} as bigint) as call_input_tokens,
        cast(sum(completion_tokens) {{ call }} as bigint) as call_output_tokens,
        cast(sum(tokens) {{ call }} as bigint) as call_tokens,
        cast(sum({{ exact_ms('duration_ms') }}) {{ call }} as double) as llm_time_ms,
        cast(sum(tool_call_count) {{ call }} as bigint) as called_tools,
        min(model) {{ call }} as call_model,
        min(chat_mode) filter (where record_type = 'llm_call' and chat_mode <> 'unknown')
            as call_chat_mode,
        {%- for column in [
            'model', 'stop_reason_raw', 'stop_reason_base', 'stop_detail', 'chat_mode',
            'turn_intent', 'rounds', 'tool_call_count', 'prompt_tokens', 'completion_tokens',
            'tokens', 'duration_ms'
        ] %}
        max({{ column }}) {{ summary }} as summary_{{ column }},
        {%- endfor %}
        min(turn_started_at) as started_at,
        max(occurred_at) as ended_at,
        max(key_load_seq) as load_seq
    from records
    where record_type <> 'other'
    group by turn_key, turn_unit
),

told as (
    select
        turn_key,
        turn_unit,
        project_id,
        session_key,
        session_id,
        'agent_telemetry' as source_kind,
        coalesce(summary_model, call_model) as model,
        summary_stop_reason_raw as stop_reason,
        coalesce(summary_stop_reason_base, 'unknown') as stop_reason_base,
        summary_stop_detail as stop_detail,
        coalesce(nullif(summary_chat_mode, 'unknown'), call_chat_mode, 'unknown') as chat_mode,
        coalesce(summary_turn_intent, 'unknown') as turn_intent,
        case
            when calls_with_tokens > 0 then 'llm_call'
            when summary_tokens is not null then 'turn_summary'
        end as token_source,
        case when summary_duration_ms is not null then 'stated' end as duration_source,
        turn_seq,
        summary_rounds as rounds,
        llm_calls,
        coalesce(summary_tool_call_count, called_tools) as tool_call_count,
        calls_outside_span,
        case when calls_with_tokens > 0 then call_input_tokens else summary_prompt_tokens end
            as input_tokens,
        case when calls_with_tokens > 0 then call_output_tokens else summary_completion_tokens end
            as output_tokens,
        coalesce(call_tokens, summary_tokens) as total_tokens,
        call_tokens,
        summary_tokens,
        summary_duration_ms as duration_ms,
        llm_time_ms,
        not is_open as has_summary,
        is_open,
        coalesce(summary_stop_reason_base = 'user_aborted', false) as is_interrupted,
        totals_disagree,
        ts_suspicious,
        started_at,
        ended_at,
        load_seq
    from counted
    union all
    select
        {{ key_128([
            "'claude_code'", "coalesce(turns.prompt_key, '')", 'turns.session_id',
            'cast(turns.prompt_no as varchar)'
        ]) }} as turn_key,
        {{ transcript_turn_unit('turns.session_id') }} as turn_unit,
        coalesce(folders.project_id, turns.source_project_id) as project_id,
        {{ key_128([
            'coalesce(folders.project_id, turns.source_project_id)', 'turns.session_id'
        ]) }} as session_key,
        turns.session_id,
        'claude_code' as source_kind,
        turns.model,
        turns.stop_reason,
        case
            when turns.is_interrupted then 'user_aborted'
            when turns.stop_reason in ('end_turn', 'stop_sequence') then 'completed'
            when turns.stop_reason is null or turns.stop_reason = 'tool_use' then 'unknown'
            else 'other'
        end as stop_reason_base,
        cast(null as varchar) as stop_detail,
        'unknown' as chat_mode,
        'unknown' as turn_intent,
        case when turns.input_tokens + turns.output_tokens > 0 then 'llm_call' end as token_source,
        case
            when turns.stated_duration_ms is not null then 'stated'
            when turns.has_prompt and turns.last_answer_at >= turns.started_at then 'derived'
        end as duration_source,
        turns.turn_seq,
        turns.rounds,
        turns.llm_calls,
        turns.tool_call_count,
        0 as calls_outside_span,
        turns.input_tokens,
        turns.output_tokens,
        turns.input_tokens + turns.output_tokens as total_tokens,
        turns.input_tokens + turns.output_tokens as call_tokens,
        cast(null as bigint) as summary_tokens,
        coalesce(
            turns.stated_duration_ms,
            case
                when turns.has_prompt and turns.last_answer_at >= turns.started_at
                    then {{ milliseconds_between('turns.started_at', 'turns.last_answer_at') }}
            end
        ) as duration_ms,
        cast(null as double) as llm_time_ms,
        false as has_summary,
        false as is_open,
        turns.is_interrupted,
        false as totals_disagree,
        turns.ts_suspicious,
        turns.started_at,
        turns.ended_at,
        greatest(turns.load_seq, coalesce(folders.load_seq, 0)) as load_seq
    from {{ ref('int_claude_code_turns') }} as turns
    left join {{ ref('stg_ledger__working_directories') }} as folders
        on turns.workdir_id = folders.workdir_id
    {%- if since is not none %}
    where {{ transcript_turn_unit('turns.session_id') }} in (select touched.turn_unit from touched)
    {%- endif %}
)

select
    ---------- ids
    turn_key,
    turn_unit,
    project_id,
    session_key,
    session_id,
    ---------- text
    source_kind,
    model,
    stop_reason,
    stop_reason_base,
    stop_detail,
    chat_mode,
    turn_intent,
    token_source,
    duration_source,
    ---------- numerics
    turn_seq,
    rounds,
    llm_calls,
    tool_call_count,
    calls_outside_span,
    input_tokens,
    output_tokens,
    total_tokens,
    call_tokens,
    summary_tokens,
    summary_tokens - call_tokens as token_gap,
    coalesce(summary_tokens, 0) + coalesce(call_tokens, 0) as naive_tokens,
    cast(duration_ms as double) as duration_ms,
    llm_time_ms,
    load_seq,
    ---------- booleans
    has_summary,
    is_open,
    is_interrupted,
    -- A user's own stop is no cut-off and is counted apart; other sources tell no such reasons.
    coalesce(
        has_summary
        and stop_reason_base not in ('completed', 'user_aborted', 'unknown')
        and rounds < {{ var('early_cutoff_rounds') }}
        and tool_call_count > 0,
        false
    ) as is_early_cutoff,
    coalesce(
        has_summary
        and stop_reason_base = 'user_aborted'
        and rounds < {{ var('early_cutoff_rounds') }}
        and tool_call_count > 0,
        false
    ) as is_early_abort,
    has_summary and stop_reason_base <> 'unknown' and rounds is not null as is_cutoff_known,
    totals_disagree,
    ts_suspicious,
    ---------- timestamps
    started_at,
    ended_at,
    {{ utc_day('ended_at') }} as occurred_on
from told
