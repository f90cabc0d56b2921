{#- 1:1 with raw.claude_code_lines: of each line, what tells how its tool
    writes, and nothing of what it says. #}
select
    ---------- text
    'claude_code' as source_kind,
    run_id,
    line_type,
    version as tool_version,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    ---------- timestamps
    ingested_at
from {{ source('raw', 'claude_code_lines') }}
