"""Prices of models: what the package says of a name, and what a person says instead."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger import prices
from agentledger.errors import AgentLedgerError
from agentledger.price_overrides import ALWAYS, TOKEN_CLASSES, PriceOverride, read_overrides
from agentledger.prices import NamedModel, Price, PricedModel

CONFIG = Path("config.toml")
MARCH = datetime(2026, 3, 13, tzinfo=UTC)


def priced(model: str, provider: str = "anthropic", tier: str = "standard") -> PricedModel:
    [found] = prices.price_models([NamedModel(provider, model, tier)], ())
    return found


def quotes(model: PricedModel, token_class: str) -> list[tuple[Any, ...]]:
    """(context above, USD per million, from, to) of a token class."""
    return [
        (p.context_threshold, p.usd_per_token * 1_000_000, p.valid_from, p.valid_to)
        for p in model.prices
        if p.token_class == token_class
    ]


def overrides(**entry: Any) -> tuple[PriceOverride, ...]:
    return read_overrides([entry], CONFIG)


def test_a_dated_name_is_the_model_of_that_name() -> None:
    found = priced("claude-opus-4-5-20251101")
    assert (found.matched_provider, found.matched_model) == ("anthropic", "claude-opus-4-5")
    assert quotes(found, "cache_write_1h") == [(0, 10, ALWAYS, None)]
    assert {p.source for p in found.prices} == {"genai-prices"}


def test_a_price_that_changed_has_an_interval_each_and_one_that_did_not_has_one() -> None:
    found = priced("claude-opus-4-6")
    assert quotes(found, "input_fresh") == [(0, 5, ALWAYS, None), (200_000, 10, ALWAYS, MARCH)]


def test_each_class_has_its_own_price_or_none() -> None:
    """One hour of cache is not derived from five minutes, nor a read from the input."""
    found = priced("gpt-4o-2024-05-13", "openai")
    assert {p.token_class for p in found.prices} == {"input_fresh", "output", "web_search"}
    assert priced("acme-large").prices == ()
    assert priced("acme-large").matched_model is None


def test_a_provider_is_found_by_the_names_of_telemetry() -> None:
    for provider, found in {
        "": "openai", "openai": "openai", "az.ai.openai": "azure", "azure.ai.openai": "azure",
    }.items():  # fmt: skip
        assert priced("gpt-4o", provider).matched_provider == found
    assert priced("grok-4", "x_ai").matched_provider == "x-ai"
    assert priced("gpt-4o", "nobody").matched_provider is None


def test_another_tier_costs_what_is_said_of_it_and_nothing_is_guessed() -> None:
    assert quotes(priced("claude-opus-4-6", tier="batch"), "output") == [
        (0, Decimal("12.5"), datetime(2026, 10, 14, tzinfo=UTC), None)
    ]
    assert priced("claude-opus-4-6", tier="priority").prices == ()


def test_a_price_by_the_hour_of_the_day_is_no_price() -> None:
    found = priced("deepseek-chat", "deepseek")
    assert (found.matched_model, found.prices) == ("deepseek-chat", ())


def test_prices_are_resolved_without_a_network() -> None:
    """In a process of its own, in which any look-up or connection raises."""
    code = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise RuntimeError(f"{event} {arguments}")
sys.addaudithook(refuse)
import threading
from agentledger import prices
found = prices.price_models([prices.NamedModel("anthropic", "claude-opus-4-5")], ())
assert found[0].prices
assert prices._catalogue().from_auto_update is False
assert threading.active_count() == 1, threading.enumerate()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_asking_whether_prices_changed_reads_none() -> None:
    code = (
        "import sys\nfrom agentledger import prices\nprices.fingerprint(())\n"
        "assert not any(name.startswith('genai_prices') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_fingerprint_follows_what_a_person_wrote() -> None:
    one, other = overrides(model="m", input=1), overrides(model="m", input=2)
    assert prices.fingerprint(one) == prices.fingerprint(overrides(model="m", input=1))
    assert len({prices.fingerprint(found) for found in ((), one, other)}) == 3


def test_an_override_cuts_the_package_in_two_and_takes_every_band() -> None:
    stated = overrides(
        model="claude-opus-4-6", input=1, valid_from="2026-01-01", valid_to="2026-02-01"
    )
    [found] = prices.price_models([NamedModel("anthropic", "claude-opus-4-6")], stated)
    january, february = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert quotes(found, "input_fresh") == [
        (0, 5, ALWAYS, january), (0, 1, january, february), (0, 5, february, None),
        (200_000, 10, ALWAYS, january), (200_000, 10, february, MARCH),
    ]  # fmt: skip
    assert quotes(found, "output")[0] == (0, 25, ALWAYS, None)


def test_the_more_exact_override_wins() -> None:
    """A name as it stands in the calls before the package's, a provider before none."""
    stated = read_overrides(
        [
            {"model": "claude-opus-4-5-20251101", "provider": "anthropic", "input": 3},
            {"model": "claude-opus-4-5-20251101", "input": 2},
            {"model": "claude-opus-4-5", "input": 1},
        ],
        CONFIG,
    )
    names = [
        NamedModel("anthropic", "claude-opus-4-5-20251101"),
        NamedModel("", "claude-opus-4-5-20251101", "batch"),
        NamedModel("anthropic", "claude-opus-4-5"),
    ]
    found = [quotes(model, "input_fresh") for model in prices.price_models(names, stated)]
    assert [model[0][1] for model in found] == [3, 3, 1]
    assert all(len(model) == 1 for model in found)


