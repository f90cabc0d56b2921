{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='tool_call_key',
    on_schema_change='fail',
    pre_hook="{{ delete_uncounted(ref('int_tool_call_versions'), 'tool_call_key') }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- One call of a tool with its result. A call without a result and a result without a call stay:
    both are facts about the file. The outcome of a call without a result is unknown. #}
{%- set since = trusted_load_seq() %}
with folders as (
    select workdir_id, project_id, load_seq from {{ ref('stg_ledger__working_directories') }}
),

kept as (
    select *
    from {{ ref('int_tool_call_versions') }}
    where is_kept
    {%- if since is not none %}
        and (
            key_load_seq > {{ since }}
            or workdir_id in (
                select folders.workdir_id from folders where folders.load_seq > {{ since }}
            )
        )
    {%- endif %}
),

-- The other half of a call whose folder moved must come along, so ask for both again.
halves as (
    select versions.*
    from {{ ref('int_tool_call_versions') }} as versions
    where versions.is_kept
        and versions.tool_call_key in (select kept.tool_call_key from kept)
),

paired as (
    select
        coalesce(calls.tool_call_key, results.tool_call_key) as tool_call_key,
        coalesce(calls.source_kind, results.source_kind) as source_kind,
        coalesce(calls.workdir_id, results.workdir_id) as workdir_id,
        coalesce(calls.source_project_id, results.source_project_id) as source_project_id,
        coalesce(calls.session_id, results.session_id) as session_id,
        coalesce(calls.agent_id, results.agent_id) as agent_id,
        coalesce(calls.file_id, results.file_id) as file_id,
        coalesce(calls.line_no, results.line_no) as line_no,
        coalesce(calls.is_sidechain, results.is_sidechain) as is_sidechain,
        coalesce(calls.occurred_at, results.occurred_at) as occurred_at,
        coalesce(calls.ts_suspicious, results.ts_suspicious) as ts_suspicious,
        greatest(
            coalesce(calls.key_load_seq, 0), coalesce(results.key_load_seq, 0)
        ) as key_load_seq,
        calls.message_key,
        coalesce(calls.tool_name, 'unknown') as tool_name,
        calls.skill_name,
        calls.subagent_type,
        calls.occurred_at as called_at,
        results.occurred_at as completed_at,
        calls.tool_call_key is not null as has_call,
        results.tool_call_key is not null as has_result,
        coalesce(results.kept_is_error, false) as is_error,
        results.kept_error_class as error_class
    from (select halves.* from halves where halves.is_call) as calls
    full outer join (select halves.* from halves where not halves.is_call) as results
        on calls.tool_call_key = results.tool_call_key
),

placed as (
    select
        paired.*,
        coalesce(folders.project_id, paired.source_project_id) as project_id,
        coalesce(folders.load_seq, 0) as folder_load_seq,
        case
            when not paired.is_error then null
            when paired.error_class = 'user_rejected' then 'user_rejection'
            when paired.error_class in ('interrupted', 'sibling_error') then 'interrupt'
            else 'tool_error'
        end as failure_kind,
        {{ milliseconds_between('paired.called_at', 'paired.completed_at') }} as waited_ms
    from paired
    left join folders on paired.workdir_id = folders.workdir_id
)

select
    ---------- ids
    tool_call_key,
    message_key,
    project_id,
    {{ key_128(['project_id', "coalesce(session_id, '')"]) }} as session_key,
    case when agent_id is not null then {{ key_128(['project_id', 'agent_id']) }} end as agent_key,
    ---------- text
    source_kind,
    tool_name,
    skill_name,
    subagent_type,
    case
        when not has_result then 'unknown'
        when failure_kind = 'tool_error' then 'failure'
        when failure_kind is not null then 'unknown'
        else 'success'
    end as outcome,
    failure_kind,
    error_class,
    ---------- numerics
    file_id,
    line_no,
    greatest(key_load_seq, folder_load_seq) as load_seq,
    cast(case when waited_ms >= 0 then waited_ms end as double) as duration_ms,
    ---------- booleans
    has_call,
    has_result,
    is_error,
    is_sidechain,
    ts_suspicious,
    ---------- timestamps
    occurred_at,
    completed_at
from placed
