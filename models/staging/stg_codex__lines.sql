{#- One row per line of a rollout that tells of its thread, a turn, tokens or a tool: rename, cast.
    Totals are counters of the whole thread; steps are made of them in intermediate. #}
with lines as (
    select
        *,
        case
            when line_type in ('session_meta', 'turn_context') then line_type
            when payload_type = 'task_started' then 'turn_context'
            when payload_type = 'token_count' and has_usage then 'token_count'
            when payload_type in (
                'function_call', 'custom_tool_call', 'local_shell_call', 'web_search_call'
            ) then 'tool_call'
            when payload_type in (
                'function_call_output', 'custom_tool_call_output', 'exec_command_end',
                'mcp_tool_call_end'
            ) then 'tool_result'
            when payload_type in ('task_complete', 'turn_aborted') then 'turn_end'
        end as line_kind
    from {{ source('raw', 'codex_lines') }}
),

folders as (
    select workdir_id, source_id, cwd from {{ source('raw', 'working_directories') }}
),

zones as (
    select source_id, zone from {{ source('raw', 'sources') }}
),

files as (
    select file_id, path from {{ source('raw', 'files') }}
),

placed as (
    select
        lines.*,
        folders.workdir_id,
        files.path as file_path,
        {{ stated_instant('trim(lines.ts)', "coalesce(zones.zone, 'UTC')") }} as occurred_at
    from lines
    left join files on lines.file_id = files.file_id
    left join zones on lines.source_id = zones.source_id
    left join folders on lines.source_id = folders.source_id and lines.cwd = folders.cwd
    where lines.line_kind is not null
)

select
    ---------- ids
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    thread_id as stated_thread_id,
    coalesce(forked_from_id, parent_thread_id) as parent_thread_id,
    turn_id,
    call_id,
    {{ key_128(['source_id', "coalesce(file_path, '')"]) }} as file_key,
    regexp_replace(
        regexp_extract(file_path, '([^/\\]*)$', 1), '[.]jsonl?([.](gz|zst))?$', ''
    ) as file_stem,
    ---------- text
    line_kind,
    payload_type,
    thread_source,
    model_provider,
    model,
    tool_name,
    error_class,
    ---------- numerics
    workdir_id,
    file_id,
    line_no,
    ordinal,
    load_seq,
    {{ token_count('total_input_tokens') }} as total_input_tokens,
    {{ token_count('total_cached_input_tokens') }} as total_cached_tokens,
    {{ token_count('total_output_tokens') }} as total_output_tokens,
    {{ token_count('total_reasoning_output_tokens') }} as total_reasoning_tokens,
    {{ token_count('total_total_tokens') }} as total_tokens,
    {{ token_count('last_total_tokens') }} as last_tokens,
    ---------- booleans
    forked_from_id is not null as is_marked_fork,
    {{ is_suspicious_instant('occurred_at', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    ingested_at
from placed
