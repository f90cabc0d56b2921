"""The numbers of the shared reference page for Codex, from real rollouts to the facts.

The expected numbers were computed independently of this project, straight from the files.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.source_ledger import SHARED, SourceLedger

ROOT = SHARED / "codex"

# input, cached input, output, reasoning; a total of the tool is no figure of ours
TOKENS = (5100, 1050, 875, 315)
PER_MODEL = {
    "gpt-5.2": (1600, 300, 450, 40),
    "gpt-5.2-codex": (1000, 250, 125, 75),
    "gpt-5.3-codex": (2500, 500, 300, 200),
}
NAIVE = {"input_fresh": 8100 - 1500, "cache_read": 1500, "output": 1400, "cache_write": 0}

_TOKENS = (
    "sum(input_fresh_tokens + cache_read_tokens), sum(cache_read_tokens), sum(output_tokens), "
    "sum(reasoning_tokens)"
)


@pytest.fixture(scope="module")
def new_ledger(
    dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], SourceLedger]:
    if not ROOT.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    return lambda: SourceLedger(tmp_path_factory.mktemp("codex"), dbt, "codex")


@pytest.fixture(scope="module")
def whole(new_ledger: Callable[[], SourceLedger]) -> SourceLedger:
    """Everything at once, built and tested."""
    ledger = new_ledger()
    ledger.take(files_of(), ROOT)
    ledger.run("build")
    return ledger


def files_of() -> list[Path]:
    return sorted(ROOT.rglob("*.jsonl"))


def tokens(ledger: SourceLedger) -> tuple[int, ...]:
    [row] = ledger.rows(f"select {_TOKENS} from marts.fct_llm_calls")
    return row


def test_the_totals_become_steps(whole: SourceLedger) -> None:
    assert tokens(whole) == TOKENS
    models = whole.rows(f"select model, {_TOKENS} from marts.fct_llm_calls group by 1")
    assert {name: tuple(rest) for name, *rest in models} == PER_MODEL
    assert whole.naive() == NAIVE
    dropped = whole.rows(
        "select drop_reason, count(*) from intermediate.int_codex_call_versions group by 1"
    )
    assert dict(dropped) == {None: 4, "fork_replay": 1}


def test_sessions_records_and_tool_calls(whole: SourceLedger) -> None:
    [counts] = whole.rows(
        "select count(*), count(*) filter (has_usage), count(distinct file_id) from raw.codex_lines"
    )
    assert counts == (28, 5, 9)
    [sessions] = whole.rows("select count(distinct thread_key) from intermediate.int_codex_lines")
    assert sessions == (9,)
    calls = whole.rows("select tool_name, outcome from marts.fct_tool_calls order by all")
    assert calls == [
        ("apply_patch", "unknown"), ("apply_patch", "unknown"), ("exec_command", "unknown"),
        ("shell_command", "unknown"), ("write_stdin", "unknown"),
    ]  # fmt: skip


def test_a_second_run_and_a_full_refresh_change_nothing(whole: SourceLedger) -> None:
    before = whole.facts()
    whole.run()
    assert whole.facts() == before
    whole.run("run", "--full-refresh")
    assert whole.facts() == before


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.slow
@pytest.mark.rebuilds
def test_files_in_any_order_one_run_each(
    seed: int, whole: SourceLedger, new_ledger: Callable[[], SourceLedger]
) -> None:
    """Should find the copied total counted once, whether the branch or its parent comes first."""
    ledger = new_ledger()
    files = files_of()
    random.Random(seed).shuffle(files)  # noqa: S311 - test data
    files.sort(key=lambda file: ("parent" in file.name) == (seed == 1))
    for part in (files[:4], files[4:-1], files[-1:]):
        ledger.take(part, ROOT)
        ledger.run()
    assert tokens(ledger) == TOKENS
    assert ledger.facts() == whole.facts()


def rollout(thread: str, day: int, totals: list[int], **head: str) -> str:
    """A thread: its session_meta, one turn, and its totals one minute after the other."""
    stamp = f"2026-05-{day:02d}T08:{{:02d}}:00.000Z"
    lines: list[Any] = [
        {
            "type": "session_meta",
            "payload": {"id": thread, "cwd": "/w/app", "source": "cli"} | head,
        },
        {"type": "turn_context", "payload": {"model": "model-c"}},
    ]
    for total in totals:
        usage = {"input_tokens": total, "cached_input_tokens": 0, "output_tokens": total // 10}
        info = {"total_token_usage": usage | {"total_tokens": total + total // 10}}
        lines.append({"type": "event_msg", "payload": {"type": "token_count", "info": info}})
    return "".join(
        json.dumps({"timestamp": stamp.format(minute)} | line) + "\n"
        for minute, line in enumerate(lines)
    )


def test_a_fork_that_comes_before_its_parent_gives_back_what_it_copied(
    new_ledger: Callable[[], SourceLedger],
) -> None:
    """Steps that turn out to be copies leave the facts, and slices end like a load at once."""
    parent, child = rollout("a", 1, [100, 250, 600]), rollout("b", 2, [100, 250, 400])
    child = child.replace('"source": "cli"', '"source": "cli", "parent_thread_id": "a"')
    slices, once = new_ledger(), new_ledger()
    slices.write("sessions/b.jsonl", child)
    slices.run()
    assert tokens(slices)[0] == 400
    slices.write("sessions/a.jsonl", "".join(parent.splitlines(keepends=True)[:4]))
    slices.run()
    assert tokens(slices)[0] == 250 + 150
    slices.write("sessions/a.jsonl", parent)
    slices.write("archived_sessions/b.jsonl", child)
    slices.run()
    once.write("sessions/a.jsonl", parent)
    once.write("sessions/b.jsonl", child)
    once.write("archived_sessions/b.jsonl", child)
    once.run()
    assert tokens(once)[0] == 600 + 150
    assert slices.facts() == once.facts()
