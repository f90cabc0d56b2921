"""Questions about agents, answered from a snapshot of the real models: analyses C and D3."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agentledger import knowledge_export, publish, warehouse
from agentledger.query import agents
from agentledger.query.patterns import validated_patterns
from agentledger.settings import Settings
from orchestration.dbt_project import published_relations
from tests import factories
from tests.factories import Row
from tests.factories_events import make_judgement, make_task

AS_OF = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOURS = {"10": (100, 200), "11": (300, 400, 5000)}
"""Hour of 2026-03-09 → latencies of analyses C, each four times: from 20 a p95 is told."""


def timed_tasks() -> list[Row]:
    return [
        make_task(
            f"timed-{hour}-{latency}-{n}",
            agent_id="timed",
            ts=f"2026-03-09T{hour}:0{n}:00Z",
            latency_ms=str(latency),
            cost_cents="999000" if (latency, n) == (5000, 0) else "2.5",
        )
        for hour, latencies in HOURS.items()
        for latency in latencies
        for n in range(4)
    ]


def patterned_tasks() -> list[Row]:
    """Analyses D3: pattern, successes, tasks."""
    return [
        make_task(
            f"{pattern}-{n}",
            agent_id="patterned",
            success="true" if n < ok else "false",
            patterns=json.dumps({pattern: 1}),
        )
        for pattern, ok, total in (("good", 98, 100), ("poor", 190, 200), ("unjudged", 98, 100))
        for n in range(total)
    ]


@pytest.fixture(scope="module")
def settings(
    dbt: Callable[..., Any], manifest: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """A data home whose snapshot holds the marts of agents and no others."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), host_zone="UTC")
    warehouse.prepare_home(settings)
    judgements = [
        make_judgement("j-1", pattern="good", quality="0.1", ts="2026-02-01T00:00:00Z"),
        make_judgement("j-2", pattern="good", quality="0.90"),
        make_judgement("j-3", pattern="good", quality="0.2", ts="2026-03-10T12:00:01Z"),
        make_judgement("j-4", pattern="poor", quality="0.80"),
    ]
    with warehouse.open_warehouse(settings) as connection:
        connection.execute("begin transaction")
        factories.write(connection, "projects", [factories.make_project("p1")])
        factories.write(connection, "sources", [factories.make_source("source-p1")])
        factories.write(connection, "run_context", [factories.make_run_context()])
        factories.write(connection, "usage_events", timed_tasks() + patterned_tasks())
        factories.write(connection, "pattern_judgements", judgements)
        connection.execute("commit")
    dbt(settings.warehouse_path, "run", "--select", "+marts.agents")
    relations = [
        relation
        for relation in published_relations(manifest)
        if relation.name.startswith("agent_") or relation.name == "validated_patterns"
    ]
    publish.publish(settings, relations, run_id="run-1", as_of=AS_OF)
    return settings


@pytest.mark.parametrize("size", ["5m", "1h"])
def test_merged_windows_have_the_quantiles_of_the_worked_example(
    settings: Settings, size: str
) -> None:
    """Should be 301.9134 and 4965.3233 whatever the windows, within 1 % of 300 and 5000."""
    [total] = agents.history_total("timed", size, settings=settings).records()
    assert (total["task_count"], total["latency_n"]) == (20, 20)
    assert total["p50_latency_estimate_ms"] == pytest.approx(301.9134, abs=5e-5)
    assert total["p95_latency_estimate_ms"] == pytest.approx(4965.3233, abs=5e-5)
    assert total["avg_latency_ms"] == pytest.approx(1200.0)


def test_a_95th_percentile_of_few_is_not_told(settings: Settings) -> None:
    """The first hour alone holds 8 latencies: a median, and no p95."""
    answer = agents.history_total("timed", "1h", settings=settings)
    assert agents.history_total("timed", "1w", settings=settings).rows == []
    assert len(answer.rows) == 1
    windows = agents.history("timed", "1h", settings=settings).records()
    assert [(row["p50_latency_ms"], row["p95_latency_ms"]) for row in windows] == [
        (150.0, None),
        (400.0, None),
    ]


def test_one_cost_of_9990_dollars_is_kept_flagged_and_shown_beside_robust_figures(
    settings: Settings,
) -> None:
    [row] = agents.metrics_for("timed", "last_week", settings=settings).records()
    assert (row["total_cost_cents"], row["cost_outlier_n"]) == (999047.5, 1)
    assert row["p50_cost_cents"] == 2.5
    assert row["total_cost_without_outliers_cents"] == 47.5


def test_judged_patterns_pass_and_fail_as_the_reference_says(settings: Settings) -> None:
    """Should take the latest judgement up to as_of, of whatever quality the others were."""
    found = validated_patterns(settings=settings).records()
    assert [(row["pattern"], row["quality"], row["reason"]) for row in found] == [
        ("good", 0.9, None),
        ("poor", 0.8, "quality"),
        ("unjudged", None, "no_quality"),
    ]


def test_what_passes_is_exported_once_and_with_consent(settings: Settings) -> None:
    assert knowledge_export.export(settings).refused["good"] == "no_consent"
    settings.config_path.write_text("[export]\nconsent = true\n", encoding="utf-8")
    first = knowledge_export.export(settings)
    assert first.exported == ["good"]
    assert first.refused == {"poor": "quality", "unjudged": "no_quality"}
    assert first.path is not None
    [written] = json.loads(first.path.read_text("utf-8"))["patterns"]
    assert (written["pattern"], written["quality"], written["tasks"]) == ("good", 0.9, 100)
    assert knowledge_export.export(settings).path is None
    assert len(list(first.path.parent.iterdir())) == 2
