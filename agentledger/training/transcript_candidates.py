"""Which answers of coding agents a data set may be made of.

Belongs here: the sessions and threads that count, their answers with what was given. Does not
belong here: putting a conversation together (`transcripts/`), calls of `agent_telemetry`
(`candidates.py`).

A subagent is a conversation of its own, on the side of the session that called it; so is a fork.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

from agentledger.training.candidates import Call, Filters, Given, Wants, rows
from agentledger.transcripts import claude_code, codex

if TYPE_CHECKING:
    import duckdb

    from agentledger.vault_texts import Texts

# A call belongs to the last turn of its session that began before it.
_CLAUDE_CODE: Final = """
    select
        cast(calls.llm_call_key as varchar), owners.source_id, calls.project_id,
        owners.session_id, turns.stop_reason_base,
        calls.input_fresh_tokens + coalesce(calls.cache_write_5m_tokens, 0)
        + coalesce(calls.cache_write_1h_tokens, 0) + coalesce(calls.cache_read_tokens, 0)
        + coalesce(calls.output_tokens, 0)
    from marts.fct_llm_calls as calls
    inner join intermediate.int_claude_code_call_versions as owners
        on owners.llm_call_key = calls.llm_call_key and owners.is_owner
    inner join raw.projects as projects
        on projects.project_id = calls.project_id and projects.is_active
    asof left join (
        select session_key, started_at, max(stop_reason_base) as stop_reason_base
        from marts.fct_turns
        where source_kind = 'claude_code' and started_at is not null
        group by all
    ) as turns
        on turns.session_key = calls.session_key and calls.occurred_at >= turns.started_at
    where calls.source_kind = 'claude_code' and not calls.is_api_error
        and owners.session_id is not null
        and ($1 is null or calls.project_id = $1)
        and ($2 is null or calls.occurred_at >= $2)
    order by calls.project_id, owners.session_id, calls.occurred_at, calls.llm_call_key
"""

_CODEX: Final = f"""
    select thread_key, parent_thread_key, source_id, project_id
    from ({codex.THREADS})
    where ($1 is null or project_id = $1)
    order by project_id, thread_id, thread_key
"""


def claude_code_calls(
    connection: "duckdb.DuckDBPyConnection", filters: Filters, texts: "Texts", wants: Wants
) -> Iterator[tuple[Call, Given]]:
    """Give the answers of each session with what they had been given."""
    found = rows(connection, _CLAUDE_CODE, [filters.project_id, filters.since])
    for (project_id, session_id), members in groupby(found, key=lambda row: (row[2], row[3])):
        unit = f"claude_code\x1f{session_id}"
        if not wants(unit, project_id):
            continue
        session = None
        for key, source_id, _, _, stop_reason, tokens in members:
            call = Call(key, "", source_id, project_id, unit, False, stop_reason, tokens)
            if source_id not in texts.source_ids:
                yield call, None
                continue
            if session is None:
                session = claude_code.read_session(connection, session_id, texts)
            yield call, session.parts_of(key)


def codex_calls(
    connection: "duckdb.DuckDBPyConnection", filters: Filters, texts: "Texts", wants: Wants
) -> Iterator[tuple[Call, Given]]:
    """Give the answers of each thread with what they had been given.

    How many answers a thread has is known once it is read: of sources that keep no texts none is
    counted.
    """
    for thread_key, parent_key, source_id, project_id in rows(
        connection, _CODEX, [filters.project_id]
    ):
        unit = f"codex\x1f{parent_key or thread_key}"
        if source_id not in texts.source_ids or not wants(unit, project_id):
            continue
        for answer in codex.read_thread(connection, thread_key, texts).answers():
            first = answer.first
            if filters.since is not None and (
                first.occurred_at is None or first.occurred_at < filters.since
            ):
                continue
            yield (
                Call(
                    first.record_key, first.content_hash, source_id, project_id, unit, False,
                    answer.stop_reason, None,
                ),
                answer.parts,
            )  # fmt: skip
