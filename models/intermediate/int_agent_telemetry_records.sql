{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_telemetry_sessions() }}"
) }}
{#- Each kept record in its place: position in the session, and the turn that it belongs to.
    There is no turn id: a call belongs to the first summary of its session at or after it, and what
    follows the last summary is an open turn. A session that gained a record is placed anew. #}
{%- set since = built_load_seq('key_load_seq') %}
with kept as (
    select
        *,
        session_key is null or (occurred_at is not null and not ts_suspicious) as is_placed,
        case
            when record_type = 'turn_summary' and duration_ms is not null then
                {{ epoch_micros('occurred_at') }} - cast(round(duration_ms * 1000) as bigint)
            else {{ epoch_micros('occurred_at') }}
        end as began_micros
    from {{ ref('int_agent_telemetry_versions') }}
    where is_kept
    {%- if since >= 0 %}
        and turn_unit in ({{ touched_telemetry_sessions(since) }})
    {%- endif %}
),

ordered as (
    select
        *,
        row_number() over (partition by turn_unit order by {{ telemetry_order() }}) as seq,
        coalesce(
            sum(case when is_placed and record_type = 'turn_summary' then 1 else 0 end) over (
                partition by turn_unit
                order by {{ telemetry_order() }}
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as summaries_before
    from kept
),

-- What has no time that can be believed has a negative number of its own: a turn by itself.
numbered as (
    select
        *,
        cast(case when is_placed then summaries_before + 1 else -seq end as bigint) as turn_no
    from ordered
),

placed as (
    select
        *,
        row_number() over (partition by turn_unit, turn_no order by seq) as seq_in_turn,
        min(began_micros) over (partition by turn_unit, turn_no) as turn_began_micros,
        max(case when record_type = 'turn_summary' then telemetry_key end) over (
            partition by turn_unit, turn_no
        ) as summary_key,
        max(case when record_type = 'turn_summary' then began_micros end) over (
            partition by turn_unit, turn_no
        ) as summary_began_micros
    from numbered
)

select
    telemetry_key,
    turn_unit,
    coalesce(
        summary_key,
        {{ key_128(["'open'", 'cast(turn_unit as varchar)', 'cast(turn_no as varchar)']) }}
    ) as turn_key,
    project_id,
    session_id,
    session_key,
    event_id,
    record_type,
    model,
    stop_reason_raw,
    stop_reason_base,
    stop_detail,
    turn_intent,
    chat_mode,
    tool_names,
    file_id,
    line_no,
    key_load_seq,
    seq,
    case when turn_no > 0 then turn_no end as turn_seq,
    seq_in_turn,
    cast(
        ({{ epoch_micros('occurred_at') }} - turn_began_micros) / 1000.0 as double
    ) as offset_ms,
    rounds,
    coalesce(
        stated_tool_call_count, case when tool_names is not null then named_tool_count end
    ) as tool_call_count,
    tool_result_count,
    prompt_tokens,
    completion_tokens,
    total_tokens,
    total_computed,
    coalesce(total_computed, total_tokens) as tokens,
    duration_ms,
    user_message_length,
    system_prompt_length,
    history_messages,
    history_length,
    response_length,
    thoughts_length,
    totals_disagree,
    coalesce(
        record_type = 'llm_call' and {{ epoch_micros('occurred_at') }} < summary_began_micros,
        false
    ) as is_outside_span,
    summary_key is null as is_open,
    ts_suspicious,
    occurred_at,
    {{ instant_from_micros('turn_began_micros') }} as turn_started_at
from placed
