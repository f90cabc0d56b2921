"""What a conversation is put together from, whichever tool told it.

Belongs here: the shapes that replays and data sets read. Does not belong here: how a tool's lines
become them (`claude_code.py`, `codex.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

NOT_IN_VAULT: Final = "not_in_vault"
"""A part of the conversation was read before its source kept texts."""
UNREADABLE: Final = "unreadable"
"""A part of the conversation is missing, or would have to be guessed at."""

Role = Literal["system", "user", "assistant", "tool"]

ROLES: Final[Mapping[str, Role]] = {
    "system": "system", "developer": "system", "user": "user", "human": "user",
    "assistant": "assistant", "model": "assistant", "gpt": "assistant", "ai": "assistant",
    "function_call": "assistant", "tool": "tool", "function": "tool", "observation": "tool",
    "tool_result": "tool",
}  # fmt: skip
"""What producers call a role → what it is here."""

Texts = Mapping[str, Sequence[str]]
"""Field of the vault → texts in order."""


class TextSource(Protocol):
    """Where the texts of records may be found."""

    def texts_of(
        self, records: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Mapping[str, Sequence[str]]]:
        """Texts by (record key, content hash) and name of the field, in order.

        A record without texts is left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class CallParts:
    """One model call: what it was given, and what it answered."""

    system: Sequence[str] = ()
    history: Sequence[Any] = ()
    """Messages as decoded JSON, in any of the shapes that `training/conversation.py` reads."""
    said: str = ""
    """The user's words where they are not the end of the history."""
    answer: str = ""
    thoughts: str = ""
    calls: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing that was said, thought, asked of a tool or given by it."""

    at: str | None
    kind: str
    """`system`, `user`, `inserted`, `thoughts`, `answer`, `tool_call` or `tool_result`."""
    text: str
    tool_name: str | None = None
    conversation: str | None = None
    """Name of the subagent whose conversation it is; None for the session's own."""
    is_copy: bool = False
    """Whether another session told it first: a fork repeats what stands before it."""


@dataclass(slots=True)
class Blocks:
    """The blocks of one answer, in order, each once.

    A line that is written while the answer still grows is told again by the next one.
    """

    placed: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Number of the line that told it, and the block."""

    def add(self, place: int, block: dict[str, Any]) -> None:
        """Take a block in, unless it is known or its beginning is."""
        for number, (known_place, known) in enumerate(self.placed):
            if known == block or (block_id(block) and block_id(known) == block_id(block)):
                return
            name = block.get("type")
            if name in ("text", "thinking") and known.get("type") == name:
                before, now = str(known.get(name) or ""), str(block.get(name) or "")
                if now.startswith(before):
                    self.placed[number] = (known_place, block)
                    return
                if before.startswith(now):
                    return
        self.placed.append((place, block))

    def values(self) -> list[dict[str, Any]]:
        """The blocks alone."""
        return [block for _, block in self.placed]


def block_id(block: Mapping[str, Any]) -> str | None:
    """Id of a tool call that a block makes."""
    found = block.get("id")
    return found if isinstance(found, str) and found else None


def texts_of_blocks(blocks: Sequence[Mapping[str, Any]], kind: str) -> str:
    """The texts of the blocks of one kind, one below the other."""
    return "\n".join(str(block.get(kind) or "") for block in blocks if block.get("type") == kind)


def as_text(value: Any) -> str:
    """A value for people: a text as it is, the texts of a list of parts, else JSON."""
    text = text_alone(value)
    if text is not None:
        return text
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def text_alone(value: Any) -> str | None:
    """A text, or the texts of a list of nothing but these; None for any other value."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in value
    ):
        return "\n".join(part["text"] for part in value)
    return None


def decoded(members: Sequence[str]) -> list[Any]:
    """Values that were written as JSON by `private_texts.py`."""
    return [json.loads(member) for member in members]
