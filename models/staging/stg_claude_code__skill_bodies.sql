{#- One row per line that inserts the text of a skill, in every file that holds it; the text itself
    stays in its file. A body that a call of the Skill tool asked for names that call. #}
with lines as (
    select * from {{ source('raw', 'claude_code_lines') }}
    where prompt_kind = 'skill_body'
),

zones as (
    select source_id, zone from {{ source('raw', 'sources') }}
)

select
    ---------- ids
    lines.record_key,
    lines.source_id,
    lines.session_id,
    lines.source_tool_use_id,
    ---------- numerics
    lines.file_id,
    lines.line_no,
    lines.ordinal,
    lines.load_seq,
    ---------- timestamps
    {{ stated_instant('trim(lines.ts)', "coalesce(zones.zone, 'UTC')") }} as occurred_at
from lines
left join zones on lines.source_id = zones.source_id
