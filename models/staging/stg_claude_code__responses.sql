{#- One row per line of a transcript that repeats the usage of a response: rename, cast. Copies and
    growing snapshots are all here; which of them counts is decided in intermediate. #}
with lines as (
    select * from {{ source('raw', 'claude_code_lines') }}
    where has_usage
),

{{ transcript_place_ctes('lines') }}

select
    ---------- ids
    {{ key_128(["'claude_code'", "coalesce(message_id, cast(record_key as varchar))"]) }}
        as message_key,
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    message_id,
    request_id,
    session_id,
    agent_id,
    ---------- text
    'claude_code' as source_kind,
    coalesce(model, 'unknown') as model,
    stop_reason,
    service_tier,
    attribution_skill,
    ---------- numerics
    workdir_id,
    file_id,
    line_no,
    ordinal,
    load_seq,
    {{ token_count('input_tokens') }} as input_fresh_tokens,
    {{ token_count('cache_creation_input_tokens') }} as cache_write_tokens,
    {{ token_count('cache_read_input_tokens') }} as cache_read_tokens,
    {{ token_count('output_tokens') }} as output_tokens,
    {{ token_count('ephemeral_5m_input_tokens') }} as stated_cache_write_5m_tokens,
    {{ token_count('ephemeral_1h_input_tokens') }} as stated_cache_write_1h_tokens,
    {{ token_count('web_search_requests') }} as web_search_requests,
    ---------- booleans
    coalesce(model = '<synthetic>', false) as is_synthetic,
    coalesce(is_sidechain = 'true', false) as is_sidechain,
    {{ stamps_skills('version') }} as stamps_skills,
    {{ is_suspicious_instant('occurred_at', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    ingested_at
from placed
