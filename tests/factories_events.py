"""Rows of the raw event tables for tests, beside `factories.py`.

Belongs here: one function per raw table of intents and chat, every column with a default. Does not
belong here: writing rows (`factories.write`), event files (those are of the ingest tests).
"""

import hashlib
import itertools
import json
import uuid
from collections.abc import Iterable
from typing import Any

from tests.factories import Row

_line_numbers = itertools.count(1)

_WHERE = (
    "file_id", "line_no", "byte_offset", "ordinal", "source_id", "project_id", "host_id", "run_id",
    "ingested_at", "load_seq", "record_key", "content_hash",
)  # fmt: skip
"""Columns that say where a record stands, not what it is."""


def make_intent(event_id: str, **overrides: Any) -> Row:
    """One row of `raw.intent_events`: a matched utterance of 2026-03-02, ingested on 2026-03-10.

    Lists and candidates may be given as Python lists; they land as the canonical JSON text that
    ingest writes. Two calls with equal values are byte-equal copies.
    """
    row = _record(
        {
            "event_id": event_id,
            "ts": "2026-03-02T10:00:00Z",
            "session_id": None,
            "entrypoint": "chat",
            "utterance_hash": None,
            "semreg_mode": "strict",
            "semreg_denied_verbs": None,
            "verb_candidates_pre": None,
            "verb_candidates_post": None,
            "chosen_verb_fqn": None,
            "selection_source": "discovery",
            "forced_verb_fqn": None,
            "outcome": "ready",
            "dsl_hash": None,
            "run_sheet_entry_id": None,
            "macro_semreg_checked": "false",
            "macro_denied_verbs": None,
            "error_code": None,
            "prompt_version": None,
            "dominant_entity_kind": None,
            "missing_args": None,
        }
        | overrides
    )
    return _keyed(row, identity=("intent", event_id))


def make_execution(event_id: str, **overrides: Any) -> Row:
    """One row of `raw.intent_executions`: a command that ran well on 2026-03-02 at 10:01."""
    row = _record(
        {
            "event_id": event_id,
            "ts": "2026-03-02T10:01:00Z",
            "intent_event_id": None,
            "run_sheet_entry_id": None,
            "dsl_hash": None,
            "success": "true",
            "error_class": None,
        }
        | overrides
    )
    return _keyed(row, identity=("execution", event_id))


def make_chat(event_id: str, **overrides: Any) -> Row:
    """One row of `raw.chat_events`."""
    row = _record(
        {
            "event_id": event_id,
            "ts": "2026-03-02T10:00:01Z",
            "session_id": None,
            "turn_id": "1",
            "assistant_message_hash": "e3b0",
            "intent_event_id": None,
        }
        | overrides
    )
    return _keyed(row, identity=("chat", event_id))


def make_task(event_id: str, **overrides: Any) -> Row:
    """One row of `raw.usage_events`: a task of agent `a` that went well on 2026-03-02."""
    row = _record(
        {
            "variant": "contract",
            "event_id": event_id,
            "agent_id": "a",
            "ts": "2026-03-02T10:00:00Z",
            "task_type": "code",
            "success": "true",
            "cost_cents": "2.5",
            "cost_usd": None,
            "latency_ms": "1200",
            "patterns": None,
            "provider": "p",
            "model": "model-a",
            "prompt_tokens": "900",
            "completion_tokens": "100",
            "total_tokens": "1000",
            "session_id": None,
            "task_run_id": None,
            "error_class": None,
        }
        | overrides
    )
    return _keyed(row, identity=("task", event_id))


def make_judgement(judgement_id: str, **overrides: Any) -> Row:
    """One row of `raw.pattern_judgements`: pattern `x` is worth 0.9 since 2026-03-01."""
    row = _record(
        {
            "event_id": judgement_id,
            "pattern": "x",
            "ts": "2026-03-01T00:00:00Z",
            "declared_at": "2026-03-01T00:00:00Z",
            "quality": "0.9",
            "note_length": 0,
        }
        | overrides
    )
    return _keyed(row, identity=("judgement", judgement_id))


def _record(fields: Row) -> Row:
    row: Row = {
        "file_id": 1,
        "line_no": next(_line_numbers),
        "byte_offset": 0,
        "ordinal": 0,
        "source_id": "source-p1",
        "project_id": "p1",
        "host_id": "host",
        "run_id": "run-1",
        "ingested_at": "2026-03-10 00:00:00+00",
        "load_seq": 1,
        "flags": None,
    } | fields
    return {name: _as_text(value) for name, value in row.items()}


def _as_text(value: Any) -> Any:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value


def _keyed(row: Row, identity: Iterable[str]) -> Row:
    row.setdefault("record_key", _hash(identity))
    content = sorted(name for name in row if name not in _WHERE)
    row.setdefault("content_hash", _hash(str(row[name]) for name in content))
    return row


def _hash(values: Iterable[str]) -> str:
    text = "\x1f".join(values)
    return str(uuid.UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()))
