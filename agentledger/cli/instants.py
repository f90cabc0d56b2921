"""Instants as a person types them.

Belongs here: an option that is an instant, `now` among them. Does not belong here: reading one
(`agentledger/instants.py`), periods of buckets (`query/periods.py`).
"""

from datetime import UTC, datetime


def parse_instant(text: str, option: str) -> datetime:
    """Read an ISO instant, UTC where it has no offset; `now` is the clock.

    Raises:
        UsageError: When it is none; names the option.
    """
    from agentledger import instants

    if text == "now":
        return datetime.now(UTC)
    return instants.parse_instant(text, option, or_else=", or now")
