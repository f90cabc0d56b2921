{#- One row per row of raw.ledger_reads: cast and normalise. This ledger wrote the log itself; it is
    read as if anybody had. #}
with reads as (
    select
        *,
        {{ timestamp_spelling('trim(ts)') }} as spelling,
        lower(trim(surface)) as told_surface,
        nullif(lower(trim(subject_kind)), '') as told_kind,
        lower(trim(succeeded)) as told_success,
        try_cast(duration_ms as double) as told_duration_ms
    from {{ source('raw', 'ledger_reads') }}
)

select
    ---------- ids
    record_key as read_key,
    content_hash,
    ---------- text
    case
        when told_surface in ('cli', 'python', 'mcp', 'dashboard') then told_surface else 'other'
    end as surface,
    coalesce(nullif(trim(question), ''), 'unnamed') as question,
    case
        when told_kind in ('skill', 'agent', 'workflow', 'verb') then told_kind
        when told_kind is not null then 'other'
    end as subject_kind,
    case
        when told_kind is not null then nullif({{ normal_form('subject_name') }}, '')
    end as subject_name,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    case when told_duration_ms between 0 and {{ var('max_duration_ms') }} then told_duration_ms end
        as duration_ms,
    ---------- booleans
    case told_success when 'true' then true when 'false' then false end as succeeded,
    ---------- timestamps
    case spelling
        when 'offset' then {{ parse_timestamp('trim(ts)', 'timestamptz') }}
        when 'wall'
            then {{ wall_clock_to_instant(parse_timestamp('trim(ts)', 'timestamp'), "'UTC'") }}
    end as asked_at
from reads
