"""What waits in the queue of a writer.

Belongs here: what the writer asks of an event that waits, the event that is complete already, and
the line that either becomes.
Does not belong here: events of one recorder (`recorder.py`, `chat.py`).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

HashText = Callable[[str], str]
"""Keyed hash of a normalised text, with the secret of the data home."""


class Job(Protocol):
    """An event that waits: rendered on the background thread, then told how it went."""

    kind: str
    size: int
    """Characters of text it holds on to while it waits."""

    def render(self, hash_text: HashText) -> Mapping[str, Any]:
        """Build the event; text it held is let go of."""
        ...

    def settle(self, written: bool) -> None:
        """Hear whether the line is with the operating system."""
        ...


class PlainJob:
    """An event that is complete already."""

    __slots__ = ("_event", "kind", "size")

    def __init__(self, kind: str, event: Mapping[str, Any]) -> None:
        self.kind = kind
        self.size = 0
        self._event = event

    def render(self, hash_text: HashText) -> Mapping[str, Any]:
        """Give it as it is."""
        return self._event

    def settle(self, written: bool) -> None:
        """Nobody asked."""


def to_line(event: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8 on one line; a lone surrogate becomes a question mark."""
    return _encoder.encode(event).encode("utf-8", "replace") + b"\n"


def _plain(value: object) -> str:
    if type(value).__name__ not in ("UUID", "datetime"):
        raise TypeError("an event holds plain JSON values, UUIDs and datetimes only")
    return str(value)


_encoder = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, default=_plain
)
