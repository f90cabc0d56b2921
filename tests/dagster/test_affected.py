"""Which models a run builds: those that can have changed, and each one above them in order."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger.event_time import EVENT_TIME_COLUMNS
from agentledger.raw_tables import RAW_TABLES
from orchestration.affected import CLOCK, extent_of, extent_of_all
from orchestration.dbt_project import get_dbt_project
from orchestration.kept_outputs import KeptOutputs, empty_checks, kept_checks


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The real graph."""
    import json

    return json.loads(get_dbt_project().manifest_path.read_text())


def name_of(manifest: dict[str, Any], key: str) -> str:
    return str(manifest["nodes"][key]["name"])


def above(manifest: dict[str, Any], key: str) -> Iterator[str]:
    """Ids of everything that a node is made of."""
    for parent in manifest["parent_map"].get(key, ()):
        yield parent
        yield from above(manifest, parent)


def tables_above(manifest: dict[str, Any], key: str) -> set[str]:
    sources = manifest["sources"]
    return {sources[node]["name"] for node in above(manifest, key) if node in sources}


@pytest.mark.parametrize("table", sorted(EVENT_TIME_COLUMNS))
def test_all_that_is_made_of_a_changed_table_is_built(manifest: dict[str, Any], table: str) -> None:
    """Every mart downstream, however far: a kept one would lack the new rows."""
    extent = extent_of(manifest, {table}, {table})
    made_of_it = {
        key
        for key, props in manifest["nodes"].items()
        if props["resource_type"] == "model" and table in tables_above(manifest, key)
    }
    assert not made_of_it & extent.kept
    assert {name_of(manifest, key) for key in made_of_it} <= set(extent.selectors or ())


def test_what_the_clock_moves_is_built_although_no_row_came(manifest: dict[str, Any]) -> None:
    """Windows age out, and a run without an end becomes stale."""
    extent = extent_of(manifest, set(), set(RAW_TABLES))
    kept = {name_of(manifest, key) for key in extent.kept}
    moved = {"skill_aggregates", "top_skills", "agent_metrics_rolling", "fct_workflow_runs", CLOCK}
    assert not kept & moved
    assert "verb_boost_rules" not in kept
    assert {"fct_llm_calls", "usage_quarter_hours", "fct_intent_events", "fct_turns"} <= kept
    # Their gates are judged anew, of the same totals: these would read every task.
    assert "agent_pattern_totals" in kept and "validated_patterns" not in kept


def test_an_empty_source_is_left_alone_by_the_clock(manifest: dict[str, Any]) -> None:
    """Without a row now and at the last build its models have none at any instant."""
    extent = extent_of(manifest, {"claude_code_lines"}, {"claude_code_lines", "projects", "files"})
    kept = {name_of(manifest, key) for key in extent.kept}
    assert {"verb_boost_rules", "fct_workflow_runs", "fct_intent_events"} <= kept
    assert "skill_aggregates" not in kept


def test_a_source_that_lost_its_last_row_is_not_taken_for_idle(manifest: dict[str, Any]) -> None:
    """Empty now, but full at the last build: its marts still show the rows."""
    extent = extent_of(manifest, {"intent_events"}, {"projects"})
    kept = {name_of(manifest, key) for key in extent.kept}
    assert not kept & {"fct_intent_events", "intent_daily", "verb_boost_rules"}


def test_a_new_project_reaches_every_mart_that_counts_active_ones(
    manifest: dict[str, Any],
) -> None:
    """The raw rows lay there before: only the list of projects changed."""
    extent = extent_of(manifest, {"projects", "run_context"}, set(RAW_TABLES))
    kept = {name_of(manifest, key) for key in extent.kept}
    assert not kept & {"usage_quarter_hours", "intent_daily", "skill_aggregates", "dim_projects"}


def test_only_who_reads_the_clock_depends_on_it(manifest: dict[str, Any]) -> None:
    """Whoever names the clock without need, in a hook too, is built in every run."""
    readers = {
        name_of(manifest, key)
        for key, props in manifest["nodes"].items()
        if props["resource_type"] == "model"
        and f"model.agentledger.{CLOCK}" in manifest["parent_map"][key]
    }
    assert readers == {
        "agent_evolution", "agent_health", "agent_metrics", "agent_metrics_rolling", "agent_scores",
        "data_freshness", "fct_workflow_runs", "skill_aggregates", "validated_patterns",
        "verb_boost_rules", "verb_signal_counts",
    }  # fmt: skip


