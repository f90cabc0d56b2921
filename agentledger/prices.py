"""What a token of a model costs: the prices of the package, and those that a person wrote.

Belongs here: which prices hold for a model as a source names it, since when and until when. How
names match is the package's data, so the package is asked. Does not belong here: the tables
(`ingest/model_prices.py`), what a call costs (`models/`).

The prices are those inside the installed package: nothing is fetched. The package is imported when
a name is to be resolved, and only then.
"""

import hashlib
import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from agentledger.price_overrides import ALWAYS, PER_MILLION, TOKEN_CLASSES, PriceOverride

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider

PACKAGE: Final = "genai-prices"
"""Where prices come from that nobody overrode."""

CONFIG: Final = "config.toml"
"""Where the others come from."""

STANDARD: Final = "standard"
"""The tier of a request that names none."""

STANDARD_NAMES: Final = ("", STANDARD, "default", "auto", "on_demand")
"""What sources call it."""

RULES: Final = "3"
"""Changes when other prices are made of the same data, or other tables are asked for models."""

_PACKAGE_KEYS: Final[dict[str, tuple[tuple[str, ...], Decimal]]] = {
    "input_fresh": (("input_mtok",), PER_MILLION),
    "cache_write_5m": (("cache_write_5m_mtok", "cache_write_mtok"), PER_MILLION),
    "cache_write_1h": (("cache_write_1h_mtok",), PER_MILLION),
    "cache_read": (("cache_read_mtok",), PER_MILLION),
    "output": (("output_mtok",), PER_MILLION),
    "web_search": (("web_searches_kcount",), Decimal(1_000)),
}
"""Token class → the package's keys, the more exact first. A class that the package does not price
has no price: none is derived from another one's."""

_PROVIDERS: Final = {"x_ai": "x-ai", "az.ai.openai": "azure", "azure.ai.openai": "azure"}
"""Names of providers in telemetry that the package reads otherwise, or not at all."""


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as a source names it; lower case, '' for a provider that nobody named."""

    provider: str
    model: str
    service_tier: str = STANDARD


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one token class in one context band, from an instant to another."""

    token_class: str
    context_threshold: int
    usd_per_token: Decimal
    valid_from: datetime
    valid_to: datetime | None
    source: str
    source_version: str


@dataclass(frozen=True, slots=True)
class PricedModel:
    """What the package and the configuration know of a model."""

    name: NamedModel
    matched_provider: str | None
    matched_model: str | None
    prices: tuple[Price, ...]


def fingerprint(overrides: Sequence[PriceOverride]) -> str:
    """Changes with the installed prices and with those that a person wrote; reads no price."""
    stated = sorted(repr(override) for override in overrides)
    text = "\x1f".join([RULES, importlib.metadata.version(PACKAGE), *stated])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def price_models(
    names: Iterable[NamedModel], overrides: Sequence[PriceOverride]
) -> list[PricedModel]:
    """Find the prices of models as sources name them; one that nobody prices has none."""
    return [_price_model(name, overrides) for name in names]


def _price_model(name: NamedModel, overrides: Sequence[PriceOverride]) -> PricedModel:
    match = _matched(name)
    prices: list[Price] = []
    if match is not None:
        prices = list(_package_prices(name, *match))
    matched = (match[0].id, match[1].id) if match else (None, None)
    for override in _applying(name, matched, overrides):
        prices = [*_displaced(prices, override), _stated(override)]
    order = TOKEN_CLASSES.index
    prices.sort(key=lambda p: (order(p.token_class), p.context_threshold, p.valid_from))
    return PricedModel(name, *matched, tuple(_joined(prices)))


def _joined(prices: Iterable[Price]) -> Iterator[Price]:
    """One interval where a price went on as it was."""
    last: Price | None = None
    for price in prices:
        if (
            last is not None
            and price == replace(last, valid_from=price.valid_from, valid_to=price.valid_to)
            and last.valid_to == price.valid_from
        ):
            last = replace(last, valid_to=price.valid_to)
            continue
        if last is not None:
            yield last
        last = price
    if last is not None:
        yield last


@cache
def _catalogue() -> "DataSnapshot":
    """The prices inside the package, whatever else in this process may have fetched."""
    from genai_prices.data import providers
    from genai_prices.data_snapshot import DataSnapshot

    return DataSnapshot(providers=providers, from_auto_update=False)


