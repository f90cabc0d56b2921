"""The one instant of a run.

Belongs here: turning the clock, or the instant a replay asks for, into `as_of`. Nothing else in the
project asks what time it is to decide about numbers: models read `raw.run_context`.
"""

from datetime import UTC, datetime

from agentledger.errors import UsageError
from agentledger.settings import AS_OF_STEP_MINUTES


def as_of(override: str | None, now: datetime) -> datetime:
    """The instant that the numbers of a run describe, UTC, floored to five minutes.

    Args:
        override: ISO instant that replaces the clock, with an offset or in UTC.
        now: The clock.

    Raises:
        UsageError: When the override is no instant, or one that is still to come.
    """
    instant = now if override is None else _parsed(override)
    instant = instant.astimezone(UTC)
    if instant > now:
        raise UsageError(
            f"{instant:%Y-%m-%dT%H:%M:%SZ} is still to come. A run tells of the past: give an "
            "earlier instant."
        )
    minutes = instant.minute - instant.minute % AS_OF_STEP_MINUTES
    return instant.replace(minute=minutes, second=0, microsecond=0)


def _parsed(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"AGENTLEDGER_AS_OF is {text!r}, expected an ISO instant such as 2026-03-01T12:00:00Z."
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
