"""Windows, buckets and ranges as a person writes them."""

from datetime import UTC, date, datetime

import pytest

from agentledger.errors import UsageError
from agentledger.query.periods import ALL_TIME_BUCKET, bucket_start, parse_period

AS_OF = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("day", "window", "expected"),
    [
        (date(2026, 3, 1), "weekly", date(2026, 2, 23)),
        (date(2026, 3, 2), "weekly", date(2026, 3, 2)),
        (date(2026, 12, 31), "monthly", date(2026, 12, 1)),
        (date(2026, 3, 1), "daily", date(2026, 3, 1)),
    ],
    ids=["Sunday", "Monday", "December", "day"],
)
def test_a_day_names_the_bucket_that_holds_it(day: date, window: str, expected: date) -> None:
    assert bucket_start(day, window) == expected


@pytest.mark.parametrize(
    ("since", "window", "expected"),
    [
        ("7d", "daily", date(2026, 3, 5)),
        ("1w", "weekly", date(2026, 3, 2)),
        ("10h", "daily", date(2026, 3, 11)),
        ("2026-03-04", "weekly", date(2026, 3, 2)),
        (date(2026, 3, 4), "monthly", date(2026, 3, 1)),
    ],
)
def test_since_counts_back_from_the_build_and_takes_whole_buckets(
    since: str | date, window: str, expected: date
) -> None:
    """Back from the build and not from the clock: one snapshot, one answer."""
    assert parse_period(AS_OF, window, since=since).since == expected


@pytest.mark.parametrize(
    "options",
    [
        {"window": "hourly"},
        {"window": "all", "since": "7d"},
        {"window": "all", "bucket": "2026-03-01"},
        {"window": "daily", "since": "soon"},
        {"window": "daily", "since": "2026-02-30"},
        {"window": "daily", "since": "9999999d"},
        {"window": "daily", "bucket": "7d"},
        {"window": "daily", "bucket": "2026-03-01", "since": "7d"},
        {"window": "weekly", "since": "2026-03-10", "until": "2026-03-11"},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused(options: dict[str, str]) -> None:
    """A range that is quietly ignored would report all of history as a week."""
    with pytest.raises(UsageError):
        parse_period(AS_OF, **options)


def test_no_bucket_means_the_newest_and_all_has_one() -> None:
    assert parse_period(AS_OF, "weekly").bucket is None
    assert parse_period(AS_OF, "weekly", bucket="latest").bucket is None
    assert parse_period(AS_OF, "all").bucket == ALL_TIME_BUCKET
