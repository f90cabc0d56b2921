"""The assistant's answer to an utterance: its hash, linked to the intent.

Belongs here: `ChatRecorder`, chat events as formats.md section 5.4 has them. The message itself is
never written.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentledger.emit.jobs import HashText
from agentledger.emit.recorder import open_writer
from agentledger.emit.trace import new_event_id
from agentledger.emit.writer import EventWriter, WriterStats

if TYPE_CHECKING:
    from uuid import UUID  # a host that uses it has loaded it

CHAT_KIND = "chat_events"


class ChatRecorder:
    """Emit one event per message of the assistant; never raises.

    Args:
        home: Data home; None means the ledger of this user.
        writer: Replaces the writer that recorders of one home share.
    """

    def __init__(
        self, home: Path | str | None = None, *, writer: EventWriter | None = None
    ) -> None:
        self._writer = open_writer(home) if writer is None else writer

    def message(
        self,
        text: str,
        *,
        session_id: "UUID | str | None",
        turn_id: str | int | None,
        intent_event_id: str | None = None,
    ) -> str:
        """Queue the event of a message; returns its id.

        Args:
            text: What the assistant said; hashed, never written.
            session_id: Session of the chat.
            turn_id: Number or name of the turn in it.
            intent_event_id: What `IntentRecorder.record` returned for the utterance.
        """
        event_id = new_event_id()
        try:
            ids = (event_id, session_id, turn_id, intent_event_id)
            self._writer.submit(_ChatJob(text, ids))
        except Exception as error:
            self._writer.reject(error)
        return event_id

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Write what waits, on this thread; False when it took longer."""
        return self._writer.flush(timeout_seconds)

    def stats(self) -> WriterStats:
        """What became of the events that went through this recorder's writer."""
        return self._writer.stats()


class _ChatJob:
    """A message that waits for its hash."""

    __slots__ = ("_at_ns", "_ids", "_text", "kind", "size")

    def __init__(self, text: str, ids: tuple[object, object, object, object]) -> None:
        self.kind = CHAT_KIND
        self.size = len(text)
        self._at_ns = time.time_ns()
        self._text = text
        self._ids = ids

    def render(self, hash_text: HashText) -> Mapping[str, Any]:
        from agentledger.emit import columns

        text, self._text = self._text, ""
        event_id, session_id, turn_id, intent_id = (
            columns.identifier(value, hash_text) for value in self._ids
        )
        return {
            "event_id": event_id,
            "ts": columns.instant(self._at_ns),
            "session_id": session_id,
            "turn_id": turn_id,
            "assistant_message_hash": hash_text(text),
            "assistant_message_preview": None,
            "intent_event_id": intent_id,
            "hash_scheme": columns.HASH_SCHEME,
        }

    def settle(self, written: bool) -> None:
        self._text = ""
