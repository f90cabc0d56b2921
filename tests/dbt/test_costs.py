"""What calls cost, from transcripts to the marts: the package's own sums, changes, increments."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
LATER = datetime(2026, 12, 2, tzinfo=UTC)
MODELS = ("+v_unpriced_models",)
BATCH_SINCE = datetime(2026, 10, 14, tzinfo=UTC)

# The one changed its prices on 2026-03-13, the second has a band above 200,000 for good.
NAMES = (
    "claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-haiku-4-5", "acme-large",
    "acme-small",
)  # fmt: skip
TOMORROW = """
[[prices]]
model = "claude-haiku-4-5"
output = 8
valid_from = 2026-12-01
"""
SMALL = """
[[prices]]
model = "acme-small"
input = 1
output = 2
"""
ACME = """
[[prices]]
model = "acme-large"
input = 3
cache_write_5m = 3.75
cache_write_1h = 6
cache_read = 0.3
output = 15
web_search = 10
"""


def calls(count: int, seed: int) -> list[dict[str, Any]]:
    """Lines of a transcript, one response each, some with no tokens of a tier."""
    chance = random.Random(seed)  # noqa: S311 - test data
    found = []
    for number in range(count):
        amounts = [chance.choice((0, 1, 999, 40_000, 49_999, 50_000, 120_000)) for _ in range(4)]
        fresh, five, hour, read = amounts
        at = datetime(2026, 3, 12, 23, 59, 58, tzinfo=UTC) + chance.choice(
            (timedelta(seconds=number % 4), timedelta(days=chance.randrange(-200, 240)))
        )
        found.append(
            {
                "type": "assistant", "sessionId": f"session-{seed}", "version": "2.1.42",
                "cwd": "/home/u/app", "uuid": f"{seed}-{number}", "requestId": f"r{seed}-{number}",
                "timestamp": at.isoformat().replace("+00:00", "Z"),
                "message": {
                    "id": f"m{seed}-{number}", "role": "assistant", "content": [],
                    "model": chance.choice(NAMES),
                    "usage": {
                        "input_tokens": fresh, "output_tokens": chance.randrange(3_000),
                        "cache_creation_input_tokens": five + hour,
                        "cache_read_input_tokens": read,
                        "cache_creation": {
                            "ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour,
                        },
                        "server_tool_use": {"web_search_requests": chance.choice((0, 0, 2))},
                        "service_tier": chance.choice((None, "standard", "standard", "batch")),
                    },
                },
            }
        )  # fmt: skip
    return found


class Ledger:
    """A data home with transcripts, prices of its own, and the models that cost comes from."""

    def __init__(self, folder: Path, dbt: Callable[..., Any]) -> None:
        self.settings = Settings(home=folder / "home", host_zone="UTC")
        self.source = folder / "transcripts"
        self.source.mkdir(parents=True)
        self._dbt = dbt
        self._runs = 0
        warehouse.prepare_home(self.settings)
        registry.add_source(
            self.settings, "claude-code", str(self.source), zone="UTC", projects="all"
        )
        self._config = self.settings.config_path.read_text()

    def take(self, name: str, lines: list[dict[str, Any]]) -> None:
        (self.source / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))

    def price(self, *stated: str) -> None:
        self.settings.config_path.write_text(self._config + "".join(stated))

    def run(self, as_of: datetime = AS_OF, command: str = "run") -> None:
        self._runs += 1
        with warehouse.open_warehouse(self.settings) as connection:
            collect.collect(self.settings, connection, run_id=str(self._runs), as_of=as_of)
        unit: tuple[str, ...] = ()
        if command == "build":
            unit = ("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
        self._dbt(self.settings.warehouse_path, command, *unit, "--select", *MODELS)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with warehouse.open_warehouse(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        with warehouse.open_warehouse(self.settings) as connection:
            connection.execute(sql)

    def costs(self) -> list[tuple[Any, ...]]:
        """The marts of cost, but for what is of this data home or of the time of loading."""
        return [
            (
                name,
                self.rows(f"select * exclude ({', '.join(own)}) from marts.{name} order by all"),
            )
            for name, own in (
                ("fct_llm_calls", ("load_seq", "file_id", "project_id", "session_key")),
                ("usage_quarter_hours", ("load_seq", "project_id", "session_key")),
                ("dim_model_prices", ("source_version",)),
                ("v_unpriced_models", ("reason",)),
            )
        ]


@pytest.fixture(scope="module")
def new_ledger(
    dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Ledger]:
    return lambda: Ledger(tmp_path_factory.mktemp("ledger"), dbt)


@pytest.fixture(scope="module")
def ledger(new_ledger: Callable[[], Ledger]) -> Ledger:
    """A first run, built and tested."""
    made = new_ledger()
    made.take("one", calls(400, seed=1))
    made.price(TOMORROW, SMALL)
    made.run(command="build")
    return made


def package_cost(row: dict[str, Any]) -> Decimal | None:
    """What the package itself makes of a call; None where its prices do not say."""
    from genai_prices import Usage, calc_price

    if row["model"] == "acme-large":
        return None
    context = None
    if row["service_tier"] == "batch":
        if row["occurred_at"] < BATCH_SINCE:
            return None
        context = {"processing": "batch"}
    five, hour = row["cache_write_5m_tokens"], row["cache_write_1h_tokens"]
    usage = Usage(
        input_tokens=row["input_fresh_tokens"] + five + hour + row["cache_read_tokens"],
        cache_write_tokens=five + hour,
        cache_write_1h_tokens=hour,
        cache_read_tokens=row["cache_read_tokens"],
        output_tokens=row["output_tokens"],
        web_searches=row["web_search_requests"],
    )
    return calc_price(
        usage,
        row["model"],
        provider_id="anthropic",
        genai_request_timestamp=row["occurred_at"],
        price_context=context,
    ).total_price


def test_tiers_priced_apart_add_up_to_what_the_package_says(ledger: Ledger) -> None:
    """Over bands, dates, tiers of requests and web searches, to the last digit."""
    columns = (
        "model", "service_tier", "occurred_at", "input_fresh_tokens", "cache_write_5m_tokens",
        "cache_write_1h_tokens", "cache_read_tokens", "output_tokens", "web_search_requests",
        "cost_usd",
    )  # fmt: skip
    rows = [
        dict(zip(columns, row, strict=True))
        for row in ledger.rows(f"select {', '.join(columns)} from marts.fct_llm_calls")
    ]
    assert len(rows) == 400
    assert {row["model"] for row in rows if row["cost_usd"] is None} == set(NAMES)
    rows = [row for row in rows if row["model"] != "acme-small"]
    assert [row for row in rows if row["cost_usd"] != package_cost(row)] == []


def test_the_quarters_hold_the_cost_of_their_calls(ledger: Ledger) -> None:
    facts = ledger.rows(
        "select sum(cost_usd), count(*) filter (cost_usd is null), sum(cost_today_usd), "
        "sum(cache_savings_usd) from marts.fct_llm_calls"
    )
    marts = ledger.rows(
        "select sum(cost_usd), sum(unpriced_calls), sum(cost_today_usd), sum(cache_savings_usd) "
        "from marts.usage_quarter_hours"
    )
    assert marts == facts
    [unpriced] = ledger.rows(
        "select reason, calls = unpriced_calls, unpriced_tokens > 0 "
        "from marts.v_unpriced_models where model = 'acme-large'"
    )
    assert unpriced == ("no_price", True, True)


def test_prices_that_did_not_change_cost_nothing(ledger: Ledger) -> None:
    """Should leave a row alone that a run without news has no reason to write."""
    ledger.execute("update marts.fct_llm_calls set cost_usd = 42 where model = 'acme-large'")
    before = ledger.costs()
    ledger.run()
    assert ledger.costs() == before
    ledger.execute("update marts.fct_llm_calls set cost_usd = null where model = 'acme-large'")


@pytest.mark.slow
@pytest.mark.rebuilds
def test_increments_end_where_a_build_from_scratch_does(
    ledger: Ledger, new_ledger: Callable[[], Ledger]
) -> None:
    """A new price, a price that begins, new calls: each changes what it must and no more."""
    one, two = calls(400, seed=1), calls(60, seed=2)
    before = ledger.rows("select llm_call_key, cost_usd from marts.fct_llm_calls order by 1")
    ledger.run(LATER)  # the dearer output of December begins: only what calls would cost today
    assert before == ledger.rows(
        "select llm_call_key, cost_usd from marts.fct_llm_calls order by 1"
    )
    assert ledger.rows(
        "select count(*) from marts.fct_llm_calls where model = 'claude-haiku-4-5' "
        "and service_tier is distinct from 'batch' and cost_today_usd - cost_usd "
        "<> output_tokens * 0.000003::decimal(18, 9)"
    ) == [(0,)]
    ledger.price(TOMORROW, ACME)  # one price is new, one is taken back
    ledger.take("two", two)
    ledger.run(LATER)

    fresh = new_ledger()
    fresh.price(TOMORROW, ACME)
    fresh.take("one", one)
    fresh.take("two", two)
    fresh.run(LATER)
    assert ledger.costs() == fresh.costs()
    assert ledger.rows(
        "select model, count(*) > 0, count(cost_usd) > 0, count(*) = count(cost_usd) "
        "from marts.fct_llm_calls where model like 'acme%' group by 1 order by 1"
    ) == [("acme-large", True, True, True), ("acme-small", True, False, False)]
