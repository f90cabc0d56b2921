{#- What each run did with each source. found = collected + skipped + quarantined is a test. #}
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
from {{ ref('stg_ledger__collection_runs') }}
