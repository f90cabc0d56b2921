"""Instants as a person types them.

Belongs here: parsing an option that is an instant. Does not belong here: periods of buckets
(`query/periods.py`).
"""

from datetime import UTC, datetime


def parse_instant(text: str, option: str) -> datetime:
    """Read an ISO instant, UTC where it has no offset; `now` is the clock.

    Raises:
        UsageError: When it is none; names the option.
    """
    from agentledger.errors import UsageError

    if text == "now":
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} is {text!r}, expected an ISO instant such as 2026-03-01T12:00:00Z, or now."
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
