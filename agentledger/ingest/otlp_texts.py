"""Private texts of spans and log records: what was asked and answered, in each convention.

Belongs here: from attributes, events and bodies to messages. Does not belong here: what raw keeps
(`otlp_attributes.py`), writing to the vault (`vault_texts.py`).

Three ways are in use: one attribute that holds all messages, an attribute per message and member
with indices in its name, an event per message. The first that a span uses counts. A log record is
an event of that kind, or one of Claude Code's own; of other records nothing is taken, whatever
their bodies say. Read for sources that keep texts, and for no other. Source of the names:
formats.md sections 8.2 to 8.4 of the shared documents.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agentledger.ingest import otlp_attributes

_WHOLE: Final = {
    "input": ("gen_ai.input.messages", "gen_ai.prompt"),
    "output": ("gen_ai.output.messages", "gen_ai.completion"),
}
_INDEXED: Final = {
    "input": re.compile(r"(?:gen_ai\.prompt|llm\.input_messages)\.(\d{1,6})\.(?:message\.)?(.+)"),
    "output": re.compile(
        r"(?:gen_ai\.completion|llm\.output_messages)\.(\d{1,6})\.(?:message\.)?(.+)"
    ),
}
_EVENTS: Final = {
    "input": re.compile(r"gen_ai\.(?:(system|user|assistant|tool)\.message|content\.prompt)"),
    "output": re.compile(r"gen_ai\.(?:(choice)|content\.completion)"),
}
_LAST: Final = {"input": "input.value", "output": "output.value"}
_TOOL_CALL: Final = re.compile(
    r"tool_calls\.(\d{1,4})\.(?:tool_call\.)?(?:function\.)?(id|name|arguments)"
)
_PART: Final = re.compile(r"contents\.(\d{1,4})\.message_content\.(text|type)")
_SYSTEM: Final = "gen_ai.system_instructions"
_OWN: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "user_prompt": {"input": ("prompt",)},
    "assistant_response": {"output": ("response", "message")},
    "tool_result": {
        "arguments": ("tool_input", "tool_parameters"),
        "result": ("tool_output",),
    },
}
"""Event of Claude Code → field → attributes, the fullest first; only where its owner switched them
on."""
_OF_MESSAGE: Final = frozenset(
    {"role", "content", "message", "finish_reason", "tool_calls", "id", "name"}
)
_REDACTED: Final = "<REDACTED>"


def texts_of_span(span: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Messages by field: `system_prompt`, `input` and `output`; a field without any is left out.

    Args:
        span: As decoded.
    """
    values = {name: _plain(value) for name, value in otlp_attributes.pairs(span.get("attributes"))}
    found = {"system_prompt": _listed(_opened(values.get(_SYSTEM)))}
    for field in ("input", "output"):
        whole = next((values[name] for name in _WHOLE[field] if values.get(name)), None)
        found[field] = (
            _listed(_opened(whole))
            or _indexed(values, _INDEXED[field])
            or list(_told_by_events(span.get("events"), field))
            or _listed(_opened(values.get(_LAST[field])))
        )
    return {field: members for field, members in found.items() if members}


def texts_of_log(
    log: Mapping[str, Any], name: str | None, *, is_claude_code: bool
) -> dict[str, list[Any]]:
    """Messages by field, as of a span; `arguments` and `result` of a tool of Claude Code.

    Args:
        log: The record as decoded.
        name: Name of the event, as raw keeps it.
        is_claude_code: Whether it is one of Claude Code's own.
    """
    values = {key: _plain(value) for key, value in otlp_attributes.pairs(log.get("attributes"))}
    if is_claude_code:
        given = {
            field: next((values[key] for key in names if values.get(key)), None)
            for field, names in _OWN.get(name or "", {}).items()
        }
        return {field: [text] for field, text in given.items() if text not in (None, _REDACTED)}
    body = _opened(_plain(log.get("body")))
    # Around an event stand attributes of the record, which are no part of its message.
    told = {key: value for key, value in values.items() if key in _OF_MESSAGE}
    told |= body if isinstance(body, dict) else {} if body is None else {"content": body}
    found = {"system_prompt": _listed(_opened(values.get(_SYSTEM, told.get(_SYSTEM))))}
    for field in ("input", "output"):
        given = values | told
        whole = next((given[key] for key in _WHOLE[field] if given.get(key)), None)
        found[field] = _listed(_opened(whole)) or list(_told_by_event(name, told, field))
    return {field: members for field, members in found.items() if members}


def _plain(value: Any) -> Any:
    """An attribute value as JSON would have it."""
    if not isinstance(value, dict):
        return None
    inside = value.get("arrayValue")
    if isinstance(inside, dict):
        return [_plain(item) for item in inside.get("values") or ()]
    inside = value.get("kvlistValue")
    if isinstance(inside, dict):
        return {name: _plain(item) for name, item in otlp_attributes.pairs(inside.get("values"))}
    return next(
        (value[name] for name in ("stringValue", "intValue", "doubleValue", "boolValue")
         if value.get(name) is not None),
        None,
    )  # fmt: skip


def _opened(value: Any) -> Any:
    """A text that holds a list or an object is one; any other is itself."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def _indexed(values: Mapping[str, Any], pattern: re.Pattern[str]) -> list[Any]:
    messages: dict[int, dict[str, Any]] = {}
    for name, value in values.items():
        matched = pattern.fullmatch(name)
        if matched:
            _put(messages.setdefault(int(matched[1]), {}), matched[2], value)
    return [_in_order(messages[number]) for number in sorted(messages)]


def _put(message: dict[str, Any], name: str, value: Any) -> None:
    called, part = _TOOL_CALL.fullmatch(name), _PART.fullmatch(name)
    if called:
        message.setdefault("tool_calls", {}).setdefault(int(called[1]), {})[called[2]] = value
    elif part:
        message.setdefault("contents", {}).setdefault(int(part[1]), {})[part[2]] = value
    elif name in ("role", "content", "tool_call_id", "name", "finish_reason"):
        message[name] = value


def _in_order(message: dict[str, Any]) -> dict[str, Any]:
    """The numbered members of a message as lists."""
    for name in ("tool_calls", "contents"):
        if name in message:
            message[name] = [message[name][number] for number in sorted(message[name])]
    parts = message.pop("contents", None)
    return message | {"content": parts} if parts and "content" not in message else message


def _told_by_events(events: Any, field: str) -> Iterator[Any]:
    for event in events if isinstance(events, Sequence) else ():
        if isinstance(event, dict):
            pairs = otlp_attributes.pairs(event.get("attributes"))
            told = {key: _plain(value) for key, value in pairs}
            yield from _told_by_event(event.get("name"), told, field)


def _told_by_event(name: Any, values: Mapping[str, Any], field: str) -> Iterator[Any]:
    """The messages of one event of the conventions; nothing of any other."""
    matched = _EVENTS[field].fullmatch(name) if isinstance(name, str) else None
    if matched is None or not values:
        return
    told = {key: _opened(value) for key, value in values.items()}
    whole = next((told[key] for key in _WHOLE[field] if key in told), None)
    if whole is not None:
        yield from _listed(whole)
    elif matched[1] == "choice":
        message = told.get("message")
        yield message if isinstance(message, dict) else {"role": "assistant", **told}
    else:
        yield {"role": matched[1], **told}
