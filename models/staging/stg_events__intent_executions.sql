{#- One row per row of raw.intent_executions. It names its intent by the event, else by the
    entry of the run sheet, else by the hash of the command; the first that is given decides,
    whether or not that intent has arrived yet. #}
with events as (
    select * from {{ source('raw', 'intent_executions') }}
),

{{ event_time_ctes('events') }},

keyed as (
    select
        *,
        {{ event_link_keys({
            'event': 'intent_event_id', 'run_sheet': 'run_sheet_entry_id', 'dsl': 'dsl_hash'
        }) }},
        {{ boolean_text('success') }} as is_success
    from timed
)

select
    ---------- ids
    {{ key_128(['record_key']) }} as execution_key,
    record_key,
    content_hash,
    project_id,
    source_id,
    coalesce(event_link, run_sheet_link, dsl_link) as link_key,
    ---------- text
    ts as ts_raw,
    {{ event_tz_kind() }} as tz_kind,
    case
        when event_link is not null then 'event'
        when run_sheet_link is not null then 'run_sheet'
        when dsl_link is not null then 'dsl'
        else 'none'
    end as link_kind,
    case when is_success then 'success' when not is_success then 'failure' else 'unknown' end
        as execution_outcome,
    nullif(trim(error_class), '') as error_class,
    flags,
    ---------- numerics
    file_id,
    line_no,
    ordinal,
    load_seq,
    ---------- booleans
    {{ event_tz_assumed() }} as tz_assumed,
    {{ event_ts_suspicious() }} as ts_suspicious,
    ---------- timestamps
    occurred_at,
    ingested_at
from keyed
