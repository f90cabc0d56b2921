"""What was said in a session of a coding agent, for its replay.

Belongs here: from a session to its utterances as rows. Does not belong here: putting a conversation
together (`transcripts/`), finding the session (`replays.py`), printing (`cli/turns.py`).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentledger.query.answers import json_value
from agentledger.transcripts import claude_code, codex
from agentledger.transcripts.codex import VaultTexts
from agentledger.transcripts.parts import Utterance

if TYPE_CHECKING:
    import duckdb

SOURCE_KINDS = ("claude_code", "codex")
"""Kinds of sessions whose texts are not texts of their records."""


def messages(
    connection: "duckdb.DuckDBPyConnection",
    found: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    texts: VaultTexts,
) -> list[dict[str, Any]]:
    """Give what was said, in order; a subagent's conversation follows the session's own.

    Args:
        connection: The warehouse; read only is enough.
        found: The session: its kind, id and, of Codex, its threads.
        records: The records of its replay; of Claude Code, its turns.
        texts: Where texts may be found.
    """
    if found["source_kind"] == "codex":
        own = _thread(connection, found["thread_key"], texts)
        if found["parent_thread_key"] is not None:
            parent = _thread(connection, found["parent_thread_key"], texts)
            own = codex.marked_copies(own, parent)
        return list(as_rows(own, ()))
    session = claude_code.read_session(connection, found["session_id"], texts)
    return list(as_rows(session.utterances(), records))


def _thread(
    connection: "duckdb.DuckDBPyConnection", thread_key: str, texts: VaultTexts
) -> list[Utterance]:
    return list(codex.read_thread(connection, thread_key, texts).utterances())


def as_rows(
    utterances: Iterable[Utterance], records: Sequence[Mapping[str, Any]]
) -> Iterable[dict[str, Any]]:
    """What was said, each with its number and the turn of the records that it belongs to."""
    turns = sorted(
        (str(row["occurred_at"]), row["turn_seq"]) for row in records if row["occurred_at"]
    )
    for number, item in enumerate(utterances, start=1):
        at = json_value(item.at)
        place = bisect_right(turns, _instant(item.at), key=lambda turn: _instant(turn[0]))
        yield {
            "seq": number,
            "turn_seq": turns[place - 1][1] if place else None,
            "at": at,
            "conversation": item.conversation,
            "kind": item.kind,
            "is_copy": item.is_copy,
            "tool_name": item.tool_name,
            "text": item.text,
        }


def _instant(text: str | None) -> str:
    """A time as text that sorts: producers and the ledger write UTC with different fractions."""
    return (text or "").removesuffix("Z")[:23]
