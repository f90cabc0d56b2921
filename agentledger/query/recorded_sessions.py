"""Sessions whose calls themselves hold what was asked and answered: Langfuse and OpenTelemetry.

Belongs here: finding such a session, its calls in order, what was said that no earlier call had
said. Does not belong here: shapes of requests and responses (`transcripts/recorded.py`), Claude
Code's log events (`exchanges.py`), printing (`cli/turns.py`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agentledger.query import exchanges
from agentledger.transcripts.parts import ROLES, TextSource, Utterance, as_text
from agentledger.transcripts.recorded import COUNTED_CALLS, parts_of_record, text_of

_OTHER_KINDS: Final = ("agent_telemetry", "claude_code", "codex", exchanges.LOG_KIND)
"""Kinds of sources whose calls a replay tells in another way."""

_CALLS_OF_SESSIONS: Final = f"""
    from {COUNTED_CALLS}
    where calls.source_kind not in {_OTHER_KINDS!r} and calls.session_key is not null
"""

SESSIONS: Final = f"""
    select
        cast(calls.session_key as varchar) as session_key, calls.source_kind, calls.project_id,
        any_value(projects.project_name) as project_name,
        any_value(versions.session_id) as session_id
    {_CALLS_OF_SESSIONS}
        and (versions.session_id = $1 or starts_with(cast(calls.session_key as varchar), $2))
    group by calls.session_key, calls.source_kind, calls.project_id
    order by 2, 1
"""
"""Sessions by their id ($1) or the beginning of their key ($2)."""

STEPS: Final = """
        row_number() over (order by calls.occurred_at nulls last, calls.llm_call_key) as seq,
        1 as turn_seq,
        row_number() over (order by calls.occurred_at nulls last, calls.llm_call_key)
            as seq_in_turn,
        calls.occurred_at, cast(null as double) as offset_ms, 'llm_call' as record_type,
        calls.model, calls.duration_ms,
        calls.input_fresh_tokens + coalesce(calls.cache_write_5m_tokens, 0)
            + coalesce(calls.cache_write_1h_tokens, 0) + coalesce(calls.cache_read_tokens, 0)
            as prompt_tokens,
        calls.output_tokens as completion_tokens,
        prompt_tokens + calls.output_tokens as tokens
"""
"""Columns of a replay whose records are single calls; input is every tier of it."""

CALLS: Final = f"""
    select
        {STEPS},
        cast(versions.record_key as varchar) as record_key,
        cast(versions.content_hash as varchar) as content_hash
    {_CALLS_OF_SESSIONS}
        and calls.session_key = cast($1 as uuid) and calls.source_kind = $2
    order by seq
"""
"""The calls of one session ($1) of one kind of source ($2)."""

_FIELDS: Final = {"system_prompt": "system", "input": "user", "output": "answer"}
_KINDS: Final = {
    "system": "system", "user": "user", "assistant": "answer", "tool": "tool_result",
}  # fmt: skip


def is_one(source_kind: str) -> bool:
    """Whether a session of this kind is one of recorded calls."""
    return source_kind not in (*_OTHER_KINDS, exchanges.SOURCE_KIND)


def utterances(calls: Sequence[Mapping[str, Any]], texts: TextSource) -> Iterator[Utterance]:
    """Give what was said in a session, each thing once.

    A request repeats what stands before it: what an earlier call was given, and its answer, is not
    said again. What no reader knows the shape of is shown as it was written.

    Args:
        calls: Rows of `CALLS`.
        texts: Where their texts may be found.
    """
    versions = [(str(row["record_key"]), str(row["content_hash"])) for row in calls]
    known = texts.texts_of(versions)
    before: list[str] = []
    for row, version in zip(calls, versions, strict=True):
        if version not in known:
            continue
        at, kept = row["occurred_at"], known[version]
        parts = parts_of_record(kept)
        if isinstance(parts, str):
            yield from (
                Utterance(at, kind, text)
                for field, kind in _FIELDS.items()
                for text in kept.get(field, ())
            )
            continue
        given = [
            *({"role": "system", "content": text} for text in parts.system),
            *parts.history,
        ]
        written = [json.dumps(message, sort_keys=True) for message in given]
        yield from _new(at, given, written, before)
        before = written
        if parts.thoughts:
            yield Utterance(at, "thoughts", parts.thoughts)
        if parts.answer:
            yield Utterance(at, "answer", parts.answer)
        for call in parts.calls:
            yield _tool_call(at, call)


def _new(
    at: str | None,
    given: Sequence[Mapping[str, Any]],
    written: Sequence[str],
    before: Sequence[str],
) -> Iterator[Utterance]:
    same = 0
    while same < min(len(before), len(written)) and before[same] == written[same]:
        same += 1
    # What follows is the answer to the call before, in the words of the request.
    is_answer = bool(before) and same == len(before)
    for message in given[same:]:
        kind = _KINDS[ROLES.get(str(message.get("role")), "user")]
        if is_answer and kind == "answer":
            continue
        is_answer = False
        content = next((message[name] for name in ("content", "parts") if message.get(name)), "")
        results = _tool_results(content)
        for result in results:
            yield Utterance(at, "tool_result", result, message.get("name"))
        if content and not results:
            yield Utterance(at, kind, text_of(content) or as_text(content), message.get("name"))
        for call in message.get("tool_calls") or ():
            yield _tool_call(at, call)


def _tool_results(content: Any) -> list[str]:
    """Texts of the results that a message of nothing else brings, whoever it is said to be from."""
    parts = content if isinstance(content, list) else []
    are_results = [
        isinstance(part, dict) and part.get("type") in ("tool_result", "tool_call_response")
        for part in parts
    ]
    if not parts or not all(are_results):
        return []
    values = [
        next((part[name] for name in ("content", "response", "result") if name in part), "")
        for part in parts
    ]
    return [text_of(value) or as_text(value) for value in values]


def _tool_call(at: str | None, call: Any) -> Utterance:
    named = call if isinstance(call, dict) else {}
    if isinstance(named.get("function"), dict):
        named = named["function"]
    arguments = next(
        (named[name] for name in ("arguments", "input", "args") if name in named), call
    )
    name = named.get("name")
    return Utterance(at, "tool_call", as_text(arguments), name if isinstance(name, str) else None)
