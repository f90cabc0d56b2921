"""The mappings that ship, from the real logs through the facts to the metrics of agents.

The expected numbers stand in the shared reference page, computed independently of this project.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentledger import fingerprints, registry, warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
SOURCES = {
    "aider": "usage-events/aider-analytics.jsonl",
    "tau2-bench": "trajectories/tau2-bench",
    "mini-swe-agent": "trajectories/mini-swe-agent",
}
Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def ask(dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """All three logs in one ledger, then aider's by another mapping; built after each."""
    if not SHARED.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    folder = tmp_path_factory.mktemp("mapped")
    settings = Settings(home=folder / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    for mapping, place in SOURCES.items():
        # By a mapping of our own first: twice the cost, and all of it must go.
        reference = mapping
        if mapping == "aider":
            own = folder / "own.toml"
            shipped = Path(registry.__file__).parent / "mappings/aider.toml"
            own.write_text(
                shipped.read_text().replace('"properties.cost"', '"properties.cost * 2"')
            )
            reference = str(own)
        registry.add_source(settings, "mapped", str(SHARED / place), "UTC", mapping=reference)

    def run(number: int, *arguments: str) -> fingerprints.Context | None:
        with warehouse.open_warehouse(settings) as connection:
            collect.collect(settings, connection, run_id=str(number), as_of=AS_OF)
            context = fingerprints.context_of_warehouse(connection)
        dbt(settings.warehouse_path, "run", *arguments, "--select", "+agent_metrics")
        return context

    before = run(1)
    registry.add_source(settings, "mapped", str(SHARED / SOURCES["aider"]), "UTC", mapping="aider")
    after = run(2, "--full-refresh")
    assert before is not None
    assert after is not None
    assert before.sources != after.sources  # so that a run builds everything anew by itself

    def rows(sql: str) -> list[tuple[Any, ...]]:
        with warehouse.open_warehouse(settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return rows


def test_the_facts_have_the_numbers_of_the_logs(ask: Ask) -> None:
    """Tasks, outcomes, cost in dollars, tokens, seconds; unknown cost is none of them."""
    found = ask(
        "select variant, count(*), count(*) filter (outcome = 'success'), "
        "count(*) filter (outcome = 'failure'), count(*) filter (outcome = 'unknown'), "
        "round(sum(cost_cents) / 100, 9), count(cost_cents), sum(prompt_tokens), "
        "sum(completion_tokens), round(sum(latency_ms) / 1000, 3) "
        "from marts.fct_agent_tasks group by 1 order by 1"
    )
    numbers = {row[0]: row[1:] for row in found}
    aider = numbers["mapped:aider"]
    assert round(aider[4], 6) == 10_182.700052
    assert (*aider[:4], *aider[5:]) == (5_522, 0, 0, 5_522, 5_522, 72_967_539, 2_955_782, None)
    tau2 = numbers["mapped:tau2-bench"]
    assert round(tau2[4], 6) == 4.203311
    assert (*tau2[:4], *tau2[5:]) == (50, 23, 27, 0, 50, 2_162_964, 40_936, 1_230.287)
    assert numbers["mapped:mini-swe-agent"] == (
        4, 0, 0, 4, 0.029638112, 4, 558_395, 13_222, None,
    )  # fmt: skip


def test_a_free_message_costs_nothing_and_the_outlier_stands_out(ask: Ask) -> None:
    """0 stays a known cost; without the one absurd cost the sum is that of the page."""
    assert ask(
        "select count(*) filter (cost_cents = 0), "
        "round(sum(cost_cents) filter (cost_cents < 999000) / 100, 6), "
        "bool_and(is_cost_outlier) filter (cost_cents > 999000) "
        "from marts.fct_agent_tasks where variant = 'mapped:aider'"
    ) == [(1_103, 192.687523, True)]


def test_the_metrics_of_the_agents_add_up_to_the_logs(ask: Ask) -> None:
    """Buckets of a week hold every task once."""
    found = ask(
        "select agent_id, sum(task_count), sum(succeeded), sum(failed), sum(cost_known_count) "
        "from marts.agent_metrics where window_size = '1w' group by 1 order by 1"
    )
    assert found == [
        ("aider", 5_522, 0, 0, 5_522),
        ("azure/gpt-4o-2024-11-20", 50, 23, 27, 50),
        ("mini-swe-agent", 4, 0, 0, 4),
    ]
