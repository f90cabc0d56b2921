"""Questions about workflows and the comparison of a skill, read from a snapshot."""

import json
from pathlib import Path

import pytest

from agentledger import query
from agentledger.errors import NothingPublishedError, UsageError
from agentledger.query import workflows
from agentledger.query.scope import UnknownNameError
from agentledger.settings import Settings
from tests.unit.published_ledger import UGLY_SKILL, settings_of
from tests.unit.published_workflows import publish_workflows


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path / "home")
    publish_workflows(settings)
    return settings


def test_a_step_leaves_only_where_it_surely_fails(settings: Settings) -> None:
    """analyses.md B6: 60 of 80 leaves; 9 of 10, 18 of 20 and what nobody knows stay."""
    found = query.optimize_workflow(
        ["few", "bad", "likely", "never seen", "sure", "open"], settings=settings
    )
    assert found["steps_in"] == ["few", "bad", "likely", "never seen", "sure", "open"]
    assert found["steps_out"] == ["few", "likely", "never seen", "sure", "open"]
    assert found["is_changed"] is True
    assert [(step["skill_name"], step["reason"]) for step in found["steps"]] == [
        ("few", "too_few_outcomes"),
        ("bad", "proven_unreliable"),
        ("likely", "probably_reliable"),
        ("never seen", "no_data"),
        ("sure", "proven_reliable"),
        ("open", "undecided"),
    ]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_change_carries_its_reason_and_its_figures(settings: Settings) -> None:
    """A reader must be able to check the decision without asking again."""
    (change,) = query.optimize_workflow(["sure", "bad"], settings=settings)["changes"]
    assert change == {
        "action": "removed",
        "position": 2,
        "skill_name": "bad",
        "decision": "exclude",
        "evidence": "confirmed",
        "reason": "proven_unreliable",
        "recommendation": "Because it is proven_unreliable.",
        "success_rate": 0.75,
        "success_rate_low": 0.6452,
        "success_rate_high": 0.8319,
        "successful_completions": 60,
        "known_outcomes": 80,
        "unknown_outcomes": 0,
        "include_step_rate": 0.9,
        "workflow_runs": 0,
        "workflow_runs_completed": 0,
        "workflow_runs_failed": 0,
    }


def test_lack_of_data_changes_nothing(settings: Settings) -> None:
    """The tempting change is to drop what is not proven: a new skill would never get a chance."""
    unknown = ["a", "b", "\udcff", "a\x00b", "'; drop table marts.dim_projects; --"]
    found = query.optimize_workflow([*unknown, "few"], settings=settings)
    assert found["steps_out"] == found["steps_in"]
    assert (found["changes"], found["is_changed"]) == ([], False)
    assert {step["evidence"] for step in found["steps"][:-1]} == {"no_data"}
    assert found["steps"][0]["success_rate"] is None


def test_every_place_of_a_repeated_step_is_told(settings: Settings) -> None:
    found = query.optimize_workflow(["bad", "sure", "bad", "sure"], settings=settings)
    assert found["steps_out"] == ["sure", "sure"]
    assert [change["position"] for change in found["changes"]] == [1, 3]


def test_a_project_decides_from_its_own_outcomes(settings: Settings) -> None:
    """6 of 8 in the shop prove nothing there, whatever other projects saw."""
    found = query.optimize_workflow(["bad"], project="shop", settings=settings)
    assert (found["steps_out"], found["project_name"]) == (["bad"], "shop")


def test_the_recommended_sequence_stands_beside_the_steps(settings: Settings) -> None:
    found = query.optimize_workflow(["plan"], workflow="feature-dev", settings=settings)
    assert found["recommended"]["steps"] == ["plan", "implement", "test"]
    assert found["recommendation_status"] == "provisional"
    assert found["steps_out"] == ["plan"]  # shown, not imposed
    release = query.optimize_workflow(["plan"], workflow="release", settings=settings)
    assert (release["recommended"], release["recommendation_status"]) == (None, "insufficient_data")
    assert query.optimize_workflow(["a"], settings=settings)["recommendation_status"] == "not_asked"


@pytest.mark.parametrize("steps", [[], "plan", ["plan", " "], ["plan", None]], ids=repr)
def test_what_is_no_list_of_names_is_refused(settings: Settings, steps: object) -> None:
    """A plain string would be taken letter by letter."""
    with pytest.raises(UsageError):
        query.optimize_workflow(steps, settings=settings)  # type: ignore[arg-type]


def test_unknown_names_are_errors_with_near_matches(settings: Settings) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'feature-dev'"):
        query.optimize_workflow(["plan"], workflow="feature-deb", settings=settings)
    with pytest.raises(UnknownNameError, match="Did you mean 'shop'"):
        query.optimize_workflow(["plan"], project="shpo", settings=settings)
    with pytest.raises(UnknownNameError, match="Did you mean 'review'"):
        workflows.workflow_correlation(skill="reviev", settings=settings)
    with pytest.raises(UnknownNameError, match="There is no skill"):
        query.get_skill_comparison("\udcff", settings=settings)


def test_sequences_are_in_the_order_of_their_rank(settings: Settings) -> None:
    """A perfect rate of two runs comes last, not first."""
    frame = query.get_workflow_recommendation("feature-dev", settings=settings)
    assert list(frame["sequence"]) == ["plan>implement>test", "implement>test", "implement"]
    assert str(frame["sequence_rank"].dtype) == "Int64"
    assert list(frame["is_recommended"]) == [True, False, False]
    assert frame["steps"][0] == ["plan", "implement", "test"]


def test_correlation_names_what_is_proven_first(settings: Settings) -> None:
    frame = query.get_workflow_correlation(settings=settings)
    assert list(frame["skill_name"]) == ["sure", "review", "rare", UGLY_SKILL]
    one = query.get_workflow_correlation("feature-dev", "review", settings=settings)
    assert (one["phi"][0], one["usage_count"][0]) == (0.3464, 20)


def test_a_comparison_is_sorted_by_the_shrunken_rate(settings: Settings) -> None:
    """2 of 2 does not come first."""
    frame = query.get_skill_comparison("B", settings=settings)
    assert list(frame["project_name"]) == ["shop", "twin", "blog"]
    assert list(frame["differs"].isna()) == [False, True, False]  # untested is not "no"
    assert query.get_skill_comparison("A", settings=settings).empty


def test_without_any_run_of_a_workflow_there_is_an_empty_answer(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    publish_workflows(settings, is_empty=True)
    assert query.get_workflow_correlation("feature-dev", settings=settings).empty
    assert query.get_workflow_recommendation("feature-dev", settings=settings).empty
    found = query.optimize_workflow(["plan"], workflow="feature-dev", settings=settings)
    assert (found["steps_out"], found["recommendation_status"]) == (["plan"], "no_data")


def test_before_the_first_run_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(NothingPublishedError):
        query.optimize_workflow(["plan"], settings=settings_of(tmp_path))
