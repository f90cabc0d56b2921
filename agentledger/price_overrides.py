"""Prices that a person wrote into `config.toml`, which come before those of the package.

Belongs here: what a `[[prices]]` entry may say, and the errors for people. Does not belong here:
how prices are put together (`prices.py`), reading the file (`config.py`).

    [[prices]]
    model = "claude-sonnet-4-5"      # as the calls name it, or as the package does
    provider = "anthropic"           # optional: else whoever serves it
    input = 3.00                     # USD per million tokens
    output = 15.00
    cache_read = 0.30
    cache_write_5m = 3.75
    cache_write_1h = 6.00
    web_search = 10.00               # USD per thousand searches
    context_threshold = 200000       # optional: only of requests with more input than that
    service_tier = "batch"           # optional: else of every tier
    valid_from = 2026-01-01          # optional, inclusive, UTC; else always
    valid_to = 2026-07-01            # optional, exclusive; else for good
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from agentledger.errors import AgentLedgerError

ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when a price holds of which nobody says since when."""

PER_MILLION: Final = Decimal(1_000_000)

CLASSES: Final[Mapping[str, tuple[str, Decimal]]] = {
    "input": ("input_fresh", PER_MILLION),
    "cache_write_5m": ("cache_write_5m", PER_MILLION),
    "cache_write_1h": ("cache_write_1h", PER_MILLION),
    "cache_read": ("cache_read", PER_MILLION),
    "output": ("output", PER_MILLION),
    "web_search": ("web_search", Decimal(1_000)),
}
"""Key of an entry → token class, and for how many the price is stated."""

TOKEN_CLASSES: Final = tuple(name for name, _ in CLASSES.values())

MAX_PRICE: Final = Decimal(1_000_000)
"""USD per million tokens: a dollar a token is a slip of the keyboard."""

_OTHER_KEYS: Final = frozenset(
    {"model", "provider", "service_tier", "context_threshold", "valid_from", "valid_to",
     "token_class", "usd_per_mtok"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """One price of one token class, as a person stated it."""

    model: str
    provider: str | None
    service_tier: str | None
    token_class: str
    context_threshold: int
    usd_per_token: Decimal
    valid_from: datetime
    valid_to: datetime | None

    @property
    def scope(self) -> tuple[str, str, str, str, int]:
        """What it prices; two of the same scope may not overlap."""
        return (
            self.model, self.provider or "", self.service_tier or "", self.token_class,
            self.context_threshold,
        )  # fmt: skip


def read_overrides(entries: Sequence[Mapping[str, Any]], path: Path) -> tuple[PriceOverride, ...]:
    """Read the `[[prices]]` entries of a configuration.

    Raises:
        AgentLedgerError: When an entry cannot be understood, or two of them contradict each other.
    """
    found = tuple(
        override
        for number, entry in enumerate(entries, start=1)
        for override in _entry(entry, f"{path}: [[prices]] entry {number}")
    )
    _refuse_overlaps(found, path)
    return found


def _entry(entry: Mapping[str, Any], where: str) -> Iterator[PriceOverride]:
    unknown = sorted(set(entry) - _OTHER_KEYS - set(CLASSES))
    if unknown:
        raise AgentLedgerError(
            f"{where}: unknown key {unknown[0]!r}. Known: "
            f"{', '.join([*sorted(_OTHER_KEYS), *CLASSES])}."
        )
    model = _name(entry, "model", where)
    if model is None:
        raise AgentLedgerError(f"{where} has no `model`.")
    where = f"{where} ({model})"
    valid_from = _instant(entry, "valid_from", where) or ALWAYS
    valid_to = _instant(entry, "valid_to", where)
    if valid_to is not None and valid_to <= valid_from:
        raise AgentLedgerError(
            f"{where}: `valid_to` {valid_to:%Y-%m-%d %H:%M} is not after `valid_from` "
            f"{valid_from:%Y-%m-%d %H:%M}; the price would hold at no time."
        )
    prices = list(_prices(entry, where))
    if not prices:
        raise AgentLedgerError(
            f"{where} states no price. Give one of {', '.join(CLASSES)} in USD per million tokens."
        )
    for token_class, usd_per_token in prices:
        yield PriceOverride(
            model=model,
            provider=_name(entry, "provider", where),
            service_tier=_name(entry, "service_tier", where),
            token_class=token_class,
            context_threshold=_threshold(entry, where),
            usd_per_token=usd_per_token,
            valid_from=valid_from,
            valid_to=valid_to,
        )


def _prices(entry: Mapping[str, Any], where: str) -> Iterator[tuple[str, Decimal]]:
    for key, (token_class, per) in CLASSES.items():
        if key in entry:
            yield token_class, _price(entry[key], key, where) / per
    if "token_class" not in entry and "usd_per_mtok" not in entry:
        return
    named = entry.get("token_class")
    if named not in TOKEN_CLASSES[:-1] or "usd_per_mtok" not in entry:
        raise AgentLedgerError(
            f"{where}: `token_class` (one of {', '.join(TOKEN_CLASSES[:-1])}) and `usd_per_mtok` "
            f"belong together; found {named!r}."
        )
    yield named, _price(entry["usd_per_mtok"], "usd_per_mtok", where) / PER_MILLION


def _price(value: Any, key: str, where: str) -> Decimal:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    price = Decimal(repr(value)) if is_number else None
    if price is None or not price.is_finite() or not 0 <= price <= MAX_PRICE:
        raise AgentLedgerError(
            f"{where}: `{key}` must be a number of US dollars from 0 to {MAX_PRICE:,}, "
            f"found {value!r}."
        )
    return price


def _threshold(entry: Mapping[str, Any], where: str) -> int:
    value = entry.get("context_threshold", 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10**12:
        raise AgentLedgerError(
            f"{where}: `context_threshold` must be a whole number of tokens, found {value!r}."
        )
    return value


def _name(entry: Mapping[str, Any], key: str, where: str) -> str | None:
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise AgentLedgerError(f"{where}: `{key}` must be text in quotes, found {value!r}.")
    return value.strip().lower()


def _instant(entry: Mapping[str, Any], key: str, where: str) -> datetime | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise AgentLedgerError(
            f"{where}: `{key}` must be a date or an instant such as 2026-01-31, "
            f"found {entry[key]!r}."
        )
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _refuse_overlaps(overrides: Iterable[PriceOverride], path: Path) -> None:
    latest: dict[tuple[str, str, str, str, int], PriceOverride] = {}
    for override in sorted(overrides, key=lambda item: (item.scope, item.valid_from)):
        before = latest.get(override.scope)
        if before and (before.valid_to is None or before.valid_to > override.valid_from):
            raise AgentLedgerError(
                f"{path}: two [[prices]] of {override.model} price {override.token_class} at "
                f"{override.valid_from:%Y-%m-%d %H:%M}. Give the earlier one a `valid_to`."
            )
        latest[override.scope] = override
