{#- The path stays in raw: no model needs it. #}
select
    file_id,
    source_id,
    project_id,
    format,
    variant,
    state,
    records_read,
    accepted,
    rejected,
    already_known,
    size_bytes,
    make_timestamptz(modified_ns // 1000) as modified_at,
    loaded_at,
    load_seq
from {{ source('raw', 'files') }}
