{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_transcript_skills() }}",
    post_hook=[
        "{{ forget_build() }}",
        "{{ remember_build(ref('stg_ledger__load_context'), 'load_seq') }}"
    ]
) }}
{#- A skill begins with a call of the Skill tool, or with a command that a person typed. It governs
    what follows until the next real prompt, or the next skill if that comes first; the tool's own
    result, some milliseconds later, only says that it was loaded. A session that gained a line is
    made anew. #}
{%- set since = trusted_load_seq() %}
{%- set touched = '' %}
{%- if since is not none %}
{%- set touched = " and coalesce(session_id, '') in (select touched.session_id from touched)" %}
{%- endif %}
with folders as (
    select workdir_id, project_id, load_seq from {{ ref('stg_ledger__working_directories') }}
),

{% if since is not none -%}
touched as materialized (
    {{ touched_skill_sessions(since) }}
),

{% endif -%}
names as (
    {{ loaded_skill_names() }}
),

bodies as (
    select * from {{ ref('stg_claude_code__skill_bodies') }}
    where source_tool_use_id is null and occurred_at is not null{{ touched }}
),

prompts as (
    select
        coalesce(session_id, '') as session_id,
        occurred_at
    from {{ ref('int_claude_code_turn_lines') }}
    where is_kept and mark = 'prompt' and occurred_at is not null and not ts_suspicious{{ touched }}
),

tool_calls as (
    select
        versions.tool_call_key as usage_key,
        versions.record_key,
        versions.content_hash,
        versions.source_id,
        versions.source_project_id,
        versions.session_id,
        versions.message_key,
        versions.agent_id,
        versions.is_sidechain,
        coalesce(versions.skill_name, 'unknown') as skill_name,
        'skill_tool' as variant,
        versions.workdir_id,
        versions.file_id,
        versions.line_no,
        versions.ordinal,
        versions.position,
        versions.load_seq,
        versions.ts_suspicious,
        versions.occurred_at,
        versions.is_kept,
        versions.drop_reason,
        cast(0 as bigint) as known_load_seq,
        coalesce(results.kept_is_error, false) as is_error,
        results.kept_error_class as error_class,
        results.tool_call_key is not null as has_result
    from {{ ref('int_claude_code_tool_versions') }} as versions
    left join (
        select
            found.tool_call_key,
            found.kept_is_error,
            found.kept_error_class
        from {{ ref('int_claude_code_tool_versions') }} as found
        where found.is_kept and not found.is_call
    ) as results
        on versions.tool_call_key = results.tool_call_key
    where versions.is_call and versions.tool_name = 'Skill'
        {{- touched | replace('session_id, ', 'versions.session_id, ') }}
),

typed as (
    select
        lines.*,
        (
            select min(prompts.occurred_at)
            from prompts
            where prompts.session_id = coalesce(lines.session_id, '')
                and prompts.occurred_at > lines.occurred_at
        ) as prompt_ends_at
    from {{ ref('int_claude_code_turn_lines') }} as lines
    where lines.command_name is not null
        and lines.command_name not in {{ quoted_list(built_in_commands()) }}
        {{- touched | replace('session_id, ', 'lines.session_id, ') }}
),

-- A command is a skill when the text of a skill follows it, or when its name is known to be one's.
commands as (
    select
        {{ key_128(["'claude_code_command'", 'cast(typed.record_key as varchar)']) }} as usage_key,
        typed.record_key,
        typed.content_hash,
        typed.source_id,
        typed.source_project_id,
        typed.session_id,
        cast(null as uuid) as message_key,
        cast(null as varchar) as agent_id,
        false as is_sidechain,
        typed.command_name as skill_name,
        'slash_command' as variant,
        typed.workdir_id,
        typed.file_id,
        typed.line_no,
        typed.ordinal,
        cast(0 as integer) as position,
        typed.load_seq,
        typed.ts_suspicious,
        typed.occurred_at,
        typed.is_kept,
        case when not typed.is_kept then 'snapshot_copy' end as drop_reason,
        coalesce(max(names.load_seq), 0) as known_load_seq,
        false as is_error,
        cast(null as varchar) as error_class,
        count(bodies.record_key) > 0 as has_result
    from typed
    left join names on typed.command_name = names.skill_name
    left join bodies
        on coalesce(typed.session_id, '') = coalesce(bodies.session_id, '')
            and bodies.occurred_at >= typed.occurred_at
            and (typed.prompt_ends_at is null or bodies.occurred_at < typed.prompt_ends_at)
    group by all
    having count(bodies.record_key) > 0 or count(names.skill_name) > 0
),

found as (
    select * from tool_calls
    union all
    select * from commands
),

-- What a subagent loads governs that subagent alone.
begun as (
    select
        *,
        coalesce(session_id, '') as session,
        case when is_sidechain then coalesce(agent_id, 'unknown') else '' end as lane,
        case when not ts_suspicious then occurred_at end as begins_at
    from found
),

prompt_bounds as (
    select
        begun.usage_key,
        begun.session,
        begun.begins_at,
        min(prompts.occurred_at) as prompt_ends_at
    from (select distinct begun.usage_key, begun.session, begun.begins_at from begun) as begun
    left join prompts
        on begun.session = prompts.session_id and prompts.occurred_at > begun.begins_at
    group by begun.usage_key, begun.session, begun.begins_at
),

bounded as (
    select
        begun.*,
        prompt_bounds.prompt_ends_at,
        -- The model calls by its name what the person had just typed: one invocation.
        begun.is_kept and begun.variant = 'slash_command' and exists (
            select 1
            from begun as later
            where later.is_kept and later.variant = 'skill_tool'
                and later.session = begun.session
                and later.skill_name = begun.skill_name
                and later.begins_at >= begun.begins_at
                and (
                    prompt_bounds.prompt_ends_at is null
                    or later.begins_at < prompt_bounds.prompt_ends_at
                )
        ) as is_repeated_by_tool
    from begun
    inner join prompt_bounds
        on begun.usage_key = prompt_bounds.usage_key
            and begun.session = prompt_bounds.session
            and begun.begins_at is not distinct from prompt_bounds.begins_at
),

-- Of skills begun at one instant the last one governs.
governed as (
    select
        usage_key,
        session,
        lane,
        begins_at,
        prompt_ends_at,
        lead(begins_at) over (partition by session, lane order by begins_at, usage_key)
            as next_begins_at
    from bounded
    where is_kept and not is_repeated_by_tool and begins_at is not null
),

spans as (
    select
        *,
        {{ span_of_skill() }}
    from governed
),

happened as (
    select
        coalesce(session_id, '') as session,
        case when is_sidechain then coalesce(agent_id, 'unknown') else '' end as lane,
        occurred_at,
        cast(null as uuid) as tool_call_key
    from {{ ref('int_claude_code_call_versions') }}
    where coalesce(drop_reason, '') not in ('fork_replay', 'snapshot_copy')
        and not ts_suspicious{{ touched }}
    union all
    select
        coalesce(session_id, '') as session,
        case when is_sidechain then coalesce(agent_id, 'unknown') else '' end as lane,
        occurred_at,
        tool_call_key
    from {{ ref('int_claude_code_tool_versions') }}
    where is_kept and not ts_suspicious{{ touched }}
),

-- The waiting for the next prompt is the person's time, not the skill's.
measured as (
    select
        spans.usage_key,
        max(happened.occurred_at) as last_happened_at
    from spans
    inner join happened
        on spans.session = happened.session
            and (spans.lane = '' or spans.lane = happened.lane)
            and happened.occurred_at > spans.begins_at
            and (spans.span_ends_at is null or happened.occurred_at < spans.span_ends_at)
            and happened.tool_call_key is distinct from spans.usage_key
    group by spans.usage_key
),

sessions as (
    {{ transcript_session_loads(touched) }}
),

judged as (
    select
        bounded.*,
        cast('claude_code' as varchar) as source_kind,
        case
            when bounded.is_repeated_by_tool then 'called_by_tool'
            else bounded.drop_reason
        end as told_reason,
        coalesce(folders.project_id, bounded.source_project_id) as project_id,
        coalesce(folders.load_seq, 0) as folder_load_seq,
        greatest(
            bounded.load_seq, sessions.load_seq, bounded.known_load_seq,
            coalesce(folders.load_seq, 0)
        ) as told_load_seq,
        spans.span_ends_at,
        case
            when spans.is_ended_by_skill then spans.span_ends_at
            else measured.last_happened_at
        end as governed_until,
        case
            when not bounded.has_result then 'unknown'
            when not bounded.is_error then 'success'
            when bounded.error_class in ('user_rejected', 'interrupted', 'sibling_error')
                then 'unknown'
            else 'failure'
        end as outcome
    from bounded
    left join spans on bounded.usage_key = spans.usage_key and bounded.is_kept
    left join measured on bounded.usage_key = measured.usage_key and bounded.is_kept
    left join folders on bounded.workdir_id = folders.workdir_id
    left join sessions on bounded.session = sessions.session_id
)

select
    ---------- what a transcript alone tells
    message_key,
    agent_id,
    position,
    folder_load_seq,
    is_sidechain,
    prompt_ends_at,
    span_ends_at,
    {{ skill_invocation_of_session() }}
from judged
