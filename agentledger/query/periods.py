"""Time windows, buckets and ranges as a person writes them.

Belongs here: parsing `--window`, `--bucket`, `--since`, `--until`, all pure. Does not belong here:
how the buckets were filled (`models/`).

"Now" is the `as_of` of the snapshot, not the clock: the same snapshot gives the same answer.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from agentledger.errors import UsageError

WINDOWS: Final = ("daily", "weekly", "monthly", "all")
"""Values of `skill_aggregates.time_window`."""

ALL_TIME_BUCKET: Final = date(1970, 1, 1)
"""`bucket_start` of the window 'all', fixed by the contract of skill_aggregates."""

_DAYS_PER_UNIT: Final = {"d": 1, "w": 7, "h": 1 / 24}


@dataclass(frozen=True, slots=True)
class Period:
    """Which buckets are asked for. No bucket and no range means the newest bucket."""

    window: str
    bucket: date | None = None
    since: date | None = None
    """First bucket, inclusive."""
    until: date | None = None
    """First bucket no longer wanted."""

    @property
    def is_range(self) -> bool:
        """Whether several buckets may be answered."""
        return self.since is not None or self.until is not None


def parse_period(
    as_of: datetime,
    window: str = "all",
    bucket: str | date | None = None,
    since: str | date | None = None,
    until: str | date | None = None,
) -> Period:
    """Read a period. Any day names the bucket that holds it, so a range is whole buckets.

    Args:
        as_of: The snapshot's instant, to which "7d" and "latest" are relative.
        window: 'daily', 'weekly', 'monthly' or 'all'.
        bucket: A day such as 2026-03-01, or 'latest'.
        since: A day, or a time back such as 7d, 4w, 36h; its bucket is included.
        until: The same; its bucket is left out.

    Raises:
        UsageError: When a value cannot be read or does not fit the window.
    """
    if window not in WINDOWS:
        raise UsageError(f"Unknown window {window!r}. Give one of {', '.join(WINDOWS)}.")
    if bucket == "latest":
        bucket = None
    if window == "all":
        # Refused, not ignored: a window that is silently not applied reports all of history
        # under the name of a week.
        for option, value in (("bucket", bucket), ("since", since), ("until", until)):
            if value is not None:
                raise UsageError(
                    f"--{option} needs --window daily, weekly or monthly: "
                    "the window 'all' has a single bucket."
                )
        return Period("all", ALL_TIME_BUCKET)
    if bucket is not None and (since is not None or until is not None):
        raise UsageError("Give either --bucket or --since/--until, not both.")
    first = _bucket_of(since, "since", window, as_of)
    end = _bucket_of(until, "until", window, as_of)
    if first is not None and end is not None and end <= first:
        raise UsageError(f"--until {until} leaves nothing after --since {since}.")
    return Period(window, _bucket_of(bucket, "bucket", window, as_of), first, end)


def bucket_start(day: date, window: str) -> date:
    """First day of the bucket that holds a day: the day, its Monday, or the first of its month."""
    if window == "weekly":
        return day - timedelta(days=day.weekday())
    if window == "monthly":
        return day.replace(day=1)
    return day


def _bucket_of(value: str | date | None, option: str, window: str, as_of: datetime) -> date | None:
    return None if value is None else bucket_start(_day(value, option, as_of), window)


def _day(value: str | date, option: str, as_of: datetime) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    text = value.strip()
    back = re.fullmatch(r"(\d{1,5})([dwh])", text)
    try:
        if back and option != "bucket":
            days = int(back.group(1)) * _DAYS_PER_UNIT[back.group(2)]
            return (as_of.astimezone(UTC) - timedelta(days=days)).date()
        return date.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        examples = "2026-03-01" if option == "bucket" else "2026-03-01 or 7d, 4w, 36h"
        raise UsageError(f"Cannot read --{option} {value!r}. Give {examples}.") from error