def test_a_first_build_leaves_out_only_tests_without_a_row(manifest: dict[str, Any]) -> None:
    """All models are built; a test goes when every table it looks at is empty, not when one is."""
    extent = extent_of_all(manifest, {"claude_code_lines", "claude_code_blocks", "files"})
    assert extent.selectors is None and not extent.kept
    empty = {name_of(manifest, key) for key in extent.empty}
    assert {"fct_intent_events", "fct_workflow_runs", "stg_skill_metrics__invocations"} <= empty
    # Made of transcripts, or of what is no record.
    assert not empty & {"fct_llm_calls", "agent_metrics", "dim_projects", "data_freshness", CLOCK}
    untested = set(extent.untested)
    assert "fct_intent_events__grain__unique" in untested
    assert "fct_llm_calls__grain__unique" not in untested
    parents = {
        props["name"]: {name_of(manifest, key) for key in manifest["parent_map"][test]}
        for test, props in manifest["nodes"].items()
        if props["resource_type"] == "test"
        and all(key in manifest["nodes"] for key in manifest["parent_map"][test])
    }
    assert {name for name, above in parents.items() if above and above <= empty} <= untested
    assert all(parents[name] <= empty for name in untested & parents.keys())


def test_a_full_ledger_is_tested_whole(manifest: dict[str, Any]) -> None:
    assert extent_of_all(manifest, set(RAW_TABLES)).untested == ()


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Any], frozenset[str], list[str]]:
    """A graph of models, those that stay, and an order in which dbt may end the others."""
    size = draw(st.integers(1, 9))
    names = [f"m{number}" for number in range(size)]
    parents = {
        f"model.{name}": [f"model.{names[p]}" for p in draw(st.sets(st.integers(0, n - 1)))]
        if n
        else []
        for n, name in enumerate(names)
    }
    nodes = {
        f"model.{name}": {"resource_type": "model", "schema": "s", "name": name} for name in names
    }
    kept = draw(st.sets(st.sampled_from(sorted(nodes))))
    built = [key for key in nodes if key not in kept]
    return {"nodes": nodes, "parent_map": parents}, frozenset(kept), built


@given(graphs())
def test_outputs_come_in_the_order_of_the_graph(
    case: tuple[dict[str, Any], frozenset[str], list[str]],
) -> None:
    """Dagster ends a step that gives a model before one that it is made of."""
    manifest, kept, built = case
    outputs = KeptOutputs(manifest, kept)
    seen: list[str] = []
    for key in built:
        event = dg.Output(None, output_name=f"s__{key.removeprefix('model.')}")
        seen += [output.output_name for output in outputs.before(event)]
        seen.append(event.output_name)
    seen += [output.output_name for output in outputs.among([])]
    assert sorted(seen) == sorted(f"s__{props['name']}" for props in manifest["nodes"].values())
    for key, parents in manifest["parent_map"].items():
        place = seen.index(f"s__{key.removeprefix('model.')}")
        for parent in parents:
            assert seen.index(f"s__{parent.removeprefix('model.')}") < place


def test_only_checks_that_hold_a_build_back_are_said_to_hold_still() -> None:
    """A test that warned stays a warning: to say that it passed would be a lie."""
    manifest = {"nodes": {"model.a": {"schema": "s", "name": "a"}}}
    specs = [
        dg.AssetCheckSpec("strict", asset=dg.AssetKey(["s", "a"]), blocking=True),
        dg.AssetCheckSpec("mild", asset=dg.AssetKey(["s", "a"])),
        dg.AssetCheckSpec("elsewhere", asset=dg.AssetKey(["s", "b"]), blocking=True),
    ]
    told = list(kept_checks(manifest, specs, {"model.a"}))
    assert [(result.check_name, result.passed) for result in told] == [("strict", True)]
    # Without a row there is nothing to warn of either.
    told = list(empty_checks(manifest, specs, {"model.a"}))
    assert {result.check_name for result in told} == {"strict", "mild"}
