"""The formats of event logs, and how a record's is told by its shape.

Belongs here: the list of formats and `recognise`. Does not belong here: what a format keeps (the
modules named `*_formats.py`), reading files (`event_stage.py`).
"""

from collections.abc import Iterable, Mapping

from agentledger.ingest.event_format import EventFormat
from agentledger.ingest.intent_formats import CHAT_EVENTS, INTENT_EVENTS, INTENT_EXECUTIONS
from agentledger.ingest.telemetry_formats import TELEMETRY_FORMATS
from agentledger.ingest.usage_formats import USAGE_FORMATS
from agentledger.ingest.work_formats import LEDGER_READS, SKILL_INVOCATIONS, WORKFLOW_EXECUTIONS

__all__ = ["FORMATS", "WRAPPERS", "EventFormat", "recognise"]

FORMATS: Mapping[str, EventFormat] = {
    **{
        item.name: item
        for item in (
            INTENT_EVENTS, INTENT_EXECUTIONS, CHAT_EVENTS, WORKFLOW_EXECUTIONS, LEDGER_READS,
            SKILL_INVOCATIONS,
        )
    },
    **TELEMETRY_FORMATS,
    **USAGE_FORMATS,
}  # fmt: skip
"""In the order in which a record is compared with them."""

WRAPPERS = frozenset(name for item in FORMATS.values() for name in item.wrappers)


def recognise(
    names: Iterable[str], formats: Mapping[str, EventFormat] = FORMATS
) -> EventFormat | None:
    """Tell the format of a record by the names of its members; None when it is none of these."""
    present = frozenset(names)
    for candidate in formats.values():
        if present & candidate.not_told_by:
            continue
        if any(told <= present for told in candidate.told_by):
            return candidate
    return None
