{#- 1:1 with raw.collection_runs. #}
select
    run_id,
    source_id,
    project_id,
    found,
    collected,
    skipped,
    quarantined,
    errors,
    records_read,
    accepted,
    rejected,
    already_known,
    seconds,
    started_at
from {{ source('raw', 'collection_runs') }}
