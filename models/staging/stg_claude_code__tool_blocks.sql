{#- One row per block that calls a tool or brings its result, in every line that holds it. #}
with blocks as (
    select * from {{ source('raw', 'claude_code_blocks') }}
    where tool_use_id is not null
),

{{ transcript_place_ctes('blocks') }}

select
    ---------- ids
    {{ key_128(["'claude_code'", 'tool_use_id']) }} as tool_call_key,
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    session_id,
    agent_id,
    case
        when block_type = 'tool_use' and message_id is not null
            then {{ key_128(["'claude_code'", 'message_id']) }}
    end as message_key,
    ---------- text
    'claude_code' as source_kind,
    block_type,
    coalesce(tool_name, 'unknown') as tool_name,
    skill_name,
    subagent_type,
    error_class,
    ---------- numerics
    workdir_id,
    file_id,
    line_no,
    ordinal,
    position,
    load_seq,
    ---------- booleans
    block_type = 'tool_use' as is_call,
    coalesce(is_error = 'true', false) as is_error,
    coalesce(is_sidechain = 'true', false) as is_sidechain,
    {{ is_suspicious_instant('occurred_at', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    ingested_at
from placed
