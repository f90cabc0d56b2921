"""Which examples train and which validate, so that nothing of the one is in the other.

Belongs here: the side of a session or project, what makes two examples the same, what a validation
example may share with training. Does not belong here: reading and writing (`export.py`).

All of it is decided by keyed hashes: the same ledger gives the same split, in any order, and a
session never changes sides because others come or go.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from agentledger import privacy
from agentledger.training.conversation import Conversation

Side = Literal["train", "validation"]
SIDES: Final[tuple[Side, ...]] = ("train", "validation")
"""In the order in which they are written: what trains is known before validation begins."""

_STEPS: Final = 1 << 32


def side_of(key: bytes, unit: str, validation_share: float) -> Side:
    """Side of a session or project.

    Args:
        key: Secret of the ledger.
        unit: Identity of what must stay together.
        validation_share: From 0 to below 1.
    """
    place = int(privacy.keyed_hash(key, f"training split\x1f{unit}")[:8], 16)
    return "validation" if place < validation_share * _STEPS else "train"


def utterances(conversation: Conversation) -> Iterator[str]:
    """What users said in it, in the form in which equal words are equal."""
    for message in conversation.messages:
        if message.role == "user":
            yield privacy.normalise_text(message.text)


@dataclass(slots=True)
class Seen:
    """What was written so far; hashes alone, so that memory stays small."""

    key: bytes
    examples: set[bytes] = field(default_factory=set)
    trained: set[bytes] = field(default_factory=set)
    """Utterances of the examples that train."""

    def is_new(self, conversation: Conversation) -> bool:
        """Whether no example before had the same input and output, in normal form."""
        parts = [conversation.system]
        for message in conversation.messages:
            calls = [(call.name, call.arguments) for call in message.calls]
            parts += [message.role, message.text, json.dumps(calls, sort_keys=True)]
        digest = self._digest("\x1f".join(map(privacy.normalise_text, parts)))
        if digest in self.examples:
            return False
        self.examples.add(digest)
        return True

    def leaks(self, conversation: Conversation) -> bool:
        """Whether training knows something that a user says in it."""
        return any(self._digest(said) in self.trained for said in utterances(conversation))

    def trains(self, conversation: Conversation) -> None:
        """Remember what users say in an example that trains."""
        self.trained.update(self._digest(said) for said in utterances(conversation))

    def _digest(self, text: str) -> bytes:
        return bytes.fromhex(privacy.keyed_hash(self.key, text)[:32])
