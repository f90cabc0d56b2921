{#- One row per log record of a request: rename, cast. Numbers of Claude Code's events may be
    texts. #}
with logs as (
    select
        *,
        coalesce(is_claude_code = 'true', false) as is_of_claude_code,
        coalesce({{ otlp_instant('time_ns') }}, {{ otlp_instant('observed_ns') }}) as occurred_at
    from {{ source('raw', 'otlp_logs') }}
)

select
    ---------- ids
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    session_id,
    {{ otlp_attribute(['prompt.id']) }} as prompt_id,
    {{ otlp_attribute(['request_id']) }} as request_id,
    {{ otlp_attribute(['tool_use_id']) }} as tool_use_id,
    {{ otlp_attribute(['agent_id']) }} as agent_id,
    ---------- text
    case when is_of_claude_code then 'claude_code_otel' else 'otlp' end as source_kind,
    service_name,
    event_name,
    coalesce(
        {{ otlp_attribute(['model', 'gen_ai.response.model', 'gen_ai.request.model']) }}, 'unknown'
    ) as model,
    {{ otlp_attribute(['query_source']) }} as query_source,
    {{ otlp_attribute(['tool_name', 'gen_ai.tool.name']) }} as tool_name,
    {{ otlp_skill(otlp_attribute(['skill.name'])) }} as skill_name,
    {{ otlp_attribute(['plugin.name']) }} as plugin_name,
    {{ otlp_attribute(['agent.name', 'agent_type', 'subagent_type']) }} as agent_name,
    {{ otlp_attribute(['invocation_trigger']) }} as invocation_trigger,
    {{ otlp_attribute(['skill.source']) }} as skill_source,
    {{ otlp_attribute(['decision', 'decision_type']) }} as decision,
    {{ otlp_attribute(['decision_source', 'source']) }} as decision_source,
    lower({{ otlp_attribute(['status']) }}) as stated_status,
    {{ otlp_attribute(['error_type', 'error.type']) }} as error_type,
    {{ otlp_attribute(['status_code']) }} as http_status,
    flags as log_flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    try_cast(event_sequence as bigint) as event_sequence,
    {{ token_count(otlp_attribute(['input_tokens'])) }} as input_fresh_tokens,
    {{ token_count(otlp_attribute(['cache_creation_tokens'])) }} as cache_write_tokens,
    {{ token_count(otlp_attribute(['cache_read_tokens'])) }} as cache_read_tokens,
    {{ token_count(otlp_attribute(['output_tokens'])) }} as output_tokens,
    {{ token_count(otlp_attribute(['total_tokens'])) }} as total_tokens,
    {{ otlp_amount(['duration_ms']) }} as duration_ms,
    {{ otlp_amount(['cost_usd']) }} as recorded_cost_usd,
    ---------- booleans
    is_of_claude_code as is_claude_code,
    session_id is not null and event_sequence is not null as is_identified,
    case {{ otlp_attribute(['success']) }} when 'true' then true when 'false' then false end
        as is_success,
    {{ is_suspicious_instant('occurred_at', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    ingested_at
from logs