def test_a_model_that_no_package_knows_gets_the_price_that_a_person_wrote() -> None:
    stated = overrides(
        model="Acme-Large",
        token_class="cache_read",  # noqa: S106 - a kind of tokens
        usd_per_mtok=0.3,
        web_search=10,
    )
    [found] = prices.price_models([NamedModel("", "acme-large")], stated)
    assert [(p.token_class, p.usd_per_token, p.source) for p in found.prices] == [
        ("cache_read", Decimal("0.0000003"), "config.toml"),
        ("web_search", Decimal("0.01"), "config.toml"),
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"input": 1}, "entry 1 has no `model`"),
        ({"model": "m"}, "states no price"),
        ({"model": "m", "imput": 1}, "unknown key 'imput'"),
        ({"model": "m", "input": "3"}, "`input` must be a number"),
        ({"model": "m", "input": -1}, "`input` must be a number"),
        ({"model": "m", "input": float("nan")}, "`input` must be a number"),
        ({"model": "m", "input": True}, "`input` must be a number"),
        ({"model": "m", "input": 2_000_000}, "from 0 to 1,000,000"),
        ({"model": "m", "token_class": "thinking", "usd_per_mtok": 1}, "belong together"),
        ({"model": "m", "usd_per_mtok": 1}, "belong together"),
        ({"model": "m", "input": 1, "valid_from": "soon"}, "must be a date"),
        ({"model": "m", "input": 1, "valid_from": "2026-02", "valid_to": "2026-02-01"}, "date"),
        ({"model": "m", "input": 1, "valid_to": "1969-12-31"}, "hold at no time"),
        ({"model": "m", "input": 1, "context_threshold": 1.5}, "whole number of tokens"),
        ({"model": 3, "input": 1}, "must be text"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_in_words(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentLedgerError, match=message):
        read_overrides([entry], CONFIG)


def test_two_prices_at_one_time_are_refused() -> None:
    entries = [
        {"model": "m", "input": 1, "valid_to": "2026-02-02"},
        {"model": "M", "input": 2, "valid_from": "2026-02-01"},
    ]
    with pytest.raises(AgentLedgerError, match="two .* of m price input_fresh at 2026-02-01"):
        read_overrides(entries, CONFIG)
    entries[0]["valid_to"] = "2026-02-01"
    assert len(read_overrides(entries, CONFIG)) == 2


INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


@given(
    stated=st.lists(
        st.tuples(st.sampled_from(TOKEN_CLASSES[:5]), st.integers(0, 9), INSTANTS, INSTANTS),
        max_size=4,
    ),
    model=st.sampled_from(["claude-opus-4-6", "claude-opus-4-5", "acme"]),
)
def test_at_any_time_a_class_of_a_band_has_one_price(
    stated: list[tuple[str, int, datetime, datetime]], model: str
) -> None:
    """Whatever is overridden: intervals never overlap, and those of the package leave no gap."""
    entries = [
        {"model": f"claude-opus-4-{5 + number % 2}", "token_class": name, "usd_per_mtok": price,
         "valid_from": min(begin, end), "valid_to": max(begin, end)}
        for number, (name, price, begin, end) in enumerate(stated)
        if begin != end
    ]  # fmt: skip
    try:
        chosen = read_overrides(entries, CONFIG)
    except AgentLedgerError:
        return
    [found] = prices.price_models([NamedModel("anthropic", model)], chosen)
    series: dict[tuple[str, int], list[Price]] = {}
    for price in found.prices:
        series.setdefault((price.token_class, price.context_threshold), []).append(price)
    for (_, threshold), rows in series.items():
        for before, after in zip(rows, rows[1:], strict=False):
            assert before.valid_to is not None
            assert before.valid_to <= after.valid_from
            assert threshold or before.valid_to == after.valid_from
        assert all(row.valid_to is None or row.valid_from < row.valid_to for row in rows)
        assert threshold or (rows[0].valid_from, rows[-1].valid_to) == (ALWAYS, None)
