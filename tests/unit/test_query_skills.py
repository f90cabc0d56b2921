"""Questions about skills: the worked examples of the metrics contract, read from a snapshot."""

import ast
import json
import re
from pathlib import Path

import pytest

from agentledger import privacy, query, registry
from agentledger.errors import UsageError
from agentledger.query import skills
from agentledger.query.scope import UnknownNameError
from agentledger.settings import Settings
from tests.unit.published_ledger import (
    BLOG,
    EVIL_SKILL,
    RANKED,
    SHOP,
    UGLY_SKILL,
    publish_ledger,
    settings_of,
)

QUERY_FOLDER = Path(query.__file__).parent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path / "home")
    publish_ledger(settings)
    return settings


def names(answer: skills.Answer) -> list[str]:
    return [row["skill_name"] for row in answer.records()]


def test_ranking_by_uses_and_by_quality(tmp_path: Path) -> None:
    """By raw rate the skill with 1 of 1 would come first; it is not ranked by quality at all."""
    settings = settings_of(tmp_path)
    publish_ledger(settings, uses=RANKED)
    assert names(skills.top_skills(settings=settings)) == ["C", "B", "D", "A"]
    assert names(skills.top_skills(by="quality", settings=settings)) == ["B", "C"]
    assert names(skills.top_skills(limit=2, settings=settings)) == ["C", "B"]


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.9, ["B"]), (0.8, ["C", "B"]), (0.0, ["C", "B"]), (0.91, [])]
)
def test_a_rate_filter_passes_no_skill_without_enough_outcomes(
    tmp_path: Path, rate: float, expected: list[str]
) -> None:
    """A has 1 of 1 and D has no outcome: neither may pass, and 0.9 itself does."""
    settings = settings_of(tmp_path)
    publish_ledger(settings, uses=RANKED)
    assert names(skills.top_skills(min_success_rate=rate, settings=settings)) == expected


def test_the_newest_bucket_is_the_default_and_since_gives_several(settings: Settings) -> None:
    newest = skills.top_skills("weekly", settings=settings).records()
    assert [(row["bucket_start"], row["skill_name"]) for row in newest] == [
        ("2026-03-09", "B"),
        ("2026-03-09", "C"),
    ]
    one = skills.top_skills("weekly", bucket="2026-03-08", settings=settings).records()
    assert [(row["bucket_start"], row["is_partial"]) for row in one] == [("2026-03-02", False)]
    several = skills.top_skills("weekly", since="2w", limit=1, settings=settings).records()
    assert [(row["bucket_start"], row["skill_name"]) for row in several] == [
        ("2026-03-09", "B"),
        ("2026-03-02", "B"),
    ]
    assert [row["is_partial"] for row in several] == [True, False]


def test_scopes_are_never_mixed(settings: Settings) -> None:
    """Reading both scopes would list skill B three times."""
    assert names(skills.top_skills(settings=settings)).count("B") == 1
    assert skills.top_skills(project="shop", settings=settings).records()[0]["project_id"] == SHOP
    assert len(skills.skill_history("B", window="all", settings=settings).rows) == 1


def test_history_is_oldest_first_and_leaves_out_what_readers_cannot_use(
    settings: Settings,
) -> None:
    answer = skills.skill_history("B", settings=settings)
    assert [row["bucket_start"] for row in answer.records()] == ["2026-03-10", "2026-03-12"]
    assert "load_seq" not in answer.columns
    later = skills.skill_history("B", since="2026-03-11", settings=settings)
    assert [row["is_partial"] for row in later.records()] == [True]


def test_insights_are_most_urgent_first(settings: Settings) -> None:
    rows = skills.skill_insights(settings=settings).records()
    assert [(row["skill_name"], row["insight"]) for row in rows] == [
        ("C", "low_success"),
        ("B", "well_tuned"),
    ]


