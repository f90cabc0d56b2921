"""One model call as a conversation: what it was given, and what it answered.

Belongs here: reading the shapes in which producers write histories and tool calls, and bringing
them into one shape. Does not belong here: masking (`masking.py`), how a data set writes it
(`formats.py`).

A conversation that would have to be guessed at is refused: a tool call without its result, a result
without its call, a part that is no text. In what is left, users and tools take turns with the
assistant, a user speaks first, and tool calls have ids of ours, in order.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from agentledger.transcripts.parts import ROLES, CallParts, Role, as_text, text_alone

_SILENT_PARTS: Final = frozenset({"thinking", "redacted_thinking", "reasoning"})
"""Parts of earlier answers that no model is given again."""
_NO_TEXTS: Final = frozenset({"image", "input_image", "document", "audio", "file"})
"""Parts that a data set of texts cannot hold."""


class UnreadableError(ValueError):
    """A history, tool call or result whose meaning would have to be guessed."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool."""

    call_id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `call_id` and `name` tell which call a tool's result answers."""

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages of which the last, of the assistant, is to be learnt."""

    system: str
    messages: tuple[Message, ...]

    @property
    def target(self) -> Message:
        """What the model answered."""
        return self.messages[-1]


@dataclass(slots=True)
class _Builder:
    """Messages in their order, with the calls that have no result yet."""

    system: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    waiting: list[tuple[str | None, ToolCall]] = field(default_factory=list)
    calls: int = 0

    def add(self, role: Role, text: str) -> None:
        if role == "system":
            if text.strip() and text not in self.system:
                self.system.append(text)
            return
        if self.waiting:
            raise UnreadableError("a tool call has no result")
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == role and not last.calls:
            self.messages[-1] = replace(last, text=f"{last.text}\n\n{text}".strip())
        elif text.strip():
            self.messages.append(Message(role, text))

    def answer(self, text: str, given: Sequence[tuple[str | None, str, dict[str, Any]]]) -> None:
        self.add("assistant", text)
        if not given:
            return
        calls = []
        for own_id, name, arguments in given:
            self.calls += 1
            call = ToolCall(f"call_{self.calls}", name, arguments)
            calls.append(call)
            self.waiting.append((own_id, call))
        last = self.messages[-1] if self.messages else None
        if last is None or last.role != "assistant":
            last = Message("assistant")
            self.messages.append(last)
        self.messages[-1] = replace(last, calls=tuple(calls))

    def result(self, own_id: str | None, name: str | None, text: str) -> None:
        for position, (known_id, call) in enumerate(self.waiting):
            is_meant = own_id == known_id if own_id and known_id else name in (None, call.name)
            if is_meant:
                del self.waiting[position]
                self.messages.append(Message("tool", text, call_id=call.call_id, name=call.name))
                return
        raise UnreadableError("a tool's result has no call")


def read_call(texts: Mapping[str, Sequence[str]], *, with_thoughts: bool = False) -> Conversation:
    """Make a conversation of the texts of one call of `agent_telemetry`.

    Args:
        texts: Field → texts, as the vault gives them.
        with_thoughts: Put the thoughts before the answer, between `<think>` and `</think>`.

    Raises:
        UnreadableError: When a part would have to be guessed at.
    """
    return read_parts(parts_of_texts(texts), with_thoughts=with_thoughts)


def parts_of_texts(texts: Mapping[str, Sequence[str]]) -> CallParts:
    """The parts of one call of `agent_telemetry`.

    Raises:
        UnreadableError: When a member of a list is no JSON.
    """
    return CallParts(
        system=texts.get("system_prompt", ()),
        history=[_json(member) for member in texts.get("chat_history", ())],
        said="\n".join(texts.get("user_message", ())),
        answer="\n".join(texts.get("response_text", ())),
        thoughts="\n".join(texts.get("response_thoughts", ())),
        calls=[_json(member) for member in texts.get("tool_calls", ())],
    )


def read_parts(parts: CallParts, *, with_thoughts: bool = False) -> Conversation:
    """Make a conversation of the parts of one call.

    Args:
        parts: What it was given, and what it answered.
        with_thoughts: Put the thoughts before the answer, between `<think>` and `</think>`.

    Raises:
        UnreadableError: When a part would have to be guessed at.
    """
    builder = _Builder()
    for prompt in parts.system:
        builder.add("system", prompt)
    for message in parts.history:
        _read_message(builder, message)
    said = parts.said
    # Some writers put the user's words into the history, too, with the tools of this turn behind.
    last = next((m.text for m in reversed(builder.messages) if m.role == "user"), None)
    if said.strip() and (last is None or _flat(last) != _flat(said)):
        builder.add("user", said)
    if not builder.messages or builder.messages[0].role != "user":
        raise UnreadableError("no user speaks first")
    if builder.waiting or builder.messages[-1].role == "assistant":
        raise UnreadableError("nothing was asked after the last answer")
    text = parts.answer
    if with_thoughts and parts.thoughts.strip():
        text = f"<think>\n{parts.thoughts}\n</think>\n{text}"
    builder.answer(text, [_tool_call(call) for call in parts.calls])
    if builder.messages[-1].role != "assistant":
        raise UnreadableError("there is no answer")
    return Conversation("\n\n".join(builder.system), tuple(builder.messages))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UnreadableError("a member of a list is no JSON") from error


def _read_message(builder: _Builder, value: Any) -> None:
    if not isinstance(value, dict):
        raise UnreadableError("a message is no object")
    named = str(value.get("role") or value.get("from") or value.get("type") or "").lower()
    role = ROLES.get(named)
    if role is None:
        raise UnreadableError("a message has an unknown role")
    content = next((value[name] for name in ("content", "value", "parts") if name in value), None)
    if role == "tool":
        own_id = _text_or_none(value, "tool_call_id", "tool_use_id", "call_id", "id")
        builder.result(own_id, _text_or_none(value, "name", "tool_name"), _result_text(content))
        return
    if named == "function_call":
        builder.answer("", [_tool_call(_json(content) if isinstance(content, str) else content)])
        return
    _read_parts(builder, role, content, value.get("tool_calls") or ())


def _read_parts(builder: _Builder, role: Role, content: Any, listed: Any) -> None:
    """Text, calls and results of one message, results first: they answer what came before."""
    texts: list[str] = []
    calls = [_tool_call(item) for item in _list(listed)]
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict):
            _read_part(builder, part, texts, calls)
        elif isinstance(part, str):
            texts.append(part)
        elif part is not None:
            raise UnreadableError("a part of a message is no text")
    text = "\n".join(texts)
    if role == "assistant":
        builder.answer(text, calls)
    elif calls:
        raise UnreadableError("somebody else than the assistant calls a tool")
    elif text.strip():
        builder.add(role, text)


def _read_part(
    builder: _Builder,
    part: dict[str, Any],
    texts: list[str],
    calls: list[tuple[str | None, str, dict[str, Any]]],
) -> None:
    kind = part.get("type")
    if kind in _SILENT_PARTS:
        return
    if kind in ("tool_result", "tool_call_response") or "functionResponse" in part:
        given = part.get("functionResponse") or part
        names = ("content", "response", "result")
        body = next((given[name] for name in names if name in given), None)
        own_id = _text_or_none(given, "tool_use_id", "id")
        builder.result(own_id, _text_or_none(given, "name"), _result_text(body))
    elif kind in ("tool_use", "tool_call") or "functionCall" in part:
        calls.append(_tool_call(part.get("functionCall") or part))
    elif isinstance(part.get("text"), str):
        texts.append(part["text"])
    elif kind == "text" and isinstance(part.get("content"), str):
        texts.append(part["content"])
    else:
        raise UnreadableError("a part of a message is no text")


def _tool_call(value: Any) -> tuple[str | None, str, dict[str, Any]]:
    """Id, name and arguments of a tool call in any of the shapes in use."""
    if not isinstance(value, dict):
        raise UnreadableError("a tool call is no object")
    inner = value["function"] if isinstance(value.get("function"), dict) else value
    name = _text_or_none(inner, "name", "tool_name", "tool")
    if name is None:
        raise UnreadableError("a tool call has no name")
    given = next(
        (inner[key] for key in ("arguments", "args", "input", "parameters") if key in inner), None
    )
    if isinstance(given, str):
        given = _json(given) if given.strip() else {}
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise UnreadableError("the arguments of a tool call are no object")
    return _text_or_none(value, "id", "call_id", "tool_call_id"), name, given


def _result_text(content: Any) -> str:
    if (
        text_alone(content) is None
        and isinstance(content, list)
        and any(isinstance(part, dict) and part.get("type") in _NO_TEXTS for part in content)
    ):
        raise UnreadableError("a tool's result is no text")
    return as_text(content)


def _text_or_none(value: Mapping[str, Any], *names: str) -> str | None:
    found = (value.get(name) for name in names)
    return next((text for text in found if isinstance(text, str) and text), None)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise UnreadableError("the tool calls of a message are no list")
    return list(value)
