"""The single place from which an orchestrator tells what it understood.

Belongs here: `IntentRecorder` and the jobs that wait for the writer's thread. Does not belong here:
filling the trace on every path (`utterance.py`), the shape of the row (`columns.py`).
"""

import time
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

from agentledger.emit.jobs import HashText
from agentledger.emit.trace import IntentTrace, new_event_id
from agentledger.emit.utterance import Utterance
from agentledger.emit.writer import EventWriter, WriterStats, shared_writer

INTENT_KIND = "intent_events"
EXECUTION_KIND = "intent_executions"

_FIELDS = tuple(IntentTrace.__dataclass_fields__)
_FIELDS_SET = frozenset(_FIELDS) - {"utterance", "recorded", "telemetry_persisted"}
_CONTAINERS = tuple(
    _FIELDS.index(name)
    for name in (
        "semreg_denied_verbs",
        "verb_candidates_pre",
        "verb_candidates_post",
        "macro_denied_verbs",
        "soft_stage_flow",
        "state_observer",
        "missing_args",
    )
)
_read_fields = attrgetter(*_FIELDS)


class IntentRecorder:
    """Emit one event per utterance into the spool of a ledger; never raises after construction.

    Args:
        home: Data home; None means the ledger of this user, as the command line finds it.
        preview: Keep a masked preview of at most 80 characters of each utterance.
        strict: Promise that no text is kept in any form; refuses `preview`.
        writer: Replaces the writer that recorders of one home share.

    Raises:
        ValueError: When `preview` is asked for in strict mode.
    """

    def __init__(
        self,
        home: Path | str | None = None,
        *,
        preview: bool = False,
        strict: bool = False,
        writer: EventWriter | None = None,
    ) -> None:
        if preview and strict:
            raise ValueError(
                "A strict recorder keeps no preview. Leave out preview=True or strict=True."
            )
        self._preview = preview
        self._writer = open_writer(home) if writer is None else writer

    def utterance(self, utterance: str | None = None, **fields: Any) -> Utterance:
        """Follow one utterance; use as `with`, `async with` or decorator.

        Args:
            utterance: What the user asked; hashed, never written.
            **fields: First values of the trace (`session_id`, `entrypoint`, …).
        """
        if fields and not fields.keys() <= _FIELDS_SET:  # a misspelt field must not break the host
            self._writer.note(TypeError())
            fields = {name: value for name, value in fields.items() if name in _FIELDS_SET}
        return Utterance(self.record, utterance, fields)

    def record(self, trace: IntentTrace) -> str:
        """Queue the event of a trace, once however often it is called.

        The utterance is taken off the trace; `trace.telemetry_persisted` becomes True when the
        event is in the spool file, False when it is lost.

        Returns:
            The event's id, for `executed` and `ChatRecorder`.
        """
        event_id = ""
        try:
            if trace.event_id is None:  # a host may copy an id that it does not have
                trace.event_id = new_event_id()
            event_id = str(trace.event_id)
            trace.recorded.append(True)  # atomic: of two threads, one is the first
            if len(trace.recorded) == 1:
                self._writer.submit(_IntentJob(trace, self._preview))
        except Exception as error:
            self._writer.reject(error)
        return event_id

    def executed(
        self,
        event_id: str,
        success: bool | None,
        error_class: type[BaseException] | BaseException | str | None = None,
    ) -> str:
        """Tell how the command of an intent ran; None is unknown. Returns this event's id."""
        fields = {"intent_event_id": event_id, "success": success, "error_class": error_class}
        own_id = new_event_id()
        try:
            if isinstance(error_class, BaseException):
                # Its class only: the exception would keep a whole stack alive in the queue.
                fields["error_class"] = type(error_class)
            self._writer.submit(_ExecutionJob(own_id, fields))
        except Exception as error:
            self._writer.reject(error)
        return own_id

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Write what waits, on this thread; False when it took longer."""
        return self._writer.flush(timeout_seconds)

    def stats(self) -> WriterStats:
        """What became of the events that went through this recorder's writer."""
        return self._writer.stats()


def open_writer(home: Path | str | None) -> EventWriter:
    """The shared writer of a home, found as the command line does when none is named."""
    failure = None
    if home is None:
        try:
            # Only here: it reads the environment and imports what a named home does not need.
            from agentledger.settings import load_settings

            home = load_settings().home
        except Exception as error:
            failure = error
    writer = shared_writer(home)
    try:
        # Now rather than on the writer's thread: a fork during an import leaves its lock taken.
        from agentledger.emit import columns, event_rows, preview  # noqa: F401
    except Exception as error:
        failure = error
    if failure is not None:
        writer.note(failure)
    return writer


class _IntentJob:
    """An utterance that waits; lists are copied, since the host goes on using its own."""

    __slots__ = ("_at_ns", "_preview", "_trace", "_values", "kind", "size")

    def __init__(self, trace: IntentTrace, preview: bool) -> None:
        self.kind = INTENT_KIND
        self._at_ns = time.time_ns()
        self._trace = trace
        self._preview = preview
        self._values = values = list(_read_fields(trace))
        for index in _CONTAINERS:
            value = values[index]
            if value is not None and type(value) in (list, dict):
                values[index] = value.copy()
        text = trace.utterance
        trace.utterance = None
        self.size = len(text) if isinstance(text, str) else 0

    def render(self, hash_text: HashText) -> Mapping[str, Any]:
        from agentledger.emit.columns import intent_row
        from agentledger.emit.preview import preview_redacted

        fields = dict(zip(_FIELDS, self._values, strict=True))
        self._values = []
        text = fields.pop("utterance")
        row = intent_row(fields, self._at_ns, hash_text)
        if text is not None:
            row["utterance_hash"] = hash_text(str(text))
            row["utterance_preview"] = preview_redacted(str(text)) if self._preview else None
        return row

    def settle(self, written: bool) -> None:
        self._values = []
        self._trace.telemetry_persisted = written


class _ExecutionJob:
    """The result of a command that waits."""

    __slots__ = ("_at_ns", "_event_id", "_fields", "kind", "size")

    def __init__(self, event_id: str, fields: dict[str, Any]) -> None:
        self.kind = EXECUTION_KIND
        self.size = 0
        self._at_ns = time.time_ns()
        self._event_id = event_id
        self._fields = fields

    def render(self, hash_text: HashText) -> Mapping[str, Any]:
        from agentledger.emit import columns

        success = self._fields["success"]
        return {
            "event_id": self._event_id,
            "ts": columns.instant(self._at_ns),
            "intent_event_id": columns.identifier(self._fields["intent_event_id"], hash_text),
            "success": None if success is None else bool(success),
            "error_class": columns.class_name(self._fields["error_class"]),
        }

    def settle(self, written: bool) -> None:
        """Counted by the writer; nobody waits for it."""
