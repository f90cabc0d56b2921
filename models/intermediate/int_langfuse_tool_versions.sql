{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='trace_key',
    on_schema_change='fail'
) }}
{#- Every version of an observation of a tool, as a call and, once it has ended, as its result. #}
{%- set since = built_load_seq('key_load_seq') %}
with versions as (
    {{ langfuse_versions(since) }}
),

halves as (
    select
        *,
        0 as position,
        true as is_call,
        started_at as occurred_at,
        false as is_error
    from versions
    where observation_type = 'TOOL'
    union all
    select
        *,
        1 as position,
        false as is_call,
        ended_at as occurred_at,
        coalesce(level = 'ERROR', false) as is_error
    from versions
    where observation_type = 'TOOL' and (ended_at is not null or level = 'ERROR')
),

verdicts as (
    select
        *,
        {{ version_drop_reason() }} as drop_reason
    from halves
)

select
    ---------- ids
    observation_key as tool_call_key,
    parent_observation_key as message_key,
    trace_key,
    otlp_trace_key,
    record_key,
    content_hash,
    source_id,
    source_project_id,
    session_id,
    cast(null as varchar) as agent_id,
    ---------- text
    'langfuse' as source_kind,
    coalesce({{ name_of_run('observation_name') }}, 'unknown') as tool_name,
    cast(null as varchar) as skill_name,
    cast(null as varchar) as subagent_type,
    case when is_error then 'other' end as error_class,
    drop_reason,
    case when drop_reason is null and is_error then 'other' end as kept_error_class,
    ---------- numerics
    cast(null as bigint) as workdir_id,
    file_id,
    line_no,
    ordinal,
    position,
    load_seq,
    key_load_seq,
    ---------- booleans
    is_call,
    drop_reason is null as is_kept,
    is_error,
    drop_reason is null and is_error as kept_is_error,
    false as is_sidechain,
    ts_suspicious,
    ---------- timestamps
    occurred_at
from verdicts
