"""Requests and responses as libraries write them into one record: Langfuse and OpenTelemetry.

Belongs here: from the input and output of a record to the parts of a call; where such calls stand
in the warehouse. Does not belong here: which of them are asked for (`training/recorded_calls.py`,
`query/recorded_sessions.py`), messages themselves (`training/conversation.py`).

A request or response of a shape that is not known is refused, not guessed at.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agentledger.transcripts.parts import UNREADABLE, CallParts, Texts, decoded

COUNTED_CALLS: Final = """
    marts.fct_llm_calls as calls
    inner join intermediate.int_llm_call_versions as versions
        on versions.llm_call_key = calls.llm_call_key
        and versions.source_kind = calls.source_kind and versions.is_kept
    inner join raw.projects as projects
        on projects.project_id = calls.project_id and projects.is_active
"""
"""Relations of the calls that count, with the version that each is made of and its project."""

_MESSAGES: Final = ("messages", "contents", "input")
_ASSISTANTS: Final = ("assistant", "model", "ai")


class UnknownShapeError(ValueError):
    """A request or response that nobody here can read."""


def parts_of_record(texts: Texts) -> CallParts | str:
    """The parts of a call from its input and output, or why nobody can tell.

    Args:
        texts: `system_prompt`, `input` and `output`, each a list of JSON values.
    """
    try:
        system = [text_of(value) for value in decoded(texts.get("system_prompt", ()))]
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
                yield {"role": "system", "content": text_of(request[name])}
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
            thoughts.append(text_of(part))
        elif part.keys() & {"text", "content"}:
            words.append(text_of(part))
        else:
            raise UnknownShapeError
    return "\n".join(words), "\n".join(thoughts), calls


def text_of(value: Any) -> str:
    """The text of a part, in one of the spellings in use."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for name in ("text", "content", "thinking", "parts", "summary"):
            if name in value:
                return text_of(value[name])
    if isinstance(value, list):
        return "\n".join(map(text_of, value))
    return ""
