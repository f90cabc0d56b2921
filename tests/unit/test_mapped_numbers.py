"""The mappings that ship, over the real logs: reference numbers of the sample's README."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry
from tests.unit.conftest import Ledger

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data"
AIDER = SAMPLE / "usage-events/aider-analytics.jsonl"
TAU2 = SAMPLE / "trajectories/tau2-bench"
MINI_SWE = SAMPLE / "trajectories/mini-swe-agent"

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="the shared reference data is not beside this checkout"
)

Read = Callable[[Path, str], list[dict[str, Any]]]


@pytest.fixture
def read(ledger: Ledger) -> Read:
    """Load a log by a mapping that ships; returns its raw rows, numbers cast."""

    def rows(location: Path, mapping: str) -> list[dict[str, Any]]:
        registry.add_source(ledger.settings, "mapped", str(location), "UTC", mapping=mapping)
        ledger.collect()
        names = (
            "event_id", "agent_id", "ts", "started_at", "success", "model", "task_run_id",
            "error_class", "latency_ms", "flags", "variant", "record_key",
        )  # fmt: skip
        numbers = (
            "cost_cents", "prompt_tokens", "completion_tokens", "total_tokens",
            "cache_read_tokens",
        )  # fmt: skip
        chosen = ", ".join((*names, *(f"cast({name} as double) as {name}" for name in numbers)))
        found = ledger.rows(f"select {chosen} from raw.usage_events order by line_no")
        return [dict(zip((*names, *numbers), row, strict=True)) for row in found]

    return rows


def total(rows: list[dict[str, Any]], name: str) -> float:
    return sum(row[name] for row in rows if row[name] is not None)


def test_the_messages_of_aider_have_the_tokens_and_the_cost_of_the_log(read: Read) -> None:
    """Each message is one task; a free model's 0 is a known cost, success is unknown."""
    rows = read(AIDER, "aider")
    assert len(rows) == len({row["record_key"] for row in rows}) == 5_522
    assert total(rows, "prompt_tokens") == 72_967_539
    assert total(rows, "completion_tokens") == 2_955_782
    assert total(rows, "total_tokens") == 75_923_321
    assert round(total(rows, "cost_cents") / 100, 6) == 10_182.700052
    usual = [row for row in rows if row["cost_cents"] < 999_000]
    assert len(usual) == 5_521
    assert round(total(usual, "cost_cents") / 100, 6) == 192.687523
    assert sum(row["cost_cents"] == 0 for row in rows) == 1_103
    assert len({row["model"] for row in rows}) == 108
    assert {(row["agent_id"], row["success"], row["latency_ms"]) for row in rows} == {
        ("aider", None, None)
    }
    assert {(row["flags"], row["variant"]) for row in rows} == {("derived_id", "mapped:aider")}


def test_the_runs_of_tau2_bench_have_their_verdict_cost_and_duration(read: Read) -> None:
    """A reward of 1 is a success; tokens are those of the assistant, not of the simulated user."""
    rows = read(TAU2, "tau2-bench")
    assert len(rows) == len({row["event_id"] for row in rows}) == 50
    assert len({row["task_run_id"] for row in rows}) == 50
    assert [row["success"] for row in rows].count("true") == 23
    assert [row["success"] for row in rows].count("false") == 27
    assert round(total(rows, "cost_cents") / 100, 6) == 4.203311
    assert round(sum(float(row["latency_ms"]) for row in rows) / 1000, 3) == 1_230.287
    assert total(rows, "prompt_tokens") == 2_162_964
    assert total(rows, "completion_tokens") == 40_936
    assert {row["agent_id"] for row in rows} == {"azure/gpt-4o-2024-11-20"}
    assert {row["flags"] for row in rows} == {None}
    assert rows[0]["ts"] == "2025-12-02T14:04:15.587574"


def test_a_trajectory_of_mini_swe_agent_is_a_run_and_a_list_of_patches_is_none(
    read: Read, ledger: Ledger
) -> None:
    """Success and duration stay unknown; `preds.json` lies beside the runs and is refused."""
    rows = read(MINI_SWE, "mini-swe-agent")
    assert {row["task_run_id"] for row in rows} == {
        "pvlib__pvlib-python-1072", "pvlib__pvlib-python-1606", "pvlib__pvlib-python-1707",
        "sqlfluff__sqlfluff-2419",
    }  # fmt: skip
    assert len(rows) == 4
    assert round(total(rows, "cost_cents") / 100, 9) == 0.029638112
    assert total(rows, "prompt_tokens") == 558_395
    assert total(rows, "completion_tokens") == 13_222
    assert total(rows, "cache_read_tokens") == 524_864
    assert {(row["success"], row["latency_ms"]) for row in rows} == {(None, None)}
    assert sorted(str(row["error_class"]) for row in rows) == ["InternalServerError"] * 3 + ["None"]
    [(state, message)] = ledger.rows(
        "select state, message from raw.files where path like '%preds.json'"
    )
    assert state == "unrecognised_format"
    assert "mini-swe-agent" in message
