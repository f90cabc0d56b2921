"""Marts of agents beside those of a published ledger, with the figures of analyses.md C and D.

Belongs here: the tables as `publish` leaves them; their columns are those that the models declare.
Does not belong here: the functions of rates, which are the models' own (tests/dbt/).
"""

import json
from pathlib import Path
from typing import Any

import yaml

from agentledger.settings import Settings
from tests.unit.published_ledger import AS_OF, UGLY_SKILL, publishing_more

MODELS = Path(__file__).parents[2] / "models" / "marts" / "agents"
CHANGE_ID = "0d0f6b1e-6d1e-4a51-8f7e-3c1f1c1f0001"
UGLY_AGENT = UGLY_SKILL
"""Names of agents are written by anyone who can write an event."""

MACROS = """
create or replace macro marts.rate(s, n) as (case when n > 0 then cast(s as double) / n end);
create or replace macro marts.rate_low(s, n) as (marts.rate(s, n) - 0.1);
create or replace macro marts.rate_high(s, n) as (marts.rate(s, n) + 0.1);
create or replace macro marts.latency_p50(histograms, zeros, n) as (301.9134);
create or replace macro marts.latency_p95(histograms, zeros, n) as (
    case when n >= 20 then 4965.3233 end);
"""
"""Stand-ins for the models' functions: what they give is tested where the models are."""

Row = dict[str, Any]


def measures(n: int, ok: int, failed: int, **others: Any) -> Row:
    """What a row of either mart of metrics tells; a rate is given, not computed."""
    known = ok + failed
    return {
        "task_count": n,
        "succeeded": ok,
        "failed": failed,
        "unknown": n - known,
        "success_rate": None,
        "evidence": "sufficient" if known >= 20 else "insufficient_data",
        "mostly_unknown": False,
        "cost_known_count": 0,
        "cost_cents_sum": 0,
        "latency_n": 0,
        "latency_ms_sum": 0,
        "latency_zero_n": 0,
        "latency_hist": "{}",
        "tokens_known_count": 0,
        "patterns_used": "{}",
        "refreshed_at": AS_OF,
    } | others


