"""The one instant of a run.

Belongs here: turning the clock, or the instant a replay asks for, into `as_of`. Nothing else in the
project asks what time it is to decide about numbers: models read `raw.run_context`.
"""

from datetime import UTC, datetime

from agentledger.errors import UsageError
from agentledger.instants import floor_to_step, parse_instant
from agentledger.settings import AS_OF_VARIABLE


def as_of(override: str | None, now: datetime) -> datetime:
    """The instant that the numbers of a run describe, UTC, floored to five minutes.

    Args:
        override: ISO instant that replaces the clock, with an offset or in UTC.
        now: The clock.

    Raises:
        UsageError: When the override is no instant, or one that is still to come.
    """
    instant = now if override is None else parse_instant(override, AS_OF_VARIABLE)
    instant = instant.astimezone(UTC)
    if instant > now:
        raise UsageError(
            f"{instant:%Y-%m-%dT%H:%M:%SZ} is still to come. A run tells of the past: give an "
            "earlier instant."
        )
    return floor_to_step(instant)
