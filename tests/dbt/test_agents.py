"""What tasks of agents must survive: slices, shuffles, versions, and a clock that moves on."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.dbt.conftest import Warehouse
from tests.factories import Row, make_run_context
from tests.factories_events import make_task

SEED = 20260312  # any seed must do; a fixed one makes a failure repeatable
N_SLICES = 50
LAST_AS_OF = "2026-03-11 12:34:56+00"
AGENTS = ("agent_metrics", "agent_metrics_rolling")
"""What these tests look at."""


def many_tasks() -> list[Row]:
    """A few hundred records of some 180 tasks in 50 files: copies, versions, wild values."""
    chance = random.Random(SEED)  # noqa: S311 - test data
    records: list[Row] = []
    for file_id in range(1, N_SLICES + 1):
        for line_no in range(1, 9):
            number = chance.randint(1, 180)
            project = f"p{number % 2 + 1}"
            # Few distinct values: the same task turns up again and again, in several versions.
            when = f"2026-03-{chance.choice(['02', '05', '09', '11'])}T1{number % 3}:0{number % 9}"
            records.append(
                make_task(
                    f"task-{number}",
                    file_id=file_id,
                    line_no=line_no,
                    project_id=project,
                    source_id=f"source-{project}",
                    variant=chance.choice(["contract", "contract", "execution_metrics"]),
                    agent_id=chance.choice(["a", "a", "b", None]),
                    ts=chance.choice([f"{when}:00Z"] * 9 + ["2031-01-01T00:00:00Z", "never"]),
                    success=chance.choice(["true", "true", "false", None]),
                    cost_cents="999001"
                    if chance.random() < 0.1
                    else chance.choice(["0", "0.5", "0.6", "0.7", "0.8", "0.9", "-4", None]),
                    latency_ms=chance.choice(["0", "0.1", "1700.3", "NaN", None]),
                    patterns=chance.choice([None, '{"nats":1}', '{"b":2,"a":1}', "[]"]),
                    total_tokens=chance.choice(["0", "10", "20", None]),
                )
            )
    return records


def in_any_order(records: list[Row], seed: int) -> list[Row]:
    """The records of each file under the load_seq of a shuffle of the files, in that order."""
    files = sorted({record["file_id"] for record in records})
    random.Random(seed).shuffle(files)  # noqa: S311 - test data
    place = {file_id: load_seq for load_seq, file_id in enumerate(files, start=1)}
    landed = [record | {"load_seq": place[record["file_id"]]} for record in records]
    return sorted(landed, key=lambda record: record["load_seq"])


def set_context(ledger: Warehouse, as_of: str, load_seq: int) -> None:
    """What collect writes at the end of a run."""
    ledger.execute("delete from raw.run_context")
    ledger.write("run_context", [make_run_context(as_of=as_of, load_seq=load_seq)])


def marts(ledger: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every row, without what tells in which run or load it was written."""
    without = {
        "marts.fct_agent_tasks": "load_seq",
        "marts.agent_metrics": "refreshed_at",
        "marts.agent_metrics_rolling": "refreshed_at",
        "intermediate.int_agent_tasks__versioned": "load_seq, key_load_seq",
    }
    return {
        name: ledger.rows(f"select * exclude ({columns}) from {name} order by all")
        for name, columns in without.items()
    }


