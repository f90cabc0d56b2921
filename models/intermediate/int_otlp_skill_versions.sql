{{ made_anew_by('session_text') }}
{#- Every event of Claude Code's log that a skill was activated. It governs what follows until the
    next prompt or the next skill, as in a transcript; whether it could be loaded is told by the
    results of the Skill tool in the same prompt, where they are as many. A name that was left out
    is no skill, and neither is one that was only put before a subagent. A session that gained an
    event is made anew, and so is one whose transcript arrived. #}
{%- set since = trusted_load_seq() %}
with {{ transcript_tellers() }},

events as (
    select
        *,
        coalesce(session_id, cast(record_key as varchar)) as session_text,
        coalesce(agent_id, '') as lane,
        case when not ts_suspicious then occurred_at end as happened_at
    from {{ ref('int_otlp_log_events') }}
    where coalesce(session_id, cast(record_key as varchar)) in (
        select coalesce(activations.session_id, cast(activations.record_key as varchar))
        from {{ ref('int_otlp_log_events') }} as activations
        where activations.event_name = 'skill_activated'
    )
    {%- if since is not none %}
        and (
            session_id in (
                select arrived.session_id
                from {{ ref('int_otlp_log_events') }} as arrived
                where arrived.key_load_seq > {{ since }}
                union
                select later.session_id from transcripts as later
                where later.first_load_seq > {{ since }}
            )
            or (session_id is null and key_load_seq > {{ since }})
        )
    {%- endif %}
),

sessions as (
    select
        session_text,
        max(key_load_seq) as session_load_seq
    from events
    group by session_text
),

prompts as (
    select distinct
        session_text,
        happened_at
    from events
    where is_kept and event_name = 'user_prompt' and happened_at is not null
),

activations as (
    select
        *,
        case invocation_trigger
            when 'user-slash' then 'slash_command'
            when 'agent-preload' then 'agent_preload'
            else 'skill_tool'
        end as variant
    from events
    where event_name = 'skill_activated'
),

bounded as (
    select
        activations.event_key,
        activations.session_text,
        activations.lane,
        activations.happened_at,
        activations.skill_name,
        activations.variant,
        activations.event_sequence,
        min(prompts.happened_at) as prompt_ends_at
    from activations
    left join prompts
        on activations.session_text = prompts.session_text
            and prompts.happened_at > activations.happened_at
    where activations.is_kept
        and activations.happened_at is not null
        and activations.variant <> 'agent_preload'
    group by all
),

-- The model calls by its name what the person had just typed: one invocation.
repeated as (
    select distinct typed.event_key
    from bounded as typed
    inner join bounded as called
        on typed.session_text = called.session_text
            and typed.skill_name = called.skill_name
            and called.happened_at >= typed.happened_at
            and (typed.prompt_ends_at is null or called.happened_at < typed.prompt_ends_at)
    where typed.variant = 'slash_command' and called.variant = 'skill_tool'
),

governed as (
    select
        *,
        lead(happened_at) over (
            partition by session_text, lane order by happened_at, event_sequence, event_key
        ) as next_begins_at
    from bounded
    where event_key not in (select repeated.event_key from repeated)
),

spans as (
    select
        *,
        {{ span_of_skill() }}
    from governed
),

-- The waiting for the next prompt is the person's time, not the skill's.
measured as (
    select
        spans.event_key,
        case
            when spans.is_ended_by_skill then spans.span_ends_at
            else max(events.happened_at)
        end as governed_until
    from spans
    left join events
        on spans.session_text = events.session_text
            and events.is_kept
            and events.event_name in ('api_request', 'api_error', 'tool_result')
            -- The result of the Skill tool says that it was loaded, not that it worked.
            and coalesce(events.tool_name, '') <> 'Skill'
            and (spans.lane = '' or spans.lane = events.lane)
            and events.happened_at > spans.happened_at
            and (spans.span_ends_at is null or events.happened_at < spans.span_ends_at)
    group by spans.event_key, spans.is_ended_by_skill, spans.span_ends_at
),

-- An event of a skill does not name its call: results speak only for as many activations.
results as (
    select
        session_text,
        prompt_id,
        count(*) filter (where event_name = 'skill_activated') as activated,
        count(*) filter (where event_name = 'tool_result') as returned,
        count(*) filter (where event_name = 'tool_result' and is_success) as succeeded,
        count(*) filter (
            where event_name = 'tool_result' and not is_success
            and coalesce(decision, '') <> 'reject'
        ) as failed
    from events
    where is_kept and prompt_id is not null
        and (
            (event_name = 'tool_result' and tool_name = 'Skill')
            or (
                event_name = 'skill_activated'
                and coalesce(invocation_trigger, '') not in ('user-slash', 'agent-preload')
            )
        )
    group by session_text, prompt_id
),

told as (
    select
        activations.*,
        activations.event_key as usage_key,
        activations.source_project_id as project_id,
        activations.happened_at as begins_at,
        cast(null as varchar) as error_class,
        measured.governed_until,
        sessions.session_load_seq,
        case
            when activations.drop_reason is not null then activations.drop_reason
            when activations.skill_name is null then 'name_redacted'
            when activations.variant = 'agent_preload' then 'agent_preload'
            when repeated.event_key is not null then 'called_by_tool'
        end as own_drop_reason,
        case
            when activations.variant <> 'skill_tool' or results.activated <> results.returned
                then 'unknown'
            when results.succeeded = results.returned then 'success'
            when results.failed = results.returned then 'failure'
            else 'unknown'
        end as outcome
    from activations
    inner join sessions on activations.session_text = sessions.session_text
    left join measured on activations.event_key = measured.event_key and activations.is_kept
    left join repeated on activations.event_key = repeated.event_key
    left join results
        on activations.session_text = results.session_text
            and activations.prompt_id = results.prompt_id
),

judged as (
    select
        told.*,
        {{ verdict_beside('told', ['transcripts'], 'own_drop_reason', 'session_load_seq') }}
    from told
    left join transcripts on told.session_id = transcripts.session_id
)

select
    session_text,
    {{ skill_invocation_of_session() }}
from judged
