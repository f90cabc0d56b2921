"""Agents and scores of real exports of Langfuse, slice by slice and at once.

How many agents and traces there are was counted straight from the files; their tokens are the
leaves of the shared reference page. The scores were written for this test: the exports have none.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.dbt.source_ledger import SHARED, SourceLedger

pytestmark = [pytest.mark.slow, pytest.mark.rebuilds]

ROOT = SHARED / "langfuse"
MODELS = ("+fct_agent_tasks", "+agent_scores")
LEAF_TOKENS = 20717 + 5695
GRAPH, WORKFLOW = "2c1581dd9cecdafb6ca091b83d7ea99a", "fee618f96dc31e0ca38b2f7b26eb8b29"
LATE = "la7e0000000000000000000000000001"


def score(number: int, trace: str, **changes: Any) -> str:
    row = {
        "id": f"sc-{number}", "timestamp": "2026-11-19 10:00:00.000000", "trace_id": trace,
        "observation_id": "", "name": "helpful", "value": 1, "string_value": "",
        "data_type": "BOOLEAN", "source": "ANNOTATION", "comment": "SECRET",
    }  # fmt: skip
    return json.dumps(row | changes) + "\n"


def late_trace(*kinds: str) -> str:
    """A trace of one call that turns out to be made by an agent."""
    observations = [
        {"id": f"ob-{kind}", "traceId": LATE, "type": kind, "name": "late", "level": "DEFAULT",
         "parentObservationId": None if kind == "AGENT" else "ob-AGENT",
         "startTime": "2026-06-12T20:20:00.000Z", "endTime": "2026-06-12T20:20:01.000Z"}
        for kind in kinds
    ]  # fmt: skip
    trace = {"id": LATE, "name": "late app", "timestamp": "2026-06-12T20:20:00.000Z",
             "userId": None, "sessionId": None}  # fmt: skip
    return json.dumps({"trace": trace, "observations": observations})


@dataclass(frozen=True)
class Answers:
    """What a ledger says at one moment."""

    tasks: list[tuple[Any, ...]]
    late: list[tuple[Any, ...]]
    scores: list[tuple[Any, ...]]


def ask(ledger: SourceLedger) -> Answers:
    # Keys of sessions and projects hang on the folder of the test.
    return Answers(
        tasks=ledger.rows(
            "select task_key, agent_id, variant, outcome, cost_cents, latency_ms, total_tokens, "
            "patterns, flags, occurred_at from marts.fct_agent_tasks "
            "where agent_id not like 'late%' order by all"
        ),
        late=ledger.rows(
            "select agent_id, variant from marts.fct_agent_tasks where agent_id like 'late%'"
        ),
        scores=ledger.rows(
            "select agent_id, score_name, target, numeric_value, is_true, category, task_key "
            "from marts.fct_scores order by all"
        ),
    )


@pytest.fixture(scope="module")
def told(dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> list[Answers]:
    """What is said after scores alone, after each half of the exports, and when all is rebuilt."""
    if not ROOT.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    ledger = SourceLedger(tmp_path_factory.mktemp("langfuse"), dbt, "langfuse", MODELS)
    files = [
        path
        for name in ("framework-traces", "older-versions")
        for path in sorted((ROOT / name).rglob("*.json"))
    ]
    random.Random(7).shuffle(files)  # noqa: S311 - test data
    ledger.write(
        "scores.jsonl",
        score(1, GRAPH) + score(2, WORKFLOW, value=0)
        + score(3, WORKFLOW, name="depth", data_type="NUMERIC", value=0.5)
        + score(4, LATE, name="tone", data_type="CATEGORICAL", value=0, string_value="warm"),
    )  # fmt: skip
    answers: list[Answers] = []

    def run(*arguments: str) -> None:
        ledger.run("run", *arguments)
        answers.append(ask(ledger))

    run()
    ledger.take(files[::2], ROOT)
    ledger.write("late-1.json", late_trace("GENERATION"))
    run()
    ledger.take(files[1::2], ROOT)
    ledger.write("late-2.json", late_trace("AGENT", "GENERATION"))
    run()
    run("--full-refresh")
    return answers


def test_a_trace_without_an_agent_is_one_task_and_tokens_count_once(told: list[Answers]) -> None:
    tasks = told[2].tasks
    variants = [row[2] for row in tasks]
    assert (variants.count("agent_observation"), variants.count("trace")) == (7, 20)
    assert sum(row[6] or 0 for row in tasks) == LEAF_TOKENS
    assert {row[3] for row in tasks if row[2] == "trace"} == {"unknown"}
    assert {row[8] for row in tasks if row[2] == "trace"} == {"agent_from_trace"}


def test_a_trace_in_which_an_agent_is_found_later_is_taken_back(told: list[Answers]) -> None:
    assert told[1].late == [("late app", "trace")]
    assert told[2].late == [("late", "agent_observation")]


def test_a_score_waits_for_the_agent_that_it_judges(told: list[Answers]) -> None:
    assert {row[0] for row in told[0].scores} == {"unknown"}
    assert [row[:-1] for row in told[2].scores] == [
        ("Agent workflow", "depth", "trace", 0.5, None, None),
        ("Agent workflow", "helpful", "trace", None, False, None),
        ("LangGraph", "helpful", "trace", None, True, None),
        ("late", "tone", "trace", None, None, "warm"),
    ]
    tasks = {row[0]: row[1] for row in told[2].tasks}
    assert {row[0]: tasks.get(row[-1]) for row in told[2].scores} == {
        "Agent workflow": "Agent workflow", "LangGraph": "LangGraph", "late": None,
    }  # fmt: skip


def test_slices_give_what_a_full_refresh_gives(told: list[Answers]) -> None:
    assert told[2] == told[3]
