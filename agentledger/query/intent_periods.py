"""Which days and which prompt version a question about intents covers.

Belongs here: days as a condition on the daily marts, the period before. Does not belong here: the
questions (`intent_marts.py`).

Neither bound means all retained events: then the `v_intent_*` views answer, which alone can count
distinct sessions.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from agentledger.errors import UsageError
from agentledger.query.answers import json_value, read_answer
from agentledger.query.periods import parse_period
from agentledger.query.scope import UnknownNameError, unknown_name
from agentledger.snapshot import Snapshot

UNKNOWN_VERSION: Final = "(unknown)"
"""`prompt_version` of events that name none."""


@dataclass(frozen=True, slots=True)
class IntentPeriod:
    """UTC days [since, until) of one prompt version, or of all; open ends are None."""

    since: date | None = None
    until: date | None = None
    prompt_version: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether all retained events are meant."""
        return self == IntentPeriod()

    def condition(self) -> tuple[str, list[Any]]:
        """Condition on the daily marts, with its values to bind."""
        parts, values = ["true"], []
        for part, value in (
            ("event_date >= ?", self.since),
            ("event_date < ?", self.until),
            ("prompt_version = ?", self.prompt_version),
        ):
            if value is not None:
                parts.append(part)
                values.append(value)
        return " and ".join(parts), values

    def before(self, as_of: datetime) -> "IntentPeriod | None":
        """The same number of days just before; None when this one has no first day.

        An open end is the day of `as_of`, which is not over: then its days are not over either.
        """
        if self.since is None:
            return None
        end = self.until or (as_of.astimezone(UTC).date() + timedelta(days=1))
        length = max(end - self.since, timedelta(days=1))
        return IntentPeriod(self.since - length, self.since, self.prompt_version)

    def as_json(self) -> dict[str, Any]:
        """The period as JSON-serialisable values."""
        return {
            "since": json_value(self.since),
            "until": json_value(self.until),
            "prompt_version": self.prompt_version,
        }


def find_intent_period(
    snapshot: Snapshot,
    since: str | date | None,
    until: str | date | None,
    prompt_version: str | None,
) -> IntentPeriod:
    """Read a period; times back such as 7d count from the snapshot's instant.

    Raises:
        UsageError: When a value cannot be read or nothing is left between the two.
        UnknownNameError: When no event names that prompt version.
    """
    days = parse_period(snapshot.build.as_of, "daily", None, since, until)
    if prompt_version is not None:
        rows = read_answer(snapshot, "select distinct prompt_version from marts.intent_daily").rows
        known = [str(row[0]) for row in rows]
        if prompt_version not in known:
            raise UnknownNameError(
                unknown_name(
                    "prompt version",
                    prompt_version,
                    known,
                    'agentledger sql "select distinct prompt_version from marts.intent_daily"',
                )
            )
    return IntentPeriod(days.since, days.until, prompt_version)


def check_limits(min_count: int, top: int) -> None:
    """Refuse limits that leave nothing.

    Raises:
        UsageError: When one is below 1.
    """
    for option, value in (("min-count", min_count), ("top", top)):
        if value < 1:
            raise UsageError(f"--{option} {value} is no number of rows or events. Give 1 or more.")
