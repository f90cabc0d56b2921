{#- What was refused is known by reason and length; file, line and hash stay in raw. #}
select
    reject_key,
    run_id,
    file_id,
    source_id,
    project_id,
    reason,
    length_bytes,
    load_seq,
    rejected_at
from {{ source('raw', 'rejects') }}
