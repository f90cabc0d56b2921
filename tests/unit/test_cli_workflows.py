"""`workflows …` and `skills compare`: what they print, where, and how they end."""

import json

import pytest

from agentledger.settings import Settings
from tests.unit.conftest import Run
from tests.unit.published_workflows import publish_workflows


@pytest.mark.parametrize(
    "command",
    ["workflows correlation", "workflows recommend", "workflows recommend feature-dev"],
)
def test_without_a_run_of_a_workflow_it_says_so_and_ends_well(
    run: Run, settings: Settings, command: str
) -> None:
    publish_workflows(settings, is_empty=True)
    code, out, err = run(*command.split())
    assert (code, out) == (0, "")
    assert "No run of a workflow is known here yet" in err
    assert json.loads(run(*command.split(), "--json")[1])["rows"] == []


def test_optimize_shows_each_step_and_both_sequences(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    code, out, err = run("workflows", "optimize", "few", "bad", "new", "--workflow", "feature-dev")
    assert code == 0
    lines = {line.split()[1]: line for line in out.splitlines() if line[:1].isdigit()}
    assert "leave out" in lines["bad"]
    assert "64.5–83.2 %" in lines["bad"]
    assert "not enough data" in lines["few"]
    assert "–" in lines["new"]
    assert "given:     few > bad > new" in out
    assert "optimized: few > new" in out
    assert "plan > implement > test" in out
    assert "As of 2026-03-12 09:00 UTC" in err
    assert "Nothing changes" in run("workflows", "optimize", "few")[1]
    assert "(no step)" in run("workflows", "optimize", "bad")[1]


def test_recommend_says_which_sequence_and_how_sure(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    _, out, _ = run("workflows", "recommend", "feature-dev")
    first, second, third = out.splitlines()[1:]
    assert "recommended" in first
    assert "14.0 min" in first
    assert "recommended" not in second + third
    assert second.endswith("not proven worse")
    assert "not enough data" in third
    assert "Nothing is recommended" in run("workflows", "recommend", "release")[2]


def test_correlation_shows_counts_beside_the_rate(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    _, out, err = run("workflows", "correlation", "--skill", "review")
    for text in ("18+2", "90.0 %", "60.0 %", "0.35", "0.0648", "1.1 s"):
        assert text in out
    assert "no cause" in err
    # 1 of C(40, 20) = 137,846,528,820 tables, twice: small, and no zero.
    assert "<0.0001" in run("workflows", "correlation", "--skill", "sure")[1]


def test_compare_says_where_a_skill_differs(run: Run, settings: Settings) -> None:
    publish_workflows(settings)
    code, out, err = run("skills", "compare", "B")
    assert code == 0
    shop, twin, blog = out.splitlines()[1:]
    assert shop.endswith("better")
    assert twin.endswith("not enough data")
    assert blog.endswith("worse")
    assert "weighs as much as 13.6 outcomes" in err
    assert "No outcome of this skill" in run("skills", "compare", "A")[2]


@pytest.mark.parametrize(
    "command",
    ["workflows", "workflows correlation", "workflows recommend", "workflows optimize",
     "skills compare"],
)  # fmt: skip
def test_help_shows_examples(run: Run, command: str) -> None:
    code, out, _ = run(*command.split(), "--help")
    assert code == 0
    assert f"  agentledger {command}" in out
