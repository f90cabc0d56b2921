"""Instants: as people type them, as files keep them, and the step in which the ledger tells time.

Belongs here: reading and writing one instant. Does not belong here: periods of buckets
(`query/periods.py`), times as sources spell them (`event_time.py`), the clock itself.
"""

from datetime import UTC, datetime

from agentledger.errors import UsageError
from agentledger.settings import AS_OF_STEP_MINUTES

EXAMPLE = "2026-03-01T12:00:00Z"


def parse_instant(text: str, told_by: str, *, or_else: str = "") -> datetime:
    """Read an ISO instant, UTC where it has no offset.

    Args:
        text: What was typed.
        told_by: The option or variable, for the message.
        or_else: What else the caller would have understood.

    Raises:
        UsageError: When it is none.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{told_by} is {text!r}, expected an ISO instant such as {EXAMPLE}{or_else}."
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def floor_to_step(instant: datetime) -> datetime:
    """The step of five minutes that an instant lies in: `as_of` is one of these."""
    minutes = instant.minute - instant.minute % AS_OF_STEP_MINUTES
    return instant.replace(minute=minutes, second=0, microsecond=0)


def iso(instant: datetime) -> str:
    """An aware instant in UTC, as our own files write it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
