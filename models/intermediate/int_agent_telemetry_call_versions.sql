{{ config(materialized='view') }}
{#- The model calls among the records, in the columns that all sources of calls share. A summary
    repeats its calls and is none. The prompt's tokens stand for fresh input: there is no column for
    what came from a cache. #}
{%- set unknown_amounts = [
    'cache_write', 'cache_read', 'stated_cache_write_5m', 'stated_cache_write_1h'
] %}
select
    telemetry_key as llm_call_key,
    telemetry_key as message_key,
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    'agent_telemetry' as source_kind,
    cast(null as varchar) as request_id,
    session_id,
    cast(null as varchar) as agent_id,
    cast(null as varchar) as provider,
    model,
    stop_reason_raw as stop_reason,
    cast(null as varchar) as service_tier,
    cast(null as varchar) as attribution_skill,
    'unknown' as input_basis,
    drop_reason,
    cast(null as bigint) as workdir_id,
    file_id,
    line_no,
    ordinal,
    load_seq,
    key_load_seq,
    prompt_tokens as input_fresh_tokens,
    cast(null as bigint) as cache_write_tokens,
    cast(null as bigint) as cache_read_tokens,
    completion_tokens as output_tokens,
    cast(null as bigint) as web_search_requests,
    cast(null as bigint) as reasoning_tokens,
    duration_ms,
    cast(null as double) as recorded_cost_usd,
    case when is_kept then prompt_tokens else 0 end as kept_input_fresh_tokens,
    case when is_kept then completion_tokens else 0 end as kept_output_tokens,
    {%- for amount in unknown_amounts %}
    cast(case when is_kept then null else 0 end as bigint) as kept_{{ amount }}_tokens,
    {%- endfor %}
    cast(case when is_kept then null else 0 end as bigint) as kept_web_search_requests,
    is_kept,
    is_kept as is_owner,
    false as is_synthetic,
    false as is_sidechain,
    ts_suspicious,
    occurred_at
from {{ ref('int_agent_telemetry_versions') }}
where record_type = 'llm_call'
