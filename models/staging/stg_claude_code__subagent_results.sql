{#- One row per line that brings the result of a subagent, in every file that holds it: its totals,
    which check the subagent's own lines and stand in for them where they are missing. -#}
with lines as (
    select * from {{ source('raw', 'claude_code_lines') }}
    where result_agent_id is not null or result_duration_ms is not null
        or result_total_tokens is not null or result_tool_use_count is not null
)

select
    ---------- ids
    record_key,
    source_id,
    session_id,
    result_agent_id as subagent_id,
    ---------- text
    result_status,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    nullif({{ plausible_ms('try_cast(result_duration_ms as double)') }}, 0) as total_duration_ms,
    {{ token_count('result_total_tokens') }} as total_tokens,
    {{ token_count('result_tool_use_count') }} as tool_use_count,
    ---------- booleans
    coalesce(result_status like 'async%', false) as is_asynchronous
from lines
