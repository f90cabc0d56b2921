"""The disagreements between usage tools, through ingest and models: ours is the truth."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings
from tests.peer_cases import WRITERS, Case, Used, write_cases

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
TIERS = (
    "input_fresh_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens",
    "output_tokens",
)  # fmt: skip
DROPPED = {
    "growing stream": {"stream_partial"},
    "content blocks": {"content_block_copy"},
    "missing request id": {"missing_request_id", "content_block_copy"},
    "synthetic lines": {"synthetic"},
    "fork copy": {"fork_replay", "content_block_copy"},
    "growing copies": {"snapshot_copy"},
    "Codex: replayed turns": {"fork_replay"},
    "Codex: total emitted again": {"re_emitted_total"},
}


class Found:
    """What the ledger says of each day."""

    def __init__(self, cases: list[Case], rows: list[Any], reasons: list[Any]) -> None:
        self.cases = {case.name: case for case in cases}
        self.used = {day: Used(*map(int, tiers)) for day, _, *tiers in rows}
        self.cost = {day: cost for day, cost, *_ in rows}
        self.reasons: dict[Any, set[str]] = {}
        for day, reason in reasons:
            self.reasons.setdefault(day, set()).add(reason)


@pytest.fixture(scope="module")
def found(dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Everything in one build, both sources beside each other."""
    folder = tmp_path_factory.mktemp("peers")
    cases = write_cases(folder)
    settings = Settings(home=folder / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    for kind, name in (("claude-code", "claude/projects"), ("codex", "codex/sessions")):
        registry.add_source(settings, kind, str(folder / name), zone="UTC", projects="all")
    with warehouse.open_warehouse(settings) as connection:
        report = collect.collect(settings, connection, run_id="1", as_of=AS_OF)
    assert report.totals()["rejected"] == 0
    dbt(settings.warehouse_path, "run", "--select", "+usage_quarter_hours", "+llm_call_audit")
    sums = ", ".join(f"sum({name})" for name in TIERS)
    with warehouse.open_warehouse(settings, read_only=True) as connection:
        rows = connection.execute(
            f"select cast(quarter_start as date), sum(cost_usd), {sums} "
            "from marts.usage_quarter_hours group by 1"
        ).fetchall()
        reasons = connection.execute(
            "select cast(occurred_at as date), case when is_synthetic then 'synthetic' "
            "else drop_reason end as reason from intermediate.int_llm_call_versions "
            "where reason is not null group by all"
        ).fetchall()
    return Found(cases, rows, reasons)


@pytest.mark.parametrize("name", WRITERS)
def test_the_tokens_of_every_tier_and_their_cost_are_the_truth(name: str, found: Found) -> None:
    case = found.cases[name]
    assert found.used[case.day] == case.truth
    assert found.cost[case.day] == pytest.approx(case.cost, abs=Decimal("0.000000001"))


@pytest.mark.parametrize("name", DROPPED)
def test_what_was_dropped_says_why(name: str, found: Found) -> None:
    assert found.reasons.get(found.cases[name].day, set()) == DROPPED[name]


def test_no_other_day_has_any_use(found: Found) -> None:
    assert set(found.used) == {case.day for case in found.cases.values()}
