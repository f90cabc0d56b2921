"""How each kind of trainer wants a conversation to be written.

Belongs here: one function per format, from a conversation to the object of one line. Does not
belong here: reading producers' shapes (`conversation.py`), files (`export.py`).

Sources: OpenAI's chat format of fine-tuning (`messages`, `tool_calls`, role `tool`, `tools`);
Anthropic's messages (`system`, blocks `text`, `tool_use`, `tool_result`); ShareGPT as LLaMA-Factory
reads it (`conversations` of `from` and `value`: human and observation take turns with gpt and
function_call).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from agentledger.training.conversation import Conversation, Message

MAX_TOOL_NAME = 64
"""Characters that every format takes."""


class NotInFormatError(ValueError):
    """The format has no way to say this."""


def openai(conversation: Conversation) -> dict[str, Any]:
    """One line of a chat data set of OpenAI."""
    messages: list[dict[str, Any]] = []
    if conversation.system:
        messages.append({"role": "system", "content": conversation.system})
    for message in conversation.messages:
        if message.role == "tool":
            messages.append(
                {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
            )
            continue
        entry: dict[str, Any] = {"role": message.role, "content": message.text or None}
        if message.calls:
            entry["tool_calls"] = [
                {
                    "id": call.call_id,
                    "type": "function",
                    "function": {
                        "name": tool_name(call.name),
                        "arguments": _text(call.arguments),
                    },
                }
                for call in message.calls
            ]
        messages.append(entry)
    line: dict[str, Any] = {"messages": messages}
    tools = _tools(conversation)
    if tools:
        line["tools"] = [
            {"type": "function", "function": {"name": name, "parameters": schema}}
            for name, schema in tools.items()
        ]
    return line


def anthropic(conversation: Conversation) -> dict[str, Any]:
    """One line of messages of Anthropic: results of tools are blocks of a user's message."""
    messages = []
    for is_assistant, group in groupby(conversation.messages, lambda m: m.role == "assistant"):
        blocks = [block for message in group for block in _blocks(message)]
        messages.append({"role": "assistant" if is_assistant else "user", "content": blocks})
    line: dict[str, Any] = {"messages": messages}
    if conversation.system:
        line = {"system": conversation.system, **line}
    tools = _tools(conversation)
    if tools:
        line["tools"] = [{"name": name, "input_schema": schema} for name, schema in tools.items()]
    return line


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        yield {
            "type": "tool_result", "tool_use_id": message.call_id, "content": message.text,
        }  # fmt: skip
        return
    if message.text.strip():
        yield {"type": "text", "text": message.text}
    for call in message.calls:
        yield {
            "type": "tool_use", "id": call.call_id, "name": tool_name(call.name),
            "input": call.arguments,
        }  # fmt: skip


def sharegpt(conversation: Conversation) -> dict[str, Any]:
    """One line of conversations: several calls at once are a list, and so are their results.

    What the assistant says beside a call stands in the first call, as `content`: a message of its
    own would break the turns.

    Raises:
        NotInFormatError: When a user speaks between a tool's result and the answer.
    """
    turns = []
    for role, group in groupby(conversation.messages, lambda message: message.role):
        members = list(group)
        if role == "tool":
            # A list of results has no ids: their order is that of the calls.
            texts = [message.text for message in sorted(members, key=_call_number)]
            turns.append(("observation", texts[0] if len(texts) == 1 else _text(texts)))
        elif members[0].calls:
            turns.append(("function_call", _calls(members[0])))
        else:
            turns.append(("human" if role == "user" else "gpt", members[0].text))
    for position, (speaker, _) in enumerate(turns):
        if (speaker in ("human", "observation")) != (position % 2 == 0):
            raise NotInFormatError("two turns of the same side follow each other")
    line: dict[str, Any] = {
        "conversations": [{"from": speaker, "value": value} for speaker, value in turns]
    }
    if conversation.system:
        line["system"] = conversation.system
    tools = _tools(conversation)
    if tools:
        listed = [{"name": name, "parameters": schema} for name, schema in tools.items()]
        line["tools"] = _text(listed)
    return line


def _call_number(message: Message) -> int:
    return int((message.call_id or "call_0").removeprefix("call_"))


def _calls(message: Message) -> str:
    calls = [{"name": tool_name(call.name), "arguments": call.arguments} for call in message.calls]
    if message.text.strip():
        calls[0]["content"] = message.text
    return _text(calls[0] if len(calls) == 1 else calls)


def tool_name(name: str) -> str:
    """A name that every format takes."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:MAX_TOOL_NAME] or "tool"


def _tools(conversation: Conversation) -> dict[str, dict[str, Any]]:
    """Tools that the conversation calls; of their arguments only the names are known."""
    names: dict[str, set[str]] = {}
    for message in conversation.messages:
        for call in message.calls:
            names.setdefault(tool_name(call.name), set()).update(call.arguments)
    return {
        name: {"type": "object", "properties": {key: {} for key in sorted(keys)}}
        for name, keys in sorted(names.items())
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


FORMATS: Final[Mapping[str, Callable[[Conversation], dict[str, Any]]]] = {
    "openai": openai,
    "anthropic": anthropic,
    "sharegpt": sharegpt,
}
"""Name of a format → what writes one line of it."""
