{#- One row per version of an observation: rename, cast. Times without a zone are UTC: that is the
    contract of the export. Zeros of the old usage fields mean unknown. #}
with observations as (
    {{ langfuse_rows(source('raw', 'langfuse_observations'), ['started', 'ended', 'updated']) }}
),

counted as (
    select
        *,
        -- The old fields count only where they are more than nothing, and then both do.
        coalesce({{ token_count('input_usage') }}, 0) > 0
        or coalesce({{ token_count('output_usage') }}, 0) > 0 as has_old_usage
    from observations
),

priced as (
    select
        *,
        case
            when has_old_usage then {{ token_count('input_usage') }}
            else {{ token_count('usage_input') }}
        end as input_tokens,
        case
            when has_old_usage then {{ token_count('output_usage') }}
            else {{ token_count('usage_output') }}
        end as output_tokens,
        {{ token_count('usage_cache_read') }} as stated_cache_read_tokens,
        {{ token_count('usage_cache_write') }} as stated_cache_write_tokens,
        {{ token_count('usage_total') }} as stated_total_tokens
    from counted
)

select
    ---------- ids
    {{ key_128(["'langfuse'", 'trace_id', 'observation_id']) }} as observation_key,
    {{ key_128(["'langfuse'", 'trace_id']) }} as trace_key,
    case
        when parent_observation_id is not null
            then {{ key_128(["'langfuse'", 'trace_id', 'parent_observation_id']) }}
    end as parent_observation_key,
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    trace_id,
    session_id as stated_session_id,
    -- A trace that OpenTelemetry told, too, has the same id there.
    {{ key_128(["'otlp trace'", 'lower(trace_id)']) }} as otlp_trace_key,
    ---------- text
    coalesce(observation_type, 'unknown') as observation_type,
    coalesce(observation_name, 'unknown') as observation_name,
    level,
    coalesce(model, 'unknown') as model,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    input_tokens,
    output_tokens,
    stated_cache_read_tokens,
    stated_cache_write_tokens,
    stated_total_tokens,
    {{ token_count('usage_reasoning') }} as reasoning_tokens,
    -- Nothing is what an unpriced model costs, too.
    nullif(try_cast(total_cost as double), 0) as recorded_cost_usd,
    case
        when ended_instant >= started_instant
            then {{ milliseconds_between('started_instant', 'ended_instant') }}
    end as duration_ms,
    ---------- booleans
    coalesce(input_tokens, 0) > 0 or coalesce(output_tokens, 0) > 0 as has_tokens,
    {{ is_suspicious_instant('started_instant', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    started_instant as started_at,
    ended_instant as ended_at,
    updated_instant as updated_at,
    ingested_at
from priced
