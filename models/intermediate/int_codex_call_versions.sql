{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='thread_key',
    on_schema_change='fail'
) }}
{#- Every total that a thread of Codex told, and why it is no step of its own. The naive figures of
    a row are its totals; the kept ones what the total grew by. A thread that gained a line is
    walked anew, and so are its children and the threads that hold copies of its events. #}
{%- set since = built_load_seq('key_load_seq') %}
{%- set counters = codex_counters() %}
with {{ codex_family(since) }},

-- Each line knows the turn, the model and the folder that were stated last before it.
carried as (
    {{ codex_carried({
        'turn_model': "case when line_kind = 'turn_context' then model end",
        'provider': 'model_provider',
    }) }}
),

told as (
    select
        *,
        row_number() over (
            partition by file_id, generation, content_hash order by line_no, ordinal
        ) as occurrence
    from carried
    where line_kind = 'token_count'
),

ranked as (
    {{ codex_copies('told') }}
),

before as (
    select
        *,
        {%- for counter in counters %}
        last_value({{ counter }}_tokens ignore nulls) over (
            partition by thread_key order by {{ codex_walk() }}
            rows between unbounded preceding and 1 preceding
        ) as before_{{ counter }}_tokens,
        {%- endfor %}
        row_number() over (partition by thread_key order by {{ codex_walk() }}) as place
    from ranked
    where copy_rank = 1
),

compared as (
    select
        *,
        place > 1
        {%- for counter in counters %}
        and coalesce({{ counter }}_tokens, before_{{ counter }}_tokens, 0)
        = coalesce(before_{{ counter }}_tokens, 0)
        {%- endfor %} as is_repeated,
        {% for counter in counters -%}
        coalesce({{ counter }}_tokens < before_{{ counter }}_tokens, false)
        {%- if not loop.last %}
        or {% endif %}
        {%- endfor %} as has_fallen
    from before
),

walked as (
    select
        *,
        sum(case when is_repeated then 0 else 1 end) over (
            partition by thread_key order by place
        ) as total_ordinal
    from compared
),

totals as (
    select * from walked
    where not is_repeated
),

owners as (
    {{ codex_event_owners('totals') }}
),

related as (
    select
        totals.*,
        threads.parent_thread_text,
        threads.is_fork as thread_is_fork,
        parents.thread_key is not null as has_parent,
        case
            when parents.thread_key is null then false
            when totals.current_turn_id is not null then parent_turns.turn_id is not null
            else parent_totals.thread_key is not null
        end as is_of_parent,
        {{ codex_is_copied('totals') }} as is_copied
    from totals
    inner join threads on totals.thread_key = threads.thread_key
    left join threads as parents
        on threads.parent_thread_text = cast(parents.thread_key as varchar)
    left join turns as parent_turns
        on parents.thread_key = parent_turns.thread_key
            and totals.current_turn_id = parent_turns.turn_id
    left join totals as parent_totals
        on parents.thread_key = parent_totals.thread_key
            and totals.total_ordinal = parent_totals.total_ordinal
            {%- for counter in counters %}
            and coalesce(totals.{{ counter }}_tokens, 0)
            = coalesce(parent_totals.{{ counter }}_tokens, 0)
            {%- endfor %}
    left join owners on totals.event_key = owners.event_key and owners.owner_rank = 1
),

judged_totals as (
    select
        *,
        -- What a child repeats stands at its beginning; of a fork whose parent nobody has, the
        -- first total is all that is known of what was copied.
        bool_and(is_of_parent) over (
            partition by thread_key order by place
            rows between unbounded preceding and current row
        )
        or is_copied
        or (thread_is_fork and not has_parent and total_ordinal = 1) as is_replayed,
        thread_is_fork and not has_parent as is_base_assumed
    from related
),

verdicts as (
    select
        ranked.thread_key,
        ranked.file_id,
        ranked.line_no,
        ranked.ordinal,
        ranked.load_seq,
        walked.total_ordinal,
        judged_totals.is_base_assumed,
        judged_totals.has_fallen,
        case
            when ranked.copy_rank > 1 then 'snapshot_copy'
            when walked.is_repeated then 're_emitted_total'
            when judged_totals.is_replayed then 'fork_replay'
        end as drop_reason
        {%- for counter in counters %},
        case
            when walked.place = 1 or walked.has_fallen then coalesce(walked.{{ counter }}_tokens, 0)
            else coalesce(
                walked.{{ counter }}_tokens - coalesce(walked.before_{{ counter }}_tokens, 0), 0
            )
        end as step_{{ counter }}_tokens
        {%- endfor %}
    from ranked
    inner join walked
        on ranked.thread_key = walked.thread_key
            and ranked.content_hash = walked.content_hash
            and ranked.occurrence = walked.occurrence
    left join judged_totals
        on ranked.copy_rank = 1
            and walked.thread_key = judged_totals.thread_key
            and walked.place = judged_totals.place
),

newest as (
    select
        threads.thread_key,
        threads.is_subagent as thread_is_subagent,
        {{ codex_verdict_load_seq() }} as key_load_seq
    from threads
    left join threads as parents
        on threads.parent_thread_text = cast(parents.thread_key as varchar)
    left join shared_loads on threads.thread_key = shared_loads.thread_key
)

select
    ---------- ids
    {{ key_128(['cast(ranked.thread_key as varchar)', 'cast(verdicts.total_ordinal as varchar)']) }}
        as llm_call_key,
    {{ key_128(['cast(ranked.thread_key as varchar)', 'cast(verdicts.total_ordinal as varchar)']) }}
        as message_key,
    ranked.thread_key,
    ranked.record_key,
    ranked.content_hash,
    ranked.source_id,
    ranked.source_project_id,
    cast(null as varchar) as request_id,
    ranked.thread_id as session_id,
    case when newest.thread_is_subagent then ranked.thread_id end as agent_id,
    ---------- text
    'codex' as source_kind,
    ranked.provider,
    -- The total itself may say which model it is of, and is closer to it than the turn.
    coalesce(ranked.model, ranked.turn_model, 'unknown') as model,
    cast(null as varchar) as stop_reason,
    cast(null as varchar) as service_tier,
    cast(null as varchar) as attribution_skill,
    cast('inclusive' as varchar) as input_basis,
    verdicts.drop_reason,
    nullif(concat_ws(
        ',',
        case when not ranked.is_named then 'thread_from_file_name' end,
        case when verdicts.is_base_assumed then 'base_assumed' end,
        case when verdicts.has_fallen then 'counter_reset' end,
        case
            when verdicts.drop_reason is null and ranked.last_tokens <> verdicts.step_total_tokens
                then 'last_usage_differs'
        end,
        case
            when ranked.total_tokens = ranked.total_input_tokens + ranked.total_output_tokens
                then null
            when ranked.total_tokens = ranked.total_input_tokens + ranked.total_output_tokens
                + ranked.total_reasoning_tokens
                then 'total_holds_reasoning'
            else 'total_differs'
        end
    ), '') as step_flags,
    ---------- numerics
    ranked.current_workdir_id as workdir_id,
    ranked.file_id,
    ranked.line_no,
    ranked.ordinal,
    ranked.load_seq,
    newest.key_load_seq,
    verdicts.total_ordinal,
    ranked.total_tokens,
    greatest(ranked.total_input_tokens - coalesce(ranked.total_cached_tokens, 0), 0)
        as input_fresh_tokens,
    cast(0 as bigint) as cache_write_tokens,
    ranked.total_cached_tokens as cache_read_tokens,
    ranked.total_output_tokens as output_tokens,
    cast(null as bigint) as web_search_requests,
    case when verdicts.drop_reason is null then verdicts.step_total_reasoning_tokens end
        as reasoning_tokens,
    cast(null as double) as duration_ms,
    cast(null as double) as recorded_cost_usd,
    case
        when verdicts.drop_reason is null then greatest(
            verdicts.step_total_input_tokens - verdicts.step_total_cached_tokens, 0
        )
        else 0
    end as kept_input_fresh_tokens,
    cast(0 as bigint) as kept_cache_write_tokens,
    case when verdicts.drop_reason is null then verdicts.step_total_cached_tokens else 0 end
        as kept_cache_read_tokens,
    case when verdicts.drop_reason is null then verdicts.step_total_output_tokens else 0 end
        as kept_output_tokens,
    cast(null as bigint) as kept_stated_cache_write_5m_tokens,
    cast(null as bigint) as kept_stated_cache_write_1h_tokens,
    cast(null as bigint) as kept_web_search_requests,
    ---------- booleans
    verdicts.drop_reason is null as is_kept,
    verdicts.drop_reason is null as is_owner,
    false as is_synthetic,
    newest.thread_is_subagent as is_sidechain,
    ranked.ts_suspicious,
    ---------- timestamps
    ranked.occurred_at
from ranked
inner join verdicts
    on ranked.file_id = verdicts.file_id
        and ranked.line_no = verdicts.line_no
        and ranked.ordinal = verdicts.ordinal
        and ranked.load_seq = verdicts.load_seq
inner join newest on ranked.thread_key = newest.thread_key
where ranked.thread_key in (select judged.thread_key from judged)