# analyses.md D1: a1 is critical, a5 has no tasks; a1 has one cost of $9,990.
A1 = measures(
    40, 30, 10, success_rate=0.75, success_rate_low=0.5981, success_rate_high=0.8581,
    total_cost_cents=999159.0, avg_cost_cents=24978.975, p50_cost_cents=4.0,
    max_cost_cents=999000.0, cost_known_count=40, cost_cents_sum=999159, avg_latency_ms=3000.0,
    p50_latency_ms=2900.0, p95_latency_ms=4100.0, latency_n=40, latency_ms_sum=120000,
    patterns_used=json.dumps({"nats": 3, "supervision": 5}),
)  # fmt: skip
ROLLING = [
    {"agent_id": "a1", "window_name": window, "window_start": AS_OF, "window_end": AS_OF,
     "as_of": AS_OF, "cost_outlier_n": 1, "total_cost_without_outliers_cents": 159.0,
     "avg_cost_without_outliers_cents": 4.0769} | A1
    for window in ("last_day", "last_week")
] + [
    {"agent_id": UGLY_AGENT, "window_name": "last_day", "window_start": AS_OF,
     "window_end": AS_OF, "as_of": AS_OF, "cost_outlier_n": 0} | measures(2, 0, 0)
]  # fmt: skip
# analyses.md C: the buckets b1, b2 and b3.
WINDOWS = [
    {"agent_id": "a1", "window_size": size, "window_start": start, "window_end": end}
    | measures(
        ok + failed, ok, failed, success_rate=rate, success_rate_low=rate, success_rate_high=rate,
        total_cost_cents=float(cost), avg_cost_cents=cost / (ok + failed), p50_cost_cents=2.0,
        max_cost_cents=10.0, cost_known_count=ok + failed, cost_cents_sum=cost,
        avg_latency_ms=latency / (ok + failed), p50_latency_ms=300.0, p95_latency_ms=None,
        latency_n=ok + failed, latency_ms_sum=latency, latency_hist='{"286":1}',
    )
    for size, start, end, ok, failed, rate, cost, latency in (
        ("1d", "2026-03-09 00:00:00+00", "2026-03-10 00:00:00+00", 1, 0, 1.0, 10, 100),
        ("1d", "2026-03-10 00:00:00+00", "2026-03-11 00:00:00+00", 50, 49, 0.5051, 198, 29700),
        ("1d", "2026-03-11 00:00:00+00", "2026-03-12 00:00:00+00", 18, 2, 0.9, 60, 10000),
        ("1h", "2026-03-11 10:00:00+00", "2026-03-11 11:00:00+00", 18, 2, 0.9, 60, 10000),
    )
]  # fmt: skip
HEALTH = [
    {"agent_id": "a1", "health": "critical", "priority": 5, "task_count": 40},
    {"agent_id": UGLY_AGENT, "health": "insufficient_data", "priority": 0, "task_count": 2},
    {"agent_id": "a5", "health": "no_data", "priority": 0, "task_count": 0},
]
ISSUES = [
    {"issue_type": "low_success_rate", "severity": "critical", "n": 40, "measured": 0.75,
     "threshold": 0.9, "evidence": "confirmed"},
    {"issue_type": "high_cost", "severity": "high", "n": 40, "measured": 24978.975,
     "measured_without_outliers": 4.0769, "threshold": 3.0, "evidence": "provisional"},
    {"issue_type": "high_latency", "severity": "medium", "n": 40, "measured": 3000.0,
     "threshold": 2000.0, "evidence": "provisional"},
]  # fmt: skip
SUGGESTIONS = [
    {"issue_type": "low_success_rate", "suggestion": "add_patterns", "confidence": 0.2667,
     "expected_gain_pct": 15, "gain_basis": "heuristic", "effort": "low"},
    {"issue_type": "high_cost", "suggestion": "optimize_model", "confidence": 0.6667,
     "expected_gain_pct": -50, "gain_basis": "heuristic", "effort": "medium"},
    {"issue_type": "high_latency", "suggestion": "improve_cache", "confidence": 0.2667,
     "expected_gain_pct": -60, "gain_basis": "heuristic", "effort": "medium"},
]  # fmt: skip
# analyses.md D2, second row: rolled back.
CHANGES = [
    {"agent_id": "a1", "change_id": CHANGE_ID, "metric": "success", "decision": "rollback",
     "changed_at": "2026-03-04 12:00:00+00", "reason": "success_worse,cost_unknown",
     "before_succeeded": 90, "before_known": 100, "after_succeeded": 78, "after_known": 100,
     "rate_difference": -0.12, "rate_difference_low": -0.2212, "rate_difference_high": -0.0179,
     "p_value": 0.0206, "needs_person": False}
]  # fmt: skip
# analyses.md D3.
PATTERNS = [
    {"pattern": "supervision", "succeeded": 98, "failed": 2, "known_outcomes": 100,
     "success_rate": 0.98, "success_rate_low": 0.93, "success_rate_high": 0.9945,
     "quality": 0.9, "judged_at": "2026-03-01 00:00:00+00", "is_validated": True},
    {"pattern": "nats", "succeeded": 190, "failed": 10, "known_outcomes": 200,
     "success_rate": 0.95, "success_rate_low": 0.9104, "success_rate_high": 0.9726,
     "quality": None, "judged_at": None, "reason": "no_quality", "is_validated": False},
]  # fmt: skip


def rows_of(model: str) -> list[Row]:
    """What a mart holds."""
    at_a1 = {"agent_id": "a1", "as_of": AS_OF}
    return {
        "agent_metrics": WINDOWS,
        "agent_metrics_rolling": ROLLING,
        "agent_health": [{"as_of": AS_OF} | row for row in HEALTH],
        "agent_feedback_issues": [at_a1 | row for row in ISSUES],
        "agent_suggestions": [at_a1 | row for row in SUGGESTIONS],
        "agent_evolution": [{"as_of": AS_OF} | row for row in CHANGES],
        "validated_patterns": [
            {"tasks": row["known_outcomes"], "uses": row["known_outcomes"], "agents": 2} | row
            for row in PATTERNS
        ],
    }[model]


def publish_agents(settings: Settings, *, is_empty: bool = False) -> Path:
    """Publish a ledger with the marts of agents; `is_empty` leaves these without a row."""
    with publishing_more(settings, MACROS) as (path, connection):
        for model in (
            "agent_metrics", "agent_metrics_rolling", "agent_health", "agent_feedback_issues",
            "agent_suggestions", "agent_evolution", "validated_patterns",
        ):  # fmt: skip
            connection.execute(f"create table marts.{model} ({declared_columns(model)})")
            for row in () if is_empty else rows_of(model):
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f"insert into marts.{model} ({', '.join(row)}) values ({marks})",
                    list(row.values()),
                )
    return path


def declared_columns(model: str) -> str:
    """The columns of the model's contract as DDL."""
    document = yaml.safe_load((MODELS / f"{model}.yml").read_text(encoding="utf-8"))
    (declared,) = (item for item in document["models"] if item["name"] == model)
    return ", ".join(f"{column['name']} {column['data_type']}" for column in declared["columns"])