def _matched(name: NamedModel) -> "tuple[Provider, ModelInfo] | None":
    """The package's own answer: by the provider, or by the model where none is named."""
    try:
        return _catalogue().find_provider_model(
            name.model, None, _PROVIDERS.get(name.provider, name.provider) or None, None
        )
    except LookupError:
        return None


def _package_prices(name: NamedModel, provider: "Provider", model: "ModelInfo") -> Iterator[Price]:
    """The package's prices as intervals. A price that depends on the hour of the day has none.

    Nor has a tier that the package does not price: it costs more or less than the standard one.
    """
    from genai_prices.types import ModelPrice, StartDateConstraint

    context = _context(name.service_tier)
    # Of another provider's model, the package tells the standard prices only.
    is_own = any(model is own for own in provider.models)
    variants = [
        v for v in model.price_variants or () if is_own and v.when.items() <= context.items()
    ]
    conditional = [] if isinstance(model.prices, ModelPrice) else model.prices
    constraints = [entry.constraint for entry in (*conditional, *variants)]
    dated = [found for found in constraints if isinstance(found, StartDateConstraint)]
    if len(dated) < sum(found is not None for found in constraints):
        return
    begins = sorted({ALWAYS, *(datetime.combine(d.start_date, time(), UTC) for d in dated)})
    for begin, end in zip(begins, [*begins[1:], None], strict=True):
        holds = [v for v in variants if v.constraint is None or v.constraint.active(begin)]
        if not context or holds:
            for price in _classes(model.get_prices(begin, context if holds else None)):
                yield replace(price, valid_from=begin, valid_to=end)


def _context(service_tier: str) -> dict[str, str]:
    if service_tier == STANDARD:
        return {}
    return {"service_tier": service_tier} | (
        {"processing": "batch"} if service_tier == "batch" else {}
    )


def _classes(prices: "ModelPrice") -> Iterator[Price]:
    version = importlib.metadata.version(PACKAGE)
    for token_class, (keys, per) in _PACKAGE_KEYS.items():
        stated: Any = next(
            (found for key in keys if (found := getattr(prices, key)) is not None), None
        )
        if stated is None:
            continue
        bands = [(0, stated)]
        if not isinstance(stated, Decimal):
            bands = [(0, stated.base), *((tier.start, tier.price) for tier in stated.tiers)]
        for threshold, price in dict(bands).items():
            yield Price(token_class, threshold, price / per, ALWAYS, None, PACKAGE, version)


def _applying(
    name: NamedModel, matched: tuple[str | None, str | None], overrides: Sequence[PriceOverride]
) -> list[PriceOverride]:
    """Overrides of a model, the more exact ones last: they have the last word."""
    providers = {name.provider, _PROVIDERS.get(name.provider, name.provider), matched[0]}
    found = [
        override
        for override in overrides
        if override.model in (name.model, matched[1])
        and (override.provider is None or override.provider in providers)
        and (override.service_tier in (None, name.service_tier))
    ]
    return sorted(
        found,
        key=lambda item: (
            item.model == name.model,
            item.provider is not None,
            item.service_tier is not None,
            item.context_threshold,
            item.valid_from,
        ),
    )


def _displaced(prices: Iterable[Price], override: PriceOverride) -> Iterator[Price]:
    """What is left of other prices beside an override; one without threshold takes every band."""
    for price in prices:
        is_meant = price.token_class == override.token_class and (
            override.context_threshold in (0, price.context_threshold)
        )
        if not is_meant:
            yield price
            continue
        if price.valid_from < override.valid_from:
            yield replace(price, valid_to=_earlier(price.valid_to, override.valid_from))
        if override.valid_to is not None and (
            price.valid_to is None or price.valid_to > override.valid_to
        ):
            yield replace(price, valid_from=max(price.valid_from, override.valid_to))


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _stated(override: PriceOverride) -> Price:
    return Price(
        token_class=override.token_class,
        context_threshold=override.context_threshold,
        usd_per_token=override.usd_per_token,
        valid_from=override.valid_from,
        valid_to=override.valid_to,
        source=CONFIG,
        source_version="",
    )
