{#- One row per line of a transcript that bounds a turn: what a person asked, an interruption, the
    tool's own note of how long the turn took. Copies are all here. A real prompt is a line of a
    person that is neither inserted, nor a summary, nor a tool's result, nor a command's output. #}
with lines as (
    select
        *,
        case
            when line_type = 'system' then 'duration'
            when prompt_kind = 'interruption' then 'interruption'
            else 'prompt'
        end as mark
    from {{ source('raw', 'claude_code_lines') }}
    where coalesce(is_sidechain, 'false') <> 'true'
        and (
            (line_type = 'system' and subtype = 'turn_duration')
            or (
                line_type = 'user'
                and prompt_kind in ('text', 'blocks', 'command', 'interruption')
                and coalesce(is_meta, 'false') <> 'true'
                and coalesce(is_compact_summary, 'false') <> 'true'
            )
        )
),

{{ transcript_place_ctes('lines') }}

select
    ---------- ids
    record_key,
    content_hash,
    source_id,
    project_id as source_project_id,
    session_id,
    ---------- text
    mark,
    prompt_kind,
    command_name,
    ---------- numerics
    workdir_id,
    file_id,
    line_no,
    ordinal,
    load_seq,
    nullif({{ plausible_ms('try_cast(duration_ms as double)') }}, 0) as duration_ms,
    ---------- booleans
    {{ is_suspicious_instant('occurred_at', 'ingested_at') }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    ingested_at
from placed
