{#- One row per span of a request: names coalesced new before old, tokens split into disjoint tiers,
    cast. Copies and unfinished versions are all here; which counts is decided in intermediate. #}
{%- set cache_read = ['gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.cache_read_input_tokens', 'gen_ai.usage.details.cache_read_tokens', 'llm.token_count.prompt_details.cache_read',
    'cache_read_tokens'] %}
{%- set cache_write = ['gen_ai.usage.cache_write.input_tokens',
    'gen_ai.usage.cache_creation.input_tokens', 'gen_ai.usage.cache_creation_input_tokens',
    'gen_ai.usage.details.cache_write_tokens', 'llm.token_count.prompt_details.cache_write',
    'cache_creation_tokens'] %}
with spans as (
    select
        *,
        coalesce(span_name like 'claude_code.%', false) as is_claude_code,
        {{ otlp_instant('started_ns') }} as started_at,
        {{ otlp_instant('ended_ns') }} as ended_at,
        lower({{ otlp_attribute(['gen_ai.operation.name']) }}) as stated_operation,
        lower({{ otlp_attribute(['llm.request.type']) }}) as request_type,
        upper({{ otlp_attribute(['openinference.span.kind']) }}) as openinference_kind,
        lower({{ otlp_attribute([
            'gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system'
        ]) }}) as stated_provider,
        {{ token_count(otlp_attribute(['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens',
            'llm.usage.prompt_tokens', 'llm.token_count.prompt', 'input_tokens'])) }}
            as stated_input_tokens,
        {{ token_count(otlp_attribute(['gen_ai.usage.output_tokens',
            'gen_ai.usage.completion_tokens', 'llm.usage.completion_tokens', 'llm.token_count.completion', 'output_tokens'])) }}
            as output_tokens,
        {{ token_count(otlp_attribute(cache_read)) }} as cache_read_tokens,
        {{ token_count(otlp_attribute(cache_write)) }} as cache_write_tokens,
        {{ token_count(otlp_attribute(['gen_ai.usage.reasoning.output_tokens',
            'gen_ai.usage.details.reasoning_tokens',
            'llm.token_count.completion_details.reasoning'])) }} as reasoning_tokens,
        -- The names that came with the rule that input includes the cache.
        {{ otlp_attribute(['gen_ai.usage.input_tokens']) }} is not null
        and {{ otlp_attribute(['gen_ai.provider.name', 'gen_ai.usage.cache_read.input_tokens',
            'gen_ai.usage.cache_write.input_tokens', 'gen_ai.usage.cache_creation.input_tokens']) }}
            is not null as is_by_convention,
        {{ otlp_attribute(['error.type']) }} as error_type,
        {{ otlp_attribute(['success']) }} as stated_success
    from {{ source('raw', 'otlp_spans') }}
),

measured as (
    select
        *,
        coalesce(
            stated_operation,
            case request_type
                when 'completion' then 'text_completion'
                when 'embedding' then 'embeddings'
                else request_type
            end,
            case openinference_kind
                when 'LLM' then 'chat'
                when 'EMBEDDING' then 'embeddings'
                when 'TOOL' then 'execute_tool'
                when 'AGENT' then 'invoke_agent'
                when 'CHAIN' then 'invoke_workflow'
                when 'RETRIEVER' then 'retrieval'
            end,
            case span_name
                when 'claude_code.llm_request' then 'chat'
                when 'claude_code.tool' then 'execute_tool'
                when 'claude_code.interaction' then 'invoke_agent'
            end
        ) as operation,
        coalesce(stated_input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
            is not null as has_tokens,
        {{ milliseconds_between('started_at', 'ended_at') }} as lasted_ms,
        case
            when is_claude_code then 'exclusive'
            when greatest(coalesce(cache_read_tokens, 0), coalesce(cache_write_tokens, 0))
                > stated_input_tokens then 'exclusive'
            when is_by_convention then 'inclusive'
            else 'unknown'
        end as input_basis
    from spans
),

split as (
    select
        *,
        case
            when input_basis = 'exclusive' then stated_input_tokens
            -- Where nobody knows, no token is counted twice.
            else stated_input_tokens
                - coalesce(cache_read_tokens, 0) - coalesce(cache_write_tokens, 0)
        end as fresh_tokens,
        case
            when operation in ('chat', 'generate_content', 'text_completion', 'embeddings')
                then 'inference'
            when operation = 'execute_tool' then 'tool'
            when operation = 'invoke_agent' then 'agent'
            when operation in ('invoke_workflow', 'plan') then 'workflow'
            when operation is null and openinference_kind is null and not is_claude_code
                and has_tokens then 'inference'
            else 'other'
        end as span_role
    from measured
)

select
    ---------- ids
    case
        when trace_id is null or span_id is null
            then {{ key_128(["'otlp record'", 'cast(record_key as varchar)']) }}
        else {{ key_128(["'otlp span'", 'trace_id', 'span_id']) }}
    end as span_key,
    case
        when trace_id is null or span_id is null
            then {{ key_128(["'otlp record'", 'cast(record_key as varchar)']) }}
        else {{ key_128(["'otlp trace'", 'trace_id']) }}
    end as trace_key,
    case
        when trace_id is not null and parent_span_id is not null
            then {{ key_128(["'otlp span'", 'trace_id', 'parent_span_id']) }}
    end as parent_span_key,
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    {{ otlp_attribute(['gen_ai.conversation.id', 'session.id']) }} as session_id,
    {{ otlp_attribute(['gen_ai.response.id', 'request_id']) }} as request_id,
    {{ otlp_attribute(['gen_ai.tool.call.id', 'tool_use_id']) }} as tool_call_id,
    {{ otlp_attribute(['gen_ai.agent.id', 'agent_id']) }} as agent_id,
    ---------- text
    case when is_claude_code then 'claude_code_otel' else 'otlp' end as source_kind,
    service_name,
    span_name,
    span_role,
    operation,
    openinference_kind,
    case
        when is_claude_code then 'anthropic'
        when stated_provider = 'az.ai.openai' then 'azure.ai.openai'
        when stated_provider = 'gemini' then 'gcp.gemini'
        when stated_provider = 'vertex_ai' then 'gcp.vertex_ai'
        when stated_provider = 'xai' then 'x_ai'
        else stated_provider
    end as provider,
    coalesce(
        {{ otlp_attribute(['gen_ai.response.model', 'llm.response.model_name',
            'gen_ai.request.model', 'llm.request.model_name', 'llm.model_name', 'model']) }},
        'unknown'
    ) as model,
    {{ otlp_attribute(['gen_ai.agent.name', 'agent.name']) }} as agent_name,
    {{ otlp_attribute(['gen_ai.workflow.name']) }} as workflow_name,
    {{ otlp_attribute(['gen_ai.tool.name', 'tool.name', 'tool_name']) }} as tool_name,
    {{ otlp_skill(otlp_attribute(['gen_ai.skill.name', 'skill.name'])) }} as skill_name,
    coalesce(
        {{ otlp_first_of('gen_ai.response.finish_reasons') }}, {{ otlp_attribute(['stop_reason']) }}
    ) as stop_reason,
    {{ otlp_attribute(['openai.response.service_tier', 'gen_ai.openai.response.service_tier',
        'openai.request.service_tier', 'gen_ai.openai.request.service_tier']) }} as service_tier,
    status_code,
    case
        when status_code = 'error' or error_type is not null or stated_success = 'false'
            then 'failure'
        when status_code = 'ok' or stated_success = 'true' then 'success'
        else 'unknown'
    end as outcome,
    error_type,
    input_basis,
    nullif(concat_ws(
        ',',
        flags,
        case when fresh_tokens < 0 then 'cache_beyond_input' end,
        case when lasted_ms < 0 then 'ended_before_start' end
    ), '') as span_flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    case when fresh_tokens >= 0 then fresh_tokens end as input_fresh_tokens,
    cache_write_tokens,
    cache_read_tokens,
    output_tokens,
    reasoning_tokens,
    cast(case when lasted_ms >= 0 then lasted_ms end as double) as duration_ms,
    {{ otlp_amount(['llm.cost.total', 'cost_usd']) }} as recorded_cost_usd,
    ---------- booleans
    has_tokens,
    ended_at is not null as is_finished,
    coalesce({{ otlp_attribute(['query_source']) }} = 'subagent', false) as is_sidechain,
    {{ is_suspicious_instant('started_at', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    coalesce(started_at, ended_at) as occurred_at,
    started_at,
    ended_at,
    ingested_at
from split
