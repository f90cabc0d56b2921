"""Calls whose record itself holds what was asked and answered: Langfuse and OpenTelemetry.

Belongs here: the calls that count, the shapes in which libraries write requests and responses.
Does not belong here: messages themselves (`conversation.py`).

A request or response of a shape that is not known is refused, not guessed at.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentledger.training.candidates import Call, Filters, Given, Wants, calls_and_texts
from agentledger.transcripts.parts import UNREADABLE, CallParts, Texts, decoded

if TYPE_CHECKING:
    import duckdb

    from agentledger.vault_texts import Texts as VaultTexts

# Without a session a call stands for itself.
_CALLS: Final = """
    select
        cast(versions.record_key as varchar), cast(versions.content_hash as varchar),
        versions.source_id, calls.project_id,
        concat_ws(chr(31), calls.source_kind,
            coalesce(versions.session_id, cast(calls.llm_call_key as varchar))),
        false, null,
        calls.input_fresh_tokens + coalesce(calls.cache_write_5m_tokens, 0)
        + coalesce(calls.cache_write_1h_tokens, 0) + coalesce(calls.cache_read_tokens, 0)
        + coalesce(calls.output_tokens, 0)
    from marts.fct_llm_calls as calls
    inner join intermediate.int_llm_call_versions as versions
        on versions.llm_call_key = calls.llm_call_key
        and versions.source_kind = calls.source_kind and versions.is_kept
    inner join raw.projects as projects
        on projects.project_id = calls.project_id and projects.is_active
    where calls.source_kind not in ('agent_telemetry', 'claude_code', 'codex')
        and ($1 is null or calls.project_id = $1)
        and ($2 is null or calls.occurred_at >= $2)
    order by calls.project_id, 5, calls.occurred_at, calls.llm_call_key
"""

_MESSAGES: Final = ("messages", "contents", "input")
_ASSISTANTS: Final = ("assistant", "model", "ai")


class UnknownShapeError(ValueError):
    """A request or response that nobody here can read."""


def recorded_calls(
    connection: "duckdb.DuckDBPyConnection", filters: Filters, texts: "VaultTexts", wants: Wants
) -> Iterator[tuple[Call, Given]]:
    """Give the calls in order of project, session and time."""
    for call, said in calls_and_texts(connection, _CALLS, filters, texts, wants):
        yield call, None if said is None else parts_of_record(said)


def parts_of_record(texts: Texts) -> CallParts | str:
    """The parts of a call from its input and output, or why nobody can tell.

    Args:
        texts: `system_prompt`, `input` and `output`, each a list of JSON values.
    """
    try:
        system = [_text(value) for value in decoded(texts.get("system_prompt", ()))]
        history = list(_messages(decoded(texts.get("input", ()))))
        words, thoughts, calls = _taken_apart(_answer(decoded(texts.get("output", ()))))
    except UnknownShapeError:
        return UNREADABLE
    return CallParts(system=system, history=history, answer=words, thoughts=thoughts, calls=calls)


def _messages(values: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """The messages of a request."""
    if len(values) == 1 and isinstance(values[0], dict) and "role" not in values[0]:
        request = values[0]
        for name in ("system", "system_instruction", "instructions"):
            if request.get(name):
                yield {"role": "system", "content": _text(request[name])}
        inside = next((request[name] for name in _MESSAGES if request.get(name)), None)
        if inside is None:
            inside = next(
                (request[name] for name in ("prompt", "content") if request.get(name)), ""
            )
        values = inside if isinstance(inside, list) else [inside]
    for value in values:
        yield _message(value)


def _message(value: Any) -> dict[str, Any]:
    if isinstance(value, str) and value:
        return {"role": "user", "content": value}
    if not isinstance(value, dict):
        raise UnknownShapeError
    match value.get("type"):
        case "function_call":
            return {"role": "assistant", "content": "", "tool_calls": [value]}
        case "function_call_output":
            named = {"role": "tool", "tool_call_id": value.get("call_id")}
            return named | {"content": value.get("output")}
    if isinstance(value.get("role"), str):
        return value
    raise UnknownShapeError


def _answer(values: Sequence[Any]) -> dict[str, Any]:
    """The one message of a response."""
    if values and all(isinstance(value, dict) and "toolName" in value for value in values):
        return {"tool_calls": [_named(value) for value in values]}
    # Text and calls of one answer may stand in a list; several answers are no answer.
    if len(values) > 1 and all(_is_output(value) for value in values):
        return {"content": list(values)}
    if len(values) != 1:
        raise UnknownShapeError
    value = values[0]
    if isinstance(value, dict) and value.get("type") == "function_call":
        return {"tool_calls": [value]}
    if isinstance(value, str):
        return {"content": value}
    if not isinstance(value, dict):
        raise UnknownShapeError
    return _answer_in(value)


def _answer_in(value: dict[str, Any]) -> dict[str, Any]:
    """The message of a response that is an object: itself, or a member of it."""
    for name in ("choices", "candidates", "output"):
        if isinstance(value.get(name), list):
            return _answer(value[name])
    for name in ("message", "content"):
        if isinstance(value.get(name), dict):
            return _answer_in(value[name])
    if value.get("role", "assistant") not in _ASSISTANTS or not (
        value.keys() & {"content", "parts", "tool_calls"}
    ):
        raise UnknownShapeError
    return value


def _is_output(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in (
        "message",
        "function_call",
        "reasoning",
    )


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    given = value.get("input", value.get("args"))
    return {"id": value.get("toolCallId"), "name": value["toolName"], "arguments": given}


def _taken_apart(message: Mapping[str, Any]) -> tuple[str, str, list[Any]]:
    """Words, thoughts and tool calls of an answer."""
    words: list[str] = []
    thoughts: list[str] = []
    calls: list[Any] = list(message.get("tool_calls") or ())
    content = next((message[name] for name in ("content", "parts") if message.get(name)), "")
    for part in content if isinstance(content, list) else [content]:
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, str):
            words.append(part)
        elif not isinstance(part, dict):
            raise UnknownShapeError
        elif kind in ("tool_use", "tool_call", "function_call"):
            calls.append(part)
        elif "functionCall" in part or "function_call" in part:
            calls.append(part.get("functionCall") or part["function_call"])
        elif kind in ("thinking", "reasoning"):
            thoughts.append(_text(part))
        elif part.keys() & {"text", "content"}:
            words.append(_text(part))
        else:
            raise UnknownShapeError
    return "\n".join(words), "\n".join(thoughts), calls


def _text(value: Any) -> str:
    """The text of a part, in one of the spellings in use."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for name in ("text", "content", "thinking", "parts", "summary"):
            if name in value:
                return _text(value[name])
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return ""
