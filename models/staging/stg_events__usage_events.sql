{#- One row per row of raw.usage_events: rename, cast, and take back what a writer puts down when it
    does not know. Versions and copies are all here; which of them counts is decided in
    intermediate. -#}
with events as (
    select
        *,
        {{ known_id('session_id') }} as known_session_id,
        {{ known_id('task_run_id') }} as known_run_id,
        nullif({{ normal_form('agent_id') }}, '') as named_agent,
        lower(trim(task_type)) as folded_task_type,
        {{ boolean_text('success') }} as is_success,
        -- A dollar figure times 100 must not end in ...0001.
        coalesce(
            try_cast(cost_cents as double), round(try_cast(cost_usd as double) * 100, 9)
        ) as written_cents,
        try_cast(latency_ms as double) as written_latency_ms,
        {{ tidy_name_counts('patterns') }} as counted_patterns,
        {%- for kind in ['prompt', 'completion', 'cache_read', 'cache_write', 'total'] %}
        {{ token_count(kind ~ '_tokens') }} as {{ kind }}_count{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source('raw', 'usage_events') }}
),

{{ event_time_ctes('events') }},

-- Writers whose columns default to 0: a row of nothing but zeros says that nobody measured.
defaulted as (
    select
        *,
        variant = 'execution_metrics'
        and coalesce(prompt_count, 0) + coalesce(completion_count, 0)
        + coalesce(total_count, 0) = 0 as is_without_tokens,
        lower(trim(provider)) in {{ quoted_list(var('free_providers')) }} as is_free
    from timed
),

judged as (
    select
        *,
        is_without_tokens
        and coalesce(written_latency_ms, 0) = 0
        and coalesce(written_cents, 0) = 0 as is_unmeasured,
        {{ plausible_cents('written_cents') }} as plausible_cost,
        {{ plausible_ms('written_latency_ms') }} as plausible_latency
    from defaulted
),

read as (
    select
        *,
        case
            when named_agent is not null then named_agent
            -- Not the id of the run itself, which is none of a reader's business.
            when known_run_id is not null and variant = 'execution_metrics'
                then 'run:' || substr(
                    cast({{ key_128(['project_id', 'known_run_id']) }} as varchar), 1, 13
                )
            else '{{ var("unknown_agent_id") }}'
        end as known_agent,
        case
            when is_unmeasured and coalesce(is_success, true) then 'unknown'
            when is_success then 'success'
            when not is_success then 'failure'
            else 'unknown'
        end as known_outcome,
        case
            when
                variant = 'execution_metrics' and plausible_cost = 0
                and (is_without_tokens or not coalesce(is_free, false)) then null
            else plausible_cost
        end as known_cost,
        case
            when variant = 'execution_metrics' and plausible_latency = 0 then null
            else plausible_latency
        end as known_latency,
        coalesce(total_count, prompt_count + completion_count) as stated_total,
        {{ event_ts_suspicious() }} as is_suspicious
    from judged
)

select
    ---------- ids
    {{ key_128(['record_key']) }} as task_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    case
        when known_session_id is not null then {{ key_128(['project_id', 'known_session_id']) }}
    end as session_key,
    ---------- text
    known_agent as agent_id,
    variant,
    case when variant like 'mapped:%' then 'mapped' else 'usage_event' end as source_kind,
    task_type as task_type_raw,
    case
        when coalesce(folded_task_type, '') = '' then null
        when folded_task_type in {{ quoted_list(task_types()) }} then folded_task_type
        else 'other'
    end as task_type,
    known_outcome as outcome,
    counted_patterns as patterns,
    nullif(trim(provider), '') as provider,
    nullif(trim(model), '') as model,
    nullif(trim(error_class), '') as error_class,
    ts as ts_raw,
    {{ event_tz_kind() }} as tz_kind,
    nullif(concat_ws(
        ',',
        flags,
        case when named_agent is null then 'agent_unknown' end,
        {{ refused_flag('cost_refused', 'coalesce(cost_cents, cost_usd)', 'plausible_cost') }},
        {{ refused_flag('latency_refused', 'latency_ms', 'plausible_latency') }},
        case
            when
                {%- for kind in ['prompt', 'completion', 'cache_read', 'cache_write', 'total'] %}
                nullif(trim({{ kind }}_tokens), '') is not null and {{ kind }}_count is null
                {{- ' or' if not loop.last }}
                {%- endfor %}
                then 'tokens_refused'
        end,
        case when total_count <> prompt_count + completion_count then 'tokens_disagree' end,
        case when is_unmeasured then 'unmeasured' end,
        case when occurred_at is null then 'ts_unreadable' end,
        case when is_suspicious then 'ts_suspicious' end
    ), '') as flags,
    ---------- numerics
    known_cost as cost_cents,
    known_latency as latency_ms,
    {%- for kind in ['prompt', 'completion', 'cache_read', 'cache_write'] %}
    case when not is_without_tokens then {{ kind }}_count end as {{ kind }}_tokens,
    {%- endfor %}
    case when not is_without_tokens then stated_total end as total_tokens,
    file_id,
    line_no,
    ordinal,
    load_seq,
    ---------- booleans
    named_agent is null as is_agent_unknown,
    {{ event_tz_assumed() }} as tz_assumed,
    is_suspicious as ts_suspicious,
    ---------- timestamps
    occurred_at,
    ingested_at
from read
