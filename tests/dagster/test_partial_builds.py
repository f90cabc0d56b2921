"""A run that builds only what can have changed ends like one that builds everything."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.settings import Settings
from tests.dagster.data_home import invocation, make_home, run_headless, write_metrics
from tests.unit.event_logs import intent, workflow

pytestmark = [pytest.mark.slow, pytest.mark.rebuilds]

Marts = dict[str, list[tuple[Any, ...]]]

FIRST, LATER = "2026-07-01T12:00:00Z", "2026-07-03T12:00:00Z"


OF_RUNS = {
    '"marts"."collection_runs"', '"staging"."stg_ledger__collection_runs"',
    '"staging"."stg_ledger__run_context"',
}  # fmt: skip
"""Models that name the runs themselves: another run is another row."""


def task(number: int, day: int) -> dict[str, Any]:
    """A finished task of an agent."""
    return {
        "event_id": f"task-{number}", "agent_id": "reviewer", "success": number % 3 > 0,
        "occurred_at": f"2026-07-{day:02d}T11:{number:02d}:00Z", "task_type": "code",
        "cost_cents": 1.5, "latency_ms": 900, "patterns": ["tests"], "model": "gpt-4o",
        "prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000,
    }  # fmt: skip


def write_log(path: Path, records: list[dict[str, Any]]) -> None:
    """Append records to a log."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as log:
        log.writelines(json.dumps(record) + "\n" for record in records)


def contents(settings: Settings) -> Marts:
    """Every row of every model, in an order of its own."""
    found: Marts = {}
    with warehouse.open_warehouse(settings, read_only=True) as connection:
        for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('staging', 'intermediate', 'marts')"
        ).fetchall():
            relation = f'"{schema}"."{name}"'
            found[relation] = connection.execute(
                f"select * from {relation} order by all"
            ).fetchall()
    return found


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Four kinds of telemetry; then one of them grows, and two days pass."""
    folder = tmp_path_factory.mktemp("partial")
    settings = replace(make_home(folder), as_of_override=FIRST)
    logs = folder / "logs"
    write_log(logs / "intents.jsonl", [intent(n) for n in range(1, 9)])
    write_log(logs / "runs.jsonl", [workflow(1), workflow(2, status="running", completed_at=None)])
    write_log(logs / "tasks.jsonl", [task(n, day=1) for n in range(20)])
    registry.add_source(settings, "events", str(logs), zone="UTC")
    first = run_headless(folder, settings, "--json")
    assert first.exit_code == 0, first.stdout + first.stderr

    settings = replace(settings, as_of_override=LATER)
    write_metrics(folder / "good project", [invocation("review", minute) for minute in range(9)])
    partial = run_headless(folder, settings, "--json")
    assert partial.exit_code == 0, partial.stdout + partial.stderr
    after_partial = contents(settings)
    whole = run_headless(folder, settings, "--json", "--full-refresh")
    assert whole.exit_code == 0, whole.stdout + whole.stderr
    return {
        "first": json.loads(first.stdout),
        "partial": json.loads(partial.stdout),
        "stderr": partial.stderr,
        "after partial": after_partial,
        "whole": json.loads(whole.stdout),
        "after whole": contents(settings),
    }


def test_a_partial_build_gives_the_rows_of_a_whole_one(life: dict[str, Any]) -> None:
    """Row for row in every model: what was left alone, too."""
    after_partial, after_whole = life["after partial"], life["after whole"]
    assert after_partial.keys() == after_whole.keys()
    compared = after_whole.keys() - OF_RUNS
    different = [name for name in compared if after_partial[name] != after_whole[name]]
    assert different == []
    assert len(after_whole['"marts"."fct_agent_tasks"']) == 20


def test_what_cannot_have_changed_is_left_alone(life: dict[str, Any]) -> None:
    """Skills grew: intents and calls of models are of no concern."""
    first, partial, whole = life["first"], life["partial"], life["whole"]
    assert first["models_kept"] == whole["models_kept"] == 0
    assert partial["models"] + partial["models_kept"] == whole["models"] == first["models"]
    assert partial["models_kept"] > partial["models"] / 2
    assert 0 < partial["tests"] < whole["tests"]


def test_a_kept_model_is_no_reason_to_warn(life: dict[str, Any]) -> None:
    """Dagster warns of each check that holds a build back and says nothing."""
    assert "Blocking asset check" not in life["stderr"]