def test_a_project_is_found_by_id_name_and_path(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "my blög"
    folder.mkdir()
    project = registry.register_project(settings, str(folder), name="another name")
    key = privacy.load_or_create_key(settings)
    import duckdb

    path = settings.published_dir / "ledger-1.duckdb"
    connection = duckdb.connect(str(path))
    new_id = privacy.project_id(key, project.path)
    for table in ("skill_aggregates", "dim_projects"):
        connection.execute(
            f"update marts.{table} set project_id = ? where project_id = ?", [new_id, BLOG]
        )
    connection.close()
    for given in (new_id, "blog", str(folder), f"{folder}/", f"{folder}/../my blög"):
        rows = skills.top_skills(project=given, settings=settings).records()
        assert [row["project_id"] for row in rows] == [new_id], given


@pytest.mark.parametrize(
    ("project", "message"),
    [
        ("shpo", "Did you mean 'shop'"),
        ("twin", "2 projects are named"),
        ("gone", "There is no project"),
        ("' or 1=1 --", "There is no project"),
        ("\x1b[31mred", r"\\x1b"),
        ("a\x00b", "There is no project"),
        ("\udcff", "There is no project"),
        ("~nobody-of-this-name/x", "There is no project"),
    ],
    ids=["near", "ambiguous", "inactive", "injection", "escape", "NUL", "not UTF-8", "tilde"],
)
def test_an_unknown_project_is_an_error_and_never_all_projects(
    settings: Settings, project: str, message: str
) -> None:
    privacy.load_or_create_key(settings)
    with pytest.raises(UnknownNameError, match=message) as caught:
        skills.top_skills(project=project, settings=settings)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", ["b", "' or 1=1 --", "\udcff", "", "a\x00b"])
def test_an_unknown_skill_is_an_error(settings: Settings, name: str) -> None:
    with pytest.raises(UnknownNameError, match="There is no skill"):
        skills.skill_history(name, settings=settings)


def test_an_injection_in_a_skill_name_is_a_skill_name(settings: Settings) -> None:
    assert query.get_skill(EVIL_SKILL, settings=settings)["all_time"]["total_invocations"] == 2
    assert len(skills.skill_history(UGLY_SKILL, window="all", settings=settings).rows) == 1
    assert len(skills.top_skills(settings=settings).rows) == 6


@pytest.mark.parametrize(
    "options",
    [{"by": "rate"}, {"limit": 0}, {"min_success_rate": 90}, {"window": "all; drop table x"}],
    ids=str,
)
def test_wrong_arguments_are_refused(settings: Settings, options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        skills.top_skills(**options, settings=settings)  # type: ignore[arg-type]


def test_frames_keep_counts_whole_and_unknown_missing(settings: Settings) -> None:
    """A rate that is unknown is missing, not 0; a count stays an integer."""
    frame = query.get_top_skills(settings=settings)
    unknown = frame[frame["skill_name"] == "D"].iloc[0]
    assert unknown["success_rate"] != unknown["success_rate"]
    assert str(frame["total_invocations"].dtype) == "Int64"
    assert frame.attrs == {"build_id": "1", "as_of": "2026-03-12T09:00:00Z"}
    history = query.get_skill_history("B", window="all", settings=settings)
    assert str(history["last_used_at"].dtype) == "datetime64[us, UTC]"
    assert query.get_top_skills.__doc__ == skills.top_skills.__doc__


def test_dicts_are_json_with_utc_instants(settings: Settings) -> None:
    summary = query.get_skill_summary(settings=settings)
    again = json.loads(json.dumps(summary, allow_nan=False))
    assert again == summary
    assert again["as_of"] == "2026-03-12T09:00:00Z"
    assert again["totals"]["total_invocations"] == 196
    assert [row["skill_name"] for row in again["top_by_quality"]] == ["B", "C"]
    shown = query.get_skill("B", settings=settings)
    assert shown["all_time"]["first_used_at"] == "2026-03-01T23:30:00Z"
    assert shown["all_time"]["p50_duration_ms"] is None
    assert [row["bucket_start"] for row in shown["history"]] == ["2026-03-02", "2026-03-09"]


def test_an_empty_ledger_answers_with_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    publish_ledger(settings, uses=())
    for window in ("all", "daily", "weekly", "monthly"):
        assert skills.top_skills(window, settings=settings).rows == []
        summary = query.get_skill_summary(window=window, settings=settings)
        assert summary["totals"] is None
        assert summary["top_by_uses"] == []
    assert query.get_top_skills(settings=settings).empty
    assert query.get_projects(settings=settings).empty


ADDING_UP = ("intent_marts.py", "intent_report.py", "turns.py", "agent_totals.py")
"""Query files that may sum what adds up."""


def test_no_metric_is_computed_by_the_readers() -> None:
    """The tempting change is a quick `sum(...)` here, which soon disagrees with the mart.

    Additive counts of intents, turns and windows of agents are summed over a period (analyses F,
    C); their rates are functions that the models leave in the snapshot, so no text divides.
    """
    for path in QUERY_FOLDER.glob("*.py"):
        texts = [
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        for text in texts:
            if "select" in text.lower():
                found = re.findall(
                    r"\b(sum|avg|mean|median|count|quantile\w*|stddev\w*)\s*\(", text
                )
                if path.name in ADDING_UP:
                    found = [name for name in found if name != "sum"]
                    assert " / " not in text, path.name
                assert not found, f"{path.name}: {found}"
