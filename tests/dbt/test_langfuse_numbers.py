"""The numbers of the shared reference page for Langfuse, from real exports to the facts.

The expected numbers were computed independently of this project, straight from the files.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.source_ledger import SHARED, SourceLedger

ROOT = SHARED / "langfuse"
TYPES = {"SPAN": 84, "GENERATION": 50, "TOOL": 12, "CHAIN": 1, "AGENT": 7}
# rows, distinct, traces, with tokens, leaves, leaf input, leaf output, naive input, naive output
FRAMEWORKS = (231, 154, 24, 51, 45, 20397, 5555, 33772, 10038)
ALL = (325, 157, 25, 54, 48, 20717, 5695, 43544, 11803)


@pytest.fixture(scope="module")
def new_ledger(
    dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], SourceLedger]:
    if not ROOT.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    return lambda: SourceLedger(tmp_path_factory.mktemp("langfuse"), dbt, "langfuse")


@pytest.fixture(scope="module")
def frameworks(new_ledger: Callable[[], SourceLedger]) -> SourceLedger:
    """The exports and what only looks like one, built and tested."""
    ledger = new_ledger()
    ledger.take(files_of("framework-traces", "chatml"), ROOT)
    ledger.run("build")
    return ledger


def files_of(*folders: str) -> list[Path]:
    return sorted(path for name in folders for path in (ROOT / name).rglob("*.json"))


def numbers(ledger: SourceLedger) -> tuple[int, ...]:
    [(rows, distinct, traces)] = ledger.rows(
        "select count(*), count(distinct observation_ref), count(distinct trace_id) "
        "from raw.langfuse_observations"
    )
    [(with_tokens,)] = ledger.rows(
        "select count(distinct llm_call_key) from intermediate.int_langfuse_call_versions"
    )
    [facts] = ledger.rows(
        "select count(*), sum(input_fresh_tokens + case when input_basis = 'inclusive' "
        "then cache_read_tokens else 0 end), sum(output_tokens) from marts.fct_llm_calls"
    )
    naive = ledger.naive()
    return (
        rows, distinct, traces, with_tokens, *facts, naive["input_fresh"] + naive["cache_read"],
        naive["output"],
    )  # fmt: skip


def test_leaves_count_and_parents_do_not(frameworks: SourceLedger) -> None:
    assert numbers(frameworks) == FRAMEWORKS
    types = frameworks.rows(
        "select observation_type, count(distinct observation_key) "
        "from staging.stg_langfuse__observations group by 1"
    )
    assert dict(types) == TYPES
    [cost] = frameworks.rows(
        "select count(*), round(sum(cost), 8) from (select observation_key, "
        "max(recorded_cost_usd) as cost from staging.stg_langfuse__observations group by 1) "
        "where cost > 0"
    )
    assert cost == (47, 0.02973465)
    tools = frameworks.rows("select count(*) from marts.fct_tool_calls where has_call")
    assert tools == [(12,)]


def test_messages_derived_from_traces_are_refused(frameworks: SourceLedger) -> None:
    states = frameworks.rows(
        "select regexp_extract(path, '([^/]+)/[^/]*$', 1), state, count(*) from raw.files "
        "group by all order by all"
    )
    assert states == [("chatml", "unrecognised_format", 26), ("framework-traces", "loaded", 36)]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_older_versions_one_after_the_other_in_any_order(
    frameworks: SourceLedger, new_ledger: Callable[[], SourceLedger]
) -> None:
    """Should find the same facts from slices, from a second run and from a full refresh."""
    ledger = new_ledger()
    files = files_of("framework-traces", "older-versions")
    random.Random(7).shuffle(files)  # noqa: S311 - test data
    for part in (files[::2], files[1::2]):
        ledger.take(part, ROOT)
        ledger.run()
    assert numbers(ledger) == ALL
    before = ledger.facts()
    ledger.run("run", "--full-refresh")
    assert ledger.facts() == before
    frameworks.take(files_of("older-versions"), ROOT)
    frameworks.run()
    assert numbers(frameworks) == ALL
    assert frameworks.facts() == before
