{#- What could not be read, counted. Which file and line it was stays at home, in raw.rejects. #}
select
    project_id,
    reason,
    count(*) as n_rejects,
    count(distinct file_id) as n_files,
    cast(coalesce(sum(length_bytes), 0) as bigint) as rejected_bytes,
    min(rejected_at) as first_rejected_at,
    max(rejected_at) as last_rejected_at
from {{ ref('stg_ledger__rejects') }}
group by project_id, reason
