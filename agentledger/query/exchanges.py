"""What a user asked in a session, what came of it, and what was answered.

Belongs here: utterances, executions and assistant messages of an orchestrator, and Claude Code's
log events where no transcript tells of their session, in order of time. Does not belong here:
finding texts (`replays.py`, the vault), what an outcome means (the models), turns of
`agent_telemetry` and of coding agents (`replays.py`), printing (`cli/replayed.py`).
"""

import json
from collections.abc import Iterable
from typing import Any, Final

SOURCE_KIND: Final = "intents"
"""Kind of a session that intent events and chat events alone tell of."""

SESSIONS: Final = f"""
    with told as (
        select facts.session_key, facts.project_id, null as session_id
        from marts.fct_intent_events as facts
        where starts_with(cast(facts.session_key as varchar), $2)
        union
        select messages.session_key, messages.project_id, null
        from marts.fct_chat_messages as messages
        where starts_with(cast(messages.session_key as varchar), $2)
        union
        select versions.session_key, versions.project_id, trim(rows.session_id)
        from raw.intent_events as rows
        inner join intermediate.int_intent_events__versioned as versions
            on versions.record_key = rows.record_key and versions.content_hash = rows.content_hash
        where trim(rows.session_id) = $1 and versions.is_kept
        union
        select versions.session_key, versions.project_id, trim(rows.session_id)
        from raw.chat_events as rows
        inner join staging.stg_events__chat_messages as versions
            on versions.record_key = rows.record_key and versions.content_hash = rows.content_hash
        where trim(rows.session_id) = $1
    )
    select
        cast(told.session_key as varchar) as session_key, '{SOURCE_KIND}' as source_kind,
        told.project_id, any_value(projects.project_name) as project_name,
        any_value(told.session_id) as session_id
    from told
    inner join raw.projects as projects on projects.project_id = told.project_id
    where told.session_key is not null and projects.is_active
    group by told.session_key, told.project_id
    order by 1
"""
"""Sessions by their id ($1) or the beginning of their key ($2)."""

EXCHANGE: Final = """
    with said as (
        select
            'utterance' as record_type, 0 as place, facts.event_key as item_key, facts.occurred_at,
            facts.entrypoint, facts.final_verb as verb, facts.outcome, facts.error_code as error,
            facts.missing_args, cast(null as varchar) as turn_id,
            versions.file_id, versions.line_no, versions.record_key, versions.content_hash
        from marts.fct_intent_events as facts
        left join intermediate.int_intent_events__versioned as versions
            on versions.event_key = facts.event_key and versions.is_kept
        where facts.session_key = cast($1 as uuid)
        union all
        select
            'execution', 1, facts.event_key, facts.executed_at, null, facts.final_verb,
            facts.execution_outcome, facts.execution_error_class, null, null, null, null, null, null
        from marts.fct_intent_events as facts
        where facts.session_key = cast($1 as uuid) and facts.execution_count > 0
        union all
        select
            'assistant_message', 2, messages.message_key, messages.occurred_at, null, null, null,
            null, null, messages.turn_id, versions.file_id, versions.line_no, versions.record_key,
            versions.content_hash
        from marts.fct_chat_messages as messages
        left join (
            -- As the fact chooses among the versions of a message.
            select
                message_key, file_id, line_no, record_key, content_hash,
                row_number() over (
                    partition by message_key
                    order by content_hash, record_key, source_id, file_id, line_no, ordinal
                ) as version_rank
            from staging.stg_events__chat_messages
            where session_key = cast($1 as uuid)
        ) as versions
            on versions.message_key = messages.message_key and versions.version_rank = 1
        where messages.session_key = cast($1 as uuid)
    )
    select
        row_number() over (order by said.occurred_at nulls last, said.place, said.item_key) as seq,
        said.record_type, said.occurred_at, said.entrypoint, said.verb, said.outcome, said.error,
        said.missing_args, said.turn_id, files.path as file_path, said.line_no,
        cast(said.record_key as varchar) as record_key,
        cast(said.content_hash as varchar) as content_hash
    from said
    left join raw.files as files on files.file_id = said.file_id
    order by 1
"""
"""What was said and done under one session key ($1); a command that ran more than once ended as its
last run did."""

LOG_KIND: Final = "claude_code_otel"
"""Kind of a session that Claude Code's log events tell of, and no transcript."""

LOG_SESSIONS: Final = f"""
    select
        cast(facts.session_key as varchar) as session_key, '{LOG_KIND}' as source_kind,
        facts.project_id, any_value(projects.project_name) as project_name, versions.session_id
    from marts.fct_llm_calls as facts
    inner join intermediate.int_otlp_call_versions as versions
        on versions.llm_call_key = facts.llm_call_key and versions.is_kept
    inner join raw.projects as projects on projects.project_id = facts.project_id
    where facts.source_kind = '{LOG_KIND}' and projects.is_active
        and facts.session_key is not null
        and (versions.session_id = $1 or starts_with(cast(facts.session_key as varchar), $2))
    group by facts.session_key, facts.project_id, versions.session_id
    order by 1
"""
"""Sessions with a call that counts, by their id ($1) or the beginning of their key ($2)."""

LOG_EVENTS: Final = """
    select
        row_number() over (
            order by events.occurred_at nulls last, events.event_sequence, events.event_key
        ) as seq,
        events.event_name as record_type, events.occurred_at,
        cast(null as varchar) as entrypoint,
        case
            when events.event_name in ('api_request', 'api_error')
                then nullif(events.model, 'unknown')
            else coalesce(events.tool_name, events.skill_name, events.agent_name)
        end as verb,
        case when events.is_success then 'success' when not events.is_success then 'failure' end
            as outcome,
        events.error_type as error, cast(null as varchar[]) as missing_args,
        cast(null as varchar) as turn_id, files.path as file_path, events.line_no,
        cast(events.record_key as varchar) as record_key,
        cast(events.content_hash as varchar) as content_hash
    from intermediate.int_otlp_log_events as events
    left join raw.files as files on files.file_id = events.file_id
    where events.is_kept and events.session_id = $1 and events.source_project_id = $2
    order by 1
"""
"""What happened in one session ($1) of a project ($2)."""


def open_texts(rows: Iterable[dict[str, Any]]) -> None:
    """Show messages that the vault keeps as JSON as the texts that they are, where they are one."""
    for row in rows:
        for texts in row.get("texts", {}).values():
            texts[:] = [_opened(text) for text in texts]


def _opened(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text