@pytest.fixture(scope="module")
def one_load(new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """All files in one load and one build, tests included."""
    ledger = new_warehouse()
    ledger.register("p1", "p2")
    ledger.write("usage_events", in_any_order(many_tasks(), seed=0))
    set_context(ledger, LAST_AS_OF, N_SLICES)
    ledger.build("--select", *(f"+{name}" for name in AGENTS), "--indirect-selection", "cautious")
    return ledger


@pytest.fixture(scope="module")
def in_slices(new_warehouse: Callable[[], Warehouse]) -> tuple[Warehouse, list[dict[str, Any]]]:
    """50 slices in another order, built after some of them, by a clock that also goes back.

    Returns:
        The warehouse, and its marts at the end, after a run without news, after a full refresh.
    """
    ledger = new_warehouse()
    ledger.register("p1", "p2")
    records = in_any_order(many_tasks(), seed=7)
    steps = (
        (0, "2026-03-05 10:03:00+00"),
        (20, "2026-03-09 11:00:00+00"),
        (21, "2026-03-05 10:03:00+00"),
        (45, "2026-03-11 12:30:00+00"),
        (N_SLICES, LAST_AS_OF),
    )
    built = 0
    for load_seq, as_of in steps:
        part = [record for record in records if built < record["load_seq"] <= load_seq]
        if part:
            ledger.write("usage_events", part)
        set_context(ledger, as_of, load_seq)
        ledger.run(*AGENTS)
        built = load_seq
    after_slices = marts(ledger)
    ledger.run(*AGENTS)
    after_nothing_new = marts(ledger)
    ledger.dbt("run", "--full-refresh", "--select", *(f"+{name}" for name in AGENTS))
    return ledger, [after_slices, after_nothing_new, marts(ledger)]


@pytest.mark.parametrize("number", [0, 1, 2], ids=["slices", "nothing new", "full refresh"])
@pytest.mark.slow
@pytest.mark.rebuilds
def test_fifty_slices_in_any_order_give_the_marts_of_one_load(
    one_load: Warehouse, in_slices: tuple[Warehouse, list[dict[str, Any]]], number: int
) -> None:
    """Should agree row for row; the tempting change is to follow the times of the events."""
    expected = marts(one_load)
    for name, rows in in_slices[1][number].items():
        assert rows == expected[name], name


def test_the_data_of_the_test_is_worth_comparing(one_load: Warehouse) -> None:
    """Should have versions, outliers, several sizes of windows and agents without a name."""
    assert one_load.rows(
        "select bool_or(drop_reason = 'superseded_version'), bool_or(ts_suspicious) "
        "from intermediate.int_agent_tasks__versioned"
    ) == [(True, True)]
    assert one_load.rows(
        "select count(distinct window_size), bool_or(patterns_used like '%,%'), "
        "bool_or(total_cost_cents is null), bool_or(agent_id = 'unknown') from marts.agent_metrics"
    ) == [(4, True, True, True)]
    assert one_load.rows(
        "select count(*) > 0 from marts.fct_agent_tasks where is_cost_outlier"
    ) == [(True,)]
    assert len(one_load.rows("select distinct window_name from marts.agent_metrics_rolling")) == 3


def test_sums_of_small_windows_are_those_of_large_ones(one_load: Warehouse) -> None:
    """Should merge by sums: the closed 5 minutes of a closed day add up to the day."""
    assert one_load.rows(
        """
        with days as (
            select agent_id, window_start, task_count, cost_cents_sum, latency_ms_sumsq
            from marts.agent_metrics where window_size = '1d'
        )
        select count(*) from days join (
            select agent_id, date_trunc('day', window_start) as day_start,
                sum(task_count) as n, sum(cost_cents_sum) as cost, sum(latency_ms_sumsq) as squares
            from marts.agent_metrics where window_size = '5m' group by all
        ) as parts on days.agent_id = parts.agent_id and days.window_start = parts.day_start
        where (task_count, cost_cents_sum, latency_ms_sumsq) is distinct from (n, cost, squares)
        """
    ) == [(0,)]


def test_a_late_task_rebuilds_its_own_buckets_alone(new_warehouse: Callable[[], Warehouse]) -> None:
    """Should write again the four windows of the task, and none of its neighbours."""
    ledger = new_warehouse()
    ledger.register("p1")
    first = [make_task(f"t{n}", ts=f"2026-03-02T1{n}:00:00Z", load_seq=1) for n in range(5)]
    ledger.write("usage_events", first)
    set_context(ledger, "2026-03-10 12:00:00+00", 1)
    ledger.run(*AGENTS)
    ledger.write("usage_events", [make_task("late", ts="2026-03-02T11:01:00Z", load_seq=2)])
    set_context(ledger, "2026-03-10 12:05:00+00", 2)
    ledger.run(*AGENTS)
    assert ledger.rows(
        "select window_size, cast(window_start as varchar), task_count from marts.agent_metrics "
        "where refreshed_at = timestamptz '2026-03-10 12:05:00+00' order by 1"
    ) == [
        ("1d", "2026-03-02 00:00:00+00", 6),
        ("1h", "2026-03-02 11:00:00+00", 2),
        ("1w", "2026-03-02 00:00:00+00", 6),
        ("5m", "2026-03-02 11:00:00+00", 2),
    ]


def test_merged_histograms_are_within_one_percent_of_the_tasks(one_load: Warehouse) -> None:
    """Should hold for windows of 5 minutes, hours and days, at both quantiles readers show."""
    rows = one_load.rows(
        """
        with exact as (
            select agent_id, quantile_disc(latency_ms, 0.5) as p50,
                quantile_disc(latency_ms, 0.95) as p95
            from marts.fct_agent_tasks
            where not ts_suspicious and occurred_at < timestamptz '2026-03-11 00:00:00+00'
            group by agent_id
        ),
        merged as (
            select agent_id, window_size,
                marts.latency_p50(list(latency_hist), sum(latency_zero_n), sum(latency_n)) as p50,
                marts.latency_p95(list(latency_hist), sum(latency_zero_n), sum(latency_n)) as p95
            from marts.agent_metrics
            where window_size <> '1w' and window_end <= timestamptz '2026-03-11 00:00:00+00'
            group by agent_id, window_size
        )
        select window_size, abs(merged.p50 - exact.p50) <= 0.01 * exact.p50,
            coalesce(abs(merged.p95 - exact.p95) <= 0.01 * exact.p95, true)
        from merged join exact using (agent_id) where merged.p50 is not null
        """
    )
    assert {row[0] for row in rows} == {"5m", "1h", "1d"}
    assert all(row[1] and row[2] for row in rows)
