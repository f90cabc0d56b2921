"""Time zones as people name them.

Belongs here: refusing what is no zone. Does not belong here: the zone of this host (`settings.py`),
times in a zone (`models/`).
"""

from agentledger.errors import UsageError


def check_zone(zone: str | None) -> None:
    """Refuse what is not an IANA time zone, before it reaches a file or a model.

    Raises:
        UsageError: When it is not one.
    """
    import zoneinfo

    if zone is None:
        return
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"{zone!r} is not a time zone. Give an IANA name such as Europe/Paris or UTC."
        ) from error
