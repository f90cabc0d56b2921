"""One session from its first record to its last, as the warehouse knows it.

Belongs here: finding the session that a name means, its records in order. Does not belong here:
what a turn is (the models), keeping texts (the vault), printing (`cli/turns.py`).

The snapshot has no session under its own name, so this reads the warehouse, and takes the run lock
like everyone who does. Texts come from a `TextSource`, if there is one: without it a replay shows
kinds, times, tokens, tools and lengths, and says so.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentledger.errors import UsageError
from agentledger.query import exchanges, recorded_sessions
from agentledger.query.scope import UnknownNameError
from agentledger.query.warehouse_rows import opened, read_rows
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.transcripts.codex import THREADS
from agentledger.transcripts.parts import TextSource

if TYPE_CHECKING:
    import duckdb

MIN_KEY_LENGTH: Final = 8
"""Characters of a session key that are enough to find it: as many as lists show."""

NO_TEXTS: Final = (
    "The ledger keeps no texts of this session: lengths stand in their place. "
    'Sources with content = "vault" keep them from their next record on.'
)

_RECORDS: Final = """
    select
        records.seq, records.turn_seq, records.seq_in_turn, records.occurred_at,
        records.offset_ms, records.record_type, records.model, records.duration_ms,
        records.prompt_tokens, records.completion_tokens, records.tokens, records.tool_names,
        records.rounds, records.tool_call_count, records.stop_reason_base, records.stop_detail,
        records.chat_mode, records.turn_intent, records.user_message_length,
        records.system_prompt_length, records.history_messages, records.history_length,
        records.response_length, records.thoughts_length, records.is_open,
        files.path as file_path, records.line_no,
        cast(versions.record_key as varchar) as record_key,
        cast(versions.content_hash as varchar) as content_hash
    from intermediate.int_agent_telemetry_records as records
    left join intermediate.int_agent_telemetry_versions as versions
        on versions.telemetry_key = records.telemetry_key and versions.is_kept
    left join raw.files as files on files.file_id = records.file_id
    where records.session_key = cast(? as uuid)
    order by records.seq
"""

_TURNS: Final = """
    select
        row_number() over (order by turn_seq) as seq, turn_seq, 1 as seq_in_turn,
        started_at as occurred_at, cast(0 as double) as offset_ms, 'turn' as record_type, model,
        duration_ms, input_tokens as prompt_tokens, output_tokens as completion_tokens,
        total_tokens as tokens, rounds, tool_call_count, llm_calls, stop_reason_base,
        is_interrupted
    from marts.fct_turns
    where source_kind = 'claude_code' and session_key = cast(? as uuid)
    order by turn_seq
"""

_STEPS: Final = f"""
    select {recorded_sessions.STEPS}
    from marts.fct_llm_calls as calls
    where calls.source_kind = 'codex' and calls.session_key = cast(? as uuid)
    order by seq
"""

_RECORDS_OF: Final = {"agent_telemetry": _RECORDS, "claude_code": _TURNS, "codex": _STEPS}

_THREADS: Final = f"""
    select
        session_key, 'codex' as source_kind, project_id, project_name, thread_id as session_id,
        thread_key, parent_thread_key
    from ({THREADS})
    where thread_id = $1 or starts_with(session_key, $2)
    order by 2, 1
"""

_SESSIONS: Final = """
    select
        cast(facts.session_key as varchar) as session_key, facts.source_kind, facts.project_id,
        any_value(projects.project_name) as project_name,
        any_value(facts.session_id) as session_id
    from marts.fct_turns as facts
    inner join raw.projects as projects on projects.project_id = facts.project_id
    where (facts.session_id = $1 or starts_with(cast(facts.session_key as varchar), $2))
        and facts.session_key is not null and projects.is_active
    group by all
    order by 2, 1
