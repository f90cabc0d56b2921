"""One session that a transcript, Claude Code's telemetry and Langfuse all tell of counts once.

What it is, and what each source writes of it: `told_session.py`. Both calls of it have 30 tokens of
input, 300 written to the cache, 11,000 read from there, and 250 of output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings
from tests.dbt.source_ledger import AS_OF
from tests.dbt.told_session import langfuse, telemetry, transcript

pytestmark = [pytest.mark.slow, pytest.mark.rebuilds]

MODELS = (
    "+llm_call_audit", "+usage_quarter_hours", "+fct_tool_calls", "+skill_aggregates",
    "+agent_metrics", "+reconciliation",
)  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What a ledger says at one moment."""

    usage: list[tuple[Any, ...]]
    calls: list[tuple[Any, ...]]
    tools: list[tuple[Any, ...]]
    skills: list[tuple[Any, ...]]
    agents: list[tuple[Any, ...]]
    reconciled: dict[tuple[str, str, str], tuple[float, float, bool]]


class TwiceTold:
    """A data home to which one session is told by one source after the other."""

    def __init__(self, folder: Path, dbt: Callable[..., Any]) -> None:
        self.settings = Settings(home=folder / "home", host_zone="UTC")
        self._folder, self._dbt, self._runs = folder, dbt, 0
        warehouse.prepare_home(self.settings)

    def tell(self, kind: str, name: str, text: str) -> None:
        path = self._folder / kind
        path.mkdir()
        (path / name).write_text(text, "utf-8")
        registry.add_source(self.settings, kind, str(path), zone="UTC", projects="all")

    def run(self, *arguments: str) -> None:
        self._runs += 1
        with warehouse.open_warehouse(self.settings) as connection:
            collect.collect(self.settings, connection, run_id=str(self._runs), as_of=AS_OF)
        self._dbt(self.settings.warehouse_path, "run", *arguments, "--select", *MODELS)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with warehouse.open_warehouse(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def ask(self) -> Answers:
        return Answers(
            usage=self.rows(
                "select source_kind, sum(calls)::int, sum(api_errors)::int, "
                "sum(input_fresh_tokens)::int, "
                "sum(cache_write_5m_tokens + cache_write_1h_tokens)::int, "
                "sum(cache_read_tokens)::int, sum(output_tokens)::int, "
                "count(distinct session_key) from marts.usage_quarter_hours group by 1 order by 1"
            ),
            calls=self.rows(
                "select source_kind, is_api_error, output_tokens from marts.fct_llm_calls "
                "order by all"
            ),
            tools=self.rows(
                "select source_kind, tool_name, outcome from marts.fct_tool_calls order by all"
            ),
            skills=self.rows(
                "select skill_name, total_invocations, successful_completions "
                "from marts.skill_aggregates where project_id = '__all__' and time_window = 'all'"
            ),
            agents=self.rows(
                "select agent_id, sum(task_count)::int, sum(succeeded)::int "
                "from marts.agent_metrics where window_size = '1w' group by 1"
            ),
            reconciled={
                (first, second, measure): (one, other, within)
                for first, second, measure, one, other, within in self.rows(
                    "select first_source, second_source, measure, first_value, second_value, "
                    "is_within_tolerance from marts.reconciliation "
                    "where comparison = 'sources_of_session'"
                )
            },
        )


@dataclass(frozen=True)
class Told:
    """What is said after Langfuse, telemetry and transcript, one by one and at once."""

    langfuse_alone: Answers
    telemetry: Answers
    transcript: Answers
    rebuilt: Answers
    at_once: Answers


@pytest.fixture(scope="module")
def told(dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Told:
    ledger = TwiceTold(tmp_path_factory.mktemp("slices"), dbt)
    ledger.tell("langfuse", "trace.json", langfuse())
    ledger.run()
    first = ledger.ask()
    ledger.tell("otlp", "telemetry.jsonl", telemetry())
    ledger.run()
    second = ledger.ask()
    ledger.tell("claude-code", "s.jsonl", transcript())
    ledger.run()
    third = ledger.ask()
    ledger.run("--full-refresh")
    rebuilt = ledger.ask()
    once = TwiceTold(tmp_path_factory.mktemp("once"), dbt)
    for kind, name, text in (
        ("claude-code", "s.jsonl", transcript()),
        ("langfuse", "trace.json", langfuse()),
        ("otlp", "telemetry.jsonl", telemetry()),
    ):
        once.tell(kind, name, text)
    once.run()
    return Told(first, second, third, rebuilt, once.ask())


def test_totals_stay_what_they_are_however_many_sources_tell(told: Told) -> None:
    """Should find 250 output tokens of two calls after one source, after two and after three."""
    tokens = (30, 300, 11000, 250, 1)
    assert told.langfuse_alone.usage == [("langfuse", 2, 0, *tokens)]
    assert told.telemetry.usage == [("claude_code_otel", 3, 1, *tokens)]
    assert told.transcript.usage == [("claude_code", 2, 0, *tokens)]


def test_a_request_that_failed_is_a_call_without_tokens(told: Told) -> None:
    assert told.telemetry.calls == [
        ("claude_code_otel", False, 50), ("claude_code_otel", False, 200),
        ("claude_code_otel", True, 0),
    ]  # fmt: skip


def test_a_tool_a_skill_and_a_subagent_count_once(told: Told) -> None:
    assert told.langfuse_alone.tools == [("langfuse", "Bash", "success")]
    assert told.telemetry.tools == [
        ("claude_code_otel", "Bash", "success"), ("claude_code_otel", "Skill", "success"),
    ]  # fmt: skip
    assert {row[:2] for row in told.transcript.tools} == {
        ("claude_code", "Bash"), ("claude_code", "Skill"), ("claude_code", "Task"),
    }  # fmt: skip
    assert told.langfuse_alone.skills == []
    assert told.telemetry.skills == told.transcript.skills == [("review", 1, 1)]
    assert told.langfuse_alone.agents == told.transcript.agents == [("dev", 1, 1)]
    # That a subagent ended does not say how.
    assert told.telemetry.agents == [("dev", 1, 0)]


def test_both_sides_of_a_session_stand_in_the_reconciliation(told: Told) -> None:
    """Should compare what each source says by itself, and count spans and events apart."""
    said = told.transcript.reconciled
    tellers = ("claude_code", "claude_code_metrics", "claude_code_otel", "claude_code_spans",
               "langfuse")  # fmt: skip
    pairs = {(a, b) for a, b, _ in said}
    assert pairs == {(a, b) for a in tellers for b in tellers if a < b}
    agreed = {"input_fresh_tokens": 30, "cache_write_tokens": 300, "cache_read_tokens": 11000}
    for (first, second, measure), values in said.items():
        if measure in agreed:
            assert values == (agreed[measure], agreed[measure], True)
        if measure == "output_tokens":
            assert values[:2] == tuple(
                252 if name == "claude_code_metrics" else 250 for name in (first, second)
            )
        if measure == "calls":
            assert values == (2, 2, True)
    # 0.25 and 0.5 by its events; by its counter 0.5, and 0.25 after it began anew.
    costs = {pair[:2]: values for pair, values in said.items() if pair[2] == "cost_usd"}
    assert costs == {("claude_code_metrics", "claude_code_otel"): (0.75, 0.75, True)}


def test_the_order_of_the_sources_changes_nothing(told: Told) -> None:
    assert told.rebuilt == told.transcript
    assert told.at_once == told.transcript
