{#- One row per row of raw.agent_changes: a change of an agent that its owner declared. -#}
with events as (
    select * from {{ source('raw', 'agent_changes') }}
),

{{ event_time_ctes('events') }}

select
    ---------- ids
    record_key,
    content_hash,
    trim(event_id) as change_id,
    project_id,
    source_id,
    ---------- text
    {{ normal_form('agent_id') }} as agent_id,
    case
        when lower(trim(metric)) in ('success', 'cost', 'latency') then lower(trim(metric))
        else 'success'
    end as metric,
    flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    note_length,
    ---------- booleans
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at as changed_at,
    ingested_at
from timed