"""


@recorded("turns replay")
def replay(
    session: str,
    *,
    texts: TextSource | None = None,
    on_wait: Callable[[], None] | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Give the records of a session in order.

    Args:
        session: Its id as the producer names it, or its `session_key`, or the first eight
            characters of that at least.
        texts: Where texts may be found; the vault by default, if there is one.
        on_wait: Called once when another run holds the warehouse.
        settings: Names the data home; read from the environment by default.

    Returns:
        `session_key`, `source_kind`, `project`, `has_texts`, `note`, `records`; of a session of a
        coding agent, or of calls that hold what was said, `messages`: what was said, in order; and
        `exchange`: what a user asked an orchestrator, how it ended, how the command ran, and what
        was answered, in order of time, or the log events of a session that no transcript tells of.

    Raises:
        UsageError: When several sessions are meant.
        UnknownNameError: When none is.
        RunLockedError: When another run does not end.
        AgentLedgerError: When there is no warehouse, or it was never built.
    """
    settings = load_settings() if settings is None else settings
    with opened(settings, on_wait) as connection:
        found = _find(connection, session.strip())
        key = [found["session_key"]]
        records = _records(connection, found)
        if found["source_kind"] == exchanges.LOG_KIND:
            asked = [found["session_id"], found["project_id"]]
            exchange = read_rows(connection, exchanges.LOG_EVENTS, asked)
        else:
            exchange = read_rows(connection, exchanges.EXCHANGE, key)
        with _texts(texts, settings) as known:
            messages = _messages(connection, found, records, known)
            # What recorded calls say is in the messages, each thing once.
            of_records = None if recorded_sessions.is_one(found["source_kind"]) else known
            has_words = [_with_texts(records, of_records), _with_texts(exchange, known)]
            spoken = any(has_words) or bool(messages)
        if found["source_kind"] == exchanges.LOG_KIND:
            exchanges.open_texts(exchange)
    return {
        "session_key": found["session_key"],
        "source_kind": found["source_kind"],
        "project_id": found["project_id"],
        "project": found["project_name"],
        "has_texts": spoken,
        "note": None if spoken else NO_TEXTS,
        "records": records,
        "messages": messages,
        "exchange": exchange,
    }


def _find(connection: "duckdb.DuckDBPyConnection", session: str) -> dict[str, Any]:
    prefix = session.lower() if len(session) >= MIN_KEY_LENGTH else "-"
    found = read_rows(connection, _SESSIONS, [session, prefix])
    found += read_rows(connection, _THREADS, [session, prefix])
    # Whoever tells of turns may tell of intents, too: then both are shown under one key.
    found = found or read_rows(connection, exchanges.SESSIONS, [session, prefix])
    found = found or read_rows(connection, exchanges.LOG_SESSIONS, [session, prefix])
    found = found or read_rows(connection, recorded_sessions.SESSIONS, [session, prefix])
    if not found:
        raise UnknownNameError(
            f"There is no session {session!r}. Give its id as its producer wrote it, or the "
            "session key that `agentledger turns cut-off` and `agentledger usage session` show."
        )
    if len(found) > 1:
        listed = ", ".join(f"{row['session_key']} ({row['project_name']})" for row in found[:5])
        raise UsageError(f"{len(found)} sessions are meant by {session!r}. Give a key: {listed}.")
    return found[0]


def _records(
    connection: "duckdb.DuckDBPyConnection", found: dict[str, Any]
) -> list[dict[str, Any]]:
    kind, key = found["source_kind"], found["session_key"]
    if kind in _RECORDS_OF:
        return read_rows(connection, _RECORDS_OF[kind], [key])
    if recorded_sessions.is_one(kind):
        return read_rows(connection, recorded_sessions.CALLS, [key, kind])
    return []


def _messages(
    connection: "duckdb.DuckDBPyConnection",
    found: dict[str, Any],
    records: Sequence[dict[str, Any]],
    texts: TextSource | None,
) -> list[dict[str, Any]]:
    """What was said in a session of an agent or of recorded calls; nothing without a vault."""
    from agentledger.query import spoken
    from agentledger.vault_texts import Texts

    if recorded_sessions.is_one(found["source_kind"]):
        said = recorded_sessions.utterances(records, texts) if texts is not None else ()
        return list(spoken.as_rows(said, records))
    if found["source_kind"] not in spoken.SOURCE_KINDS or not isinstance(texts, Texts):
        return []
    return spoken.messages(connection, found, records, texts)


def _with_texts(records: Sequence[dict[str, Any]], texts: TextSource | None) -> bool:
    """Put texts beside their records; whether there are any."""
    versions = [
        (str(row.pop("record_key", None)), str(row.pop("content_hash", None))) for row in records
    ]
    wanted = [version for version in versions if "None" not in version]
    known = texts.texts_of(wanted) if texts is not None and wanted else {}
    for row, version in zip(records, versions, strict=True):
        if version in known:
            row["texts"] = {name: list(known[version][name]) for name in sorted(known[version])}
    return bool(known)


@contextlib.contextmanager
def _texts(given: TextSource | None, settings: Settings) -> Iterator[TextSource | None]:
    """Where texts may be found: what the caller gave, else the vault, if there is one."""
    from agentledger import vault, vault_texts
    from agentledger.ingest.scan_roots import sources_with_texts

    if given is not None or not vault.has_vault(settings):
        yield given
        return
    with vault_texts.opened(settings, sources_with_texts(settings)) as kept:
        yield kept
