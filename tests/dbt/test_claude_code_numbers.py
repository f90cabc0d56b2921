"""The numbers of the shared reference page for Claude Code, from real transcripts to the facts.

The expected numbers were computed independently of this project, straight from the files.
"""

import random
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.settings import Settings

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "claude-code"
AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
SECRET = "5" * 64
MODELS = (
    "+llm_call_audit", "+usage_quarter_hours", "+fct_tool_calls", "+skill_aggregates",
    "+skill_attribution", "+agent_metrics",
)  # fmt: skip

# responses, input, output, cache write, cache read
TOKENS = {
    "claude-code": (1128, 25789, 97417, 4569019, 85131039),
    "projects": (981, 24925, 96897, 4185708, 72402018),
    "snapshots-of-one-session": (32, 268, 90, 93344, 1654279),
    "parts-of-one-session": (115, 596, 430, 289967, 11074742),
}
NAIVE = {
    "claude-code": (57302, 101843, 11578990, 185723405),
    "projects": (53891, 100383, 10464824, 150161105),
    "snapshots-of-one-session": (2066, 749, 459997, 12055359),
    "parts-of-one-session": (1345, 711, 654169, 23506941),
}
# records, uuids, sessions, tool calls, results, errors, Skill calls, of these ok and failed
COUNTS = {
    "claude-code": (6029, 5417, 26, 1199, 1197, 69, 19, 14, 5),
    "projects": (4952, 4757, 24, 1063, 1060, 66, 19, 14, 5),
    "snapshots-of-one-session": (575, 168, 1, 28, 28, 1, 0, 0, 0),
    "parts-of-one-session": (502, 492, 1, 108, 109, 2, 0, 0, 0),
}
PER_MODEL = {
    "<synthetic>": (2, 0, 0, 0, 0),
    "claude-3-sonnet-20240229": (9, 558, 830, 0, 0),
    "claude-haiku-4-5-20251001": (16, 1349, 22145, 275238, 1025640),
    "claude-opus-4-5-20251101": (747, 22145, 31431, 3124856, 60160115),
    "claude-opus-4-6": (226, 251, 23303, 701409, 17818542),
    "claude-sonnet-4": (6, 883, 328, 0, 0),
    "claude-sonnet-4-20250514": (90, 293, 19313, 206624, 4302385),
    "claude-sonnet-4-5-20250929": (32, 310, 67, 260892, 1824357),
}
PER_SKILL = {
    "commit": (3, 0, 3), "entire-engineering:workflows:plan_review": (1, 0, 1),
    "entire-engineering:workflows:review": (1, 1, 0),
    "entire-engineering:workflows:work": (1, 1, 0), "github-pr-review": (2, 2, 0),
    "model": (1, 0, 1), "plan_review": (1, 1, 0), "reviewer": (1, 1, 0),
    "superpowers:brainstorming": (1, 1, 0),
    "superpowers:finishing-a-development-branch": (1, 1, 0),
    "superpowers:receiving-code-review": (1, 1, 0),
    "superpowers:requesting-code-review": (1, 1, 0),
    "superpowers:subagent-driven-development": (1, 1, 0),
    "superpowers:systematic-debugging": (1, 1, 0), "superpowers:writing-plans": (1, 1, 0),
    "test-repo": (1, 1, 0),
}  # fmt: skip
ERRORS_BY_TOOL = {"Bash": 43, "Edit": 9, "Skill": 5, "Task": 4, "Read": 3, "Grep": 2,
                  "TaskUpdate": 2, "FailingTool": 1}  # fmt: skip
# The folders that share no record with another: uuids, sessions, responses, input, output, cache
# write, cache read, tool calls, errors, Skill calls.
PER_FOLDER = {
    "-Users-alex-workspace-cli": (763, 3, 138, 1087, 381, 725952, 10895459, 149, 5, 3),
    "-Users-alex-workspace-cli--worktrees-2": (
        992, 2, 190, 603, 3731, 709434, 18224306, 210, 15, 2),
    "-Users-alex-workspace-cli--worktrees-ent-95-test": (
        224, 1, 45, 8381, 142, 99621, 3668664, 46, 3, 1),
    "-Users-alex-workspace-cli--worktrees-soph-fix-session-date-change-bug": (
        401, 1, 76, 2302, 163, 268662, 6258380, 82, 5, 1),
    "-Users-alex-workspace-tmp-cli": (554, 1, 63, 137, 581, 215411, 4040912, 66, 2, 3),
    "-Users-chip-dev-ai-music": (232, 3, 90, 293, 19313, 206624, 4302385, 96, 6, 0),
    "-Users-gtrrz-victor-wks-cli": (250, 2, 75, 9123, 39858, 605980, 7324204, 82, 6, 3),
    "-Users-gtrrz-victor-wks-test-cli-cli": (44, 1, 8, 70, 26, 118843, 329215, 5, 1, 1),
    "-Users-paul-src-entireio-cli": (113, 1, 14, 17, 2075, 19056, 441175, 16, 1, 1),
    "-Users-paul-src-entireio-cli-completion-updater": (
        231, 1, 48, 52, 10187, 101721, 2464914, 62, 4, 1),
    "-Users-paul-src-entireio-completion-stanza-manager": (
        314, 1, 72, 78, 8500, 192250, 6309464, 86, 5, 1),
    "-Users-soph-Work-entire-devenv-cli": (603, 3, 147, 1341, 10782, 922154, 8142940, 156, 12, 2),
}  # fmt: skip
# After each of the five growing snapshots: uuids, responses, input, output, cache write, cache
# read, tool calls, errors.
SNAPSHOTS = (
    (37, 8, 68, 30, 17620, 356227, 7, 0),
    (79, 13, 110, 44, 19204, 613345, 11, 0),
    (102, 18, 152, 55, 20271, 878092, 15, 0),
    (135, 25, 210, 70, 26538, 1276131, 22, 1),
    (168, 32, 268, 90, 93344, 1654279, 28, 1),
)

