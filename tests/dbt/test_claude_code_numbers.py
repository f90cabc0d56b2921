"""The numbers of the shared reference page for Claude Code, from real transcripts to the facts.

The expected numbers: `claude_code_reference.py`.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.claude_code_reference import (
    COUNTS,
    ERRORS_BY_TOOL,
    NAIVE,
    PER_FOLDER,
    PER_MODEL,
    PER_SKILL,
    SNAPSHOTS,
    TOKENS,
)
from tests.dbt.source_ledger import SHARED, SourceLedger

ROOT = SHARED / "claude-code"
MODELS = (
    "+llm_call_audit", "+usage_quarter_hours", "+fct_tool_calls", "+skill_aggregates",
    "+skill_attribution", "+agent_metrics",
)  # fmt: skip
_TOKENS = (
    "count(*), coalesce(sum(input_fresh_tokens), 0), coalesce(sum(output_tokens), 0), "
    "coalesce(sum(cache_write_5m_tokens + cache_write_1h_tokens), 0), "
    "coalesce(sum(cache_read_tokens), 0)"
)


class Ledger(SourceLedger):
    """A data home with one source of transcripts; all homes of this module have one secret."""

    def __init__(self, folder: Path, dbt: Callable[..., Any]) -> None:
        super().__init__(folder, dbt, "claude-code", MODELS, secret="5" * 64)

    def tokens(self) -> tuple[int, ...]:
        [row] = self.rows(f"select {_TOKENS} from marts.fct_llm_calls")
        return row

    def naive_sums(self) -> tuple[int, ...]:
        found = self.naive()
        return tuple(found[tier] for tier in ("input_fresh", "output", "cache_write", "cache_read"))

    def counts(self) -> tuple[int, ...]:
        [lines] = self.rows(
            "select count(*), count(distinct uuid), count(distinct session_id) "
            "from raw.claude_code_lines"
        )
        [tools] = self.rows(
            "select count(*) filter (has_call), count(*) filter (has_result), "
            "count(*) filter (is_error), count(*) filter (tool_name = 'Skill'), "
            "count(*) filter (tool_name = 'Skill' and has_result and not is_error), "
            "count(*) filter (tool_name = 'Skill' and is_error) from marts.fct_tool_calls"
        )
        return lines + tools

    def usage(self) -> list[tuple[Any, ...]]:
        """The published mart, but for what tells when a row was loaded."""
        return self.rows(
            "select * exclude (load_seq, project_id, session_key) from marts.usage_quarter_hours "
            "order by all"
        )

    def skills_and_agents(self) -> list[list[tuple[Any, ...]]]:
        """Invocations, what they cost and tasks, but for what tells when a row was loaded."""
        return [
            self.rows(f"select * exclude ({left_out}) from marts.{mart} order by all")
            for mart, left_out in (
                ("fct_skill_invocations", "load_seq, file_id, project_id, session_key"),
                ("skill_aggregates", "load_seq, project_id"),
                ("skill_attribution", "project_id"),
                ("fct_agent_tasks", "load_seq, file_id, project_id, session_key"),
                ("agent_metrics", "refreshed_at"),
            )
        ]


def files_of(*folders: str) -> list[Path]:
    return sorted(path for name in folders for path in (ROOT / name).rglob("*.jsonl"))


@pytest.fixture(scope="module")
def new_ledger(
    dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Ledger]:
    if not ROOT.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    return lambda: Ledger(tmp_path_factory.mktemp("ledger"), dbt)


@pytest.fixture(scope="module")
def whole(new_ledger: Callable[[], Ledger]) -> Ledger:
    """Everything at once, built and tested."""
    ledger = new_ledger()
    ledger.take(files_of("."), ROOT)
    ledger.run("build")
    return ledger


def test_the_whole_tree(whole: Ledger) -> None:
    assert whole.tokens() == TOKENS["claude-code"]
    assert whole.naive_sums() == NAIVE["claude-code"]
    assert whole.counts() == COUNTS["claude-code"]
    [lives] = whole.rows(
        "select sum(cache_write_5m_tokens - cache_ttl_assumed_tokens), "
        "sum(cache_write_1h_tokens), sum(cache_ttl_assumed_tokens) from marts.fct_llm_calls"
    )
    assert lives == (2753836, 1608559, 206624)
    [rejects] = whole.rows("select count(*) from raw.rejects")
    assert rejects == (6,)


def test_every_model_skill_and_tool(whole: Ledger) -> None:
    models = whole.rows(f"select model, {_TOKENS} from marts.fct_llm_calls group by 1")
    assert {name: tuple(rest) for name, *rest in models} == PER_MODEL
    skills = whole.rows(
        "select skill_name, count(*), count(*) filter (not is_error), count(*) filter (is_error) "
        "from marts.fct_tool_calls where tool_name = 'Skill' group by 1"
    )
    assert {name: tuple(rest) for name, *rest in skills} == PER_SKILL
    errors = whole.rows(
        "select tool_name, count(*) from marts.fct_tool_calls where is_error group by 1"
    )
    assert dict(errors) == ERRORS_BY_TOOL
    [unmatched] = whole.rows(
        "select count(*) filter (not has_result), count(*) filter (not has_call) "
        "from marts.fct_tool_calls"
    )
    assert unmatched == (3, 1)


_SKILLS = (
    "select skill_name, total_invocations, successful_completions, failed_invocations "
    "from marts.skill_aggregates where project_id = '__all__' and time_window = 'all'"
)


def test_every_skill_is_an_invocation(whole: Ledger) -> None:
    """The 19 calls of the Skill tool; one more skill was typed, and its text followed."""
    skills = whole.rows(
        "select skill_name, count(*), count(*) filter (outcome = 'success'), "
        "count(*) filter (outcome = 'failure') from marts.fct_skill_invocations "
        "where variant = 'skill_tool' group by 1"
    )
    assert {name: tuple(rest) for name, *rest in skills} == PER_SKILL
    typed = whole.rows(
        "select skill_name, outcome from marts.fct_skill_invocations "
        "where variant = 'slash_command'"
    )
    assert typed == [("github-pr-review", "success")]
    counted = {name: tuple(rest) for name, *rest in whole.rows(_SKILLS)}
    assert counted == PER_SKILL | {"github-pr-review": (3, 3, 0)}
    [shortest] = whole.rows("select min(duration_ms) from marts.fct_skill_invocations")
    assert shortest[0] > 1000


def test_every_subagent_is_a_task(whole: Ledger) -> None:
    """31 calls of Task; of 4 errors one is an interrupt. One has no result. No child has lines."""
    [tasks] = whole.rows(
        "select count(*), count(*) filter (outcome = 'success'), "
        "count(*) filter (outcome = 'failure'), count(*) filter (outcome = 'unknown'), "
        "count(cost_cents), count(*) filter (flags = 'subagent_estimated'), count(patterns) "
        "from marts.fct_agent_tasks where source_kind = 'claude_code'"
    )
    assert tasks == (31, 26, 3, 2, 0, 26, 0)
    [dev] = whole.rows(
        "select count(*), sum(latency_ms), sum(total_tokens) from marts.fct_agent_tasks "
        "where agent_id = 'dev'"
    )
    assert dev == (2, 2930642 + 96715, 73380 + 31611)
    [events] = whole.rows(
        "select sum(task_count) from marts.agent_metrics where window_size = '1w'"
    )
    assert events == (31,)


def test_the_rules_of_cost_stand_in_order(whole: Ledger) -> None:
    """A wider span never claims less; no version of these sessions stamps its calls."""
    broken = whole.rows(
        "with wide as (pivot (select skill_name, project_id, rule, calls "
        "from marts.skill_attribution) on rule in ('stamp', 'until_prompt', 'until_next_skill', "
        "'subagents_only', 'session_share') using max(calls)) "
        "select * from wide where until_next_skill > until_prompt or until_prompt > session_share "
        "or subagents_only > until_next_skill or stamp is not null or until_prompt is null"
    )
    assert broken == []
    [rows] = whole.rows(
        "select count(*), count(distinct skill_name) from marts.skill_attribution "
        "where project_id = '__all__'"
    )
    assert rows == (16 * 5, 16)


def test_every_folder(whole: Ledger) -> None:
    """The folders that repeat nothing of another, by the file of each fact."""
    folder = "regexp_extract(f.path, '([^/]+)/[^/]*$', 1)"
    lines = whole.rows(
        f"select {folder}, count(distinct uuid), count(distinct session_id) "
        "from raw.claude_code_lines l join raw.files f using (file_id) group by 1"
    )
    calls = whole.rows(
        f"select {folder}, {_TOKENS} from marts.fct_llm_calls "
        "join raw.files f using (file_id) group by 1"
    )
    tools = whole.rows(
        f"select {folder}, count(*) filter (has_call), count(*) filter (is_error), "
        "count(*) filter (tool_name = 'Skill') "
        "from marts.fct_tool_calls join raw.files f using (file_id) group by 1"
    )
    found: dict[str, tuple[int, ...]] = {}
    for rows in (lines, calls, tools):
        for name, *numbers in rows:
            found[name] = found.get(name, ()) + tuple(numbers)
    assert {name: found[name] for name in PER_FOLDER} == PER_FOLDER


def test_a_second_run_and_a_full_refresh_change_nothing(whole: Ledger) -> None:
    before, skills = whole.usage(), whole.skills_and_agents()
    whole.run()
    assert whole.usage() == before
    assert whole.skills_and_agents() == skills
    assert whole.tokens() == TOKENS["claude-code"]
    whole._dbt(whole.settings.warehouse_path, "run", "--full-refresh", "--select", *MODELS)
    assert whole.usage() == before
    assert whole.skills_and_agents() == skills


@pytest.mark.slow
@pytest.mark.rebuilds
def test_files_in_any_order_and_in_slices(whole: Ledger, new_ledger: Callable[[], Ledger]) -> None:
    ledger = new_ledger()
    files = files_of(".")
    random.Random(5).shuffle(files)  # noqa: S311 - test data
    for part in (files[::3], files[1::3], files[2::3]):
        ledger.take(part, ROOT)
        ledger.run()
    assert ledger.tokens() == TOKENS["claude-code"]
    assert ledger.naive_sums() == NAIVE["claude-code"]
    assert ledger.counts() == COUNTS["claude-code"]
    assert ledger.usage() == whole.usage()
    assert ledger.skills_and_agents() == whole.skills_and_agents()


@pytest.mark.parametrize("folder", ["projects", "parts-of-one-session"])
def test_one_folder_alone(folder: str, new_ledger: Callable[[], Ledger]) -> None:
    ledger = new_ledger()
    ledger.take(files_of(folder), ROOT)
    ledger.run()
    assert ledger.tokens() == TOKENS[folder]
    assert ledger.naive_sums() == NAIVE[folder]
    assert ledger.counts() == COUNTS[folder]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_growing_snapshots_one_after_the_other(new_ledger: Callable[[], Ledger]) -> None:
    """Files that hold all that was there before: after each, the numbers of the newest alone."""
    ledger = new_ledger()
    found = []
    for number in range(1, 6):
        ledger.take(files_of(f"snapshots-of-one-session/{number}"), ROOT)
        ledger.run()
        counts = ledger.counts()
        found.append((counts[1], *ledger.tokens(), counts[3], counts[5]))
    assert tuple(found) == SNAPSHOTS
    assert ledger.naive_sums() == NAIVE["snapshots-of-one-session"]
    assert ledger.counts() == COUNTS["snapshots-of-one-session"]