_TOKENS = (
    "count(*), coalesce(sum(input_fresh_tokens), 0), coalesce(sum(output_tokens), 0), "
    "coalesce(sum(cache_write_5m_tokens + cache_write_1h_tokens), 0), "
    "coalesce(sum(cache_read_tokens), 0)"
)


class Ledger:
    """A data home with one source of transcripts, to which files are handed bit by bit.

    All homes of this module have one secret, so that what was hashed with it can be compared.
    """

    def __init__(self, folder: Path, dbt: Callable[..., Any]) -> None:
        self.settings = Settings(home=folder / "home", host_zone="UTC")
        self.settings.home.mkdir(mode=0o700, parents=True)
        self.settings.key_path.write_text(SECRET)
        self.source = folder / "transcripts"
        self.source.mkdir(parents=True)
        self._dbt = dbt
        self._runs = 0
        warehouse.prepare_home(self.settings)
        registry.add_source(
            self.settings, "claude-code", str(self.source), zone="UTC", projects="all"
        )

    def take(self, files: Iterable[Path]) -> None:
        for file in files:
            target = self.source / file.relative_to(SHARED)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

    def run(self, command: str = "run") -> None:
        self._runs += 1
        with warehouse.open_warehouse(self.settings) as connection:
            collect.collect(self.settings, connection, run_id=str(self._runs), as_of=AS_OF)
        unit: tuple[str, ...] = ()
        if command == "build":  # tests of other models that read the same parents stay out
            unit = ("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
        self._dbt(self.settings.warehouse_path, command, *unit, "--select", *MODELS)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with warehouse.open_warehouse(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tokens(self) -> tuple[int, ...]:
        [row] = self.rows(f"select {_TOKENS} from marts.fct_llm_calls")
        return row

    def naive(self) -> tuple[int, ...]:
        found = dict(
            self.rows("select token_tier, sum(naive_tokens) from marts.llm_call_audit group by 1")
        )
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
    return sorted(path for name in folders for path in (SHARED / name).rglob("*.jsonl"))


@pytest.fixture(scope="module")
def new_ledger(
    dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Ledger]:
    if not SHARED.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    return lambda: Ledger(tmp_path_factory.mktemp("ledger"), dbt)


@pytest.fixture(scope="module")
def whole(new_ledger: Callable[[], Ledger]) -> Ledger:
    """Everything at once, built and tested."""
    ledger = new_ledger()
    ledger.take(files_of("."))
    ledger.run("build")
    return ledger


def test_the_whole_tree(whole: Ledger) -> None:
    assert whole.tokens() == TOKENS["claude-code"]
    assert whole.naive() == NAIVE["claude-code"]
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
        ledger.take(part)
        ledger.run()
    assert ledger.tokens() == TOKENS["claude-code"]
    assert ledger.naive() == NAIVE["claude-code"]
    assert ledger.counts() == COUNTS["claude-code"]
    assert ledger.usage() == whole.usage()
    assert ledger.skills_and_agents() == whole.skills_and_agents()


@pytest.mark.parametrize("folder", ["projects", "parts-of-one-session"])
def test_one_folder_alone(folder: str, new_ledger: Callable[[], Ledger]) -> None:
    ledger = new_ledger()
    ledger.take(files_of(folder))
    ledger.run()
    assert ledger.tokens() == TOKENS[folder]
    assert ledger.naive() == NAIVE[folder]
    assert ledger.counts() == COUNTS[folder]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_growing_snapshots_one_after_the_other(new_ledger: Callable[[], Ledger]) -> None:
    """Files that hold all that was there before: after each, the numbers of the newest alone."""
    ledger = new_ledger()
    found = []
    for number in range(1, 6):
        ledger.take(files_of(f"snapshots-of-one-session/{number}"))
        ledger.run()
        counts = ledger.counts()
        found.append((counts[1], *ledger.tokens(), counts[3], counts[5]))
    assert tuple(found) == SNAPSHOTS
    assert ledger.naive() == NAIVE["snapshots-of-one-session"]
    assert ledger.counts() == COUNTS["snapshots-of-one-session"]
