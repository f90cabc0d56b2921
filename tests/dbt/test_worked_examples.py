"""The worked example A of the reference, and the traps it was made for."""

from collections.abc import Callable

import pytest

from tests.dbt.conftest import Warehouse
from tests.factories import make_project, make_run_context, make_source, make_usage

TOLERANCE = 5e-5
MEASURES = (
    "total_invocations", "successful_completions", "failed_invocations", "unknown_outcomes",
    "success_rate", "success_rate_low", "success_rate_high", "avg_duration_ms", "p50_duration_ms",
    "p95_duration_ms", "avg_followup_actions", "followup_rate", "distinct_sessions",
    "distinct_projects",
)  # fmt: skip
EXPECTED = [
    ("all", "__all__", "1970-01-01",
     (6, 4, 1, 1, 0.8, 0.3755, 0.9638, 3000, 3000, 4800, 0.75, 0.5, 4, 2)),
    ("all", "p1", "1970-01-01",
     (3, 2, 1, 0, 0.6667, 0.2077, 0.9385, 3000, 3000, 4800, 1.0, 0.6667, 2, 1)),
    ("all", "p2", "1970-01-01",
     (3, 2, 0, 1, 1.0, 0.3424, 1.0, 3000, 3000, 3900, 0.0, 0.0, 2, 1)),
    ("weekly", "__all__", "2026-02-23",
     (1, 1, 0, 0, 1.0, 0.2065, 1.0, 1000, 1000, 1000, 0.0, 0.0, 1, 1)),
    ("weekly", "__all__", "2026-03-02",
     (4, 2, 1, 1, 0.6667, 0.2077, 0.9385, 3333.3333, 3000, 4800, 1.0, 0.6667, 3, 2)),
    ("weekly", "__all__", "2026-03-09",
     (1, 1, 0, 0, 1.0, 0.2065, 1.0, 4000, 4000, 4000, None, None, 1, 1)),
    ("daily", "__all__", "2026-03-02",
     (2, 1, 1, 0, 0.5, 0.0945, 0.9055, 4000, 4000, 4900, 1.5, 1.0, 2, 1)),
    ("daily", "p2", "2026-03-03",
     (2, 1, 0, 1, 1.0, 0.2065, 1.0, 2000, 2000, 2000, 0.0, 0.0, 1, 1)),
]  # fmt: skip


@pytest.fixture(scope="module")
def example(new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """Events e1 to e6, written by producers of several variants, and skills for other claims."""
    ledger = new_warehouse()
    ledger.register("p1", "p2")
    paris = make_source("source-paris", project_id="p1", zone="Europe/Paris")
    ledger.write("sources", [paris])
    ledger.write("projects", [make_project("p3", is_active=False)])
    v1 = {"variant": "V1", "source_id": "source-paris"}
    p2 = {"project_id": "p2", "source_id": "source-p2", "variant": "V-D", "completed": None}
    ledger.write(
        "skill_usage",
        [
            # e1 is local Paris time: 2026-03-02 00:30 there, still Sunday in UTC.
            make_usage(**v1, invoked_at="2026-03-02T00:30:00", session_id="s1", followup_count="0"),
            make_usage(invoked_at="2026-03-02T00:15:00Z", session_id="s1", duration_seconds="3",
                       followup_count="2"),
            make_usage(**v1, invoked_at="2026-03-02T11:00:00", session_id="s2", completed="false",
                       error_class="timeout", error_length=7, duration_seconds="5",
                       followup_count="1"),
            make_usage(**p2, invoked_at="2026-03-03T09:00:00Z", session_id="s3",
                       duration_seconds=None),
            make_usage(**p2, invoked_at="2026-03-03T10:30:00+01:00", session_id="s3",
                       success="true", duration_ms="2000", followup_count="0"),
            make_usage(**p2, invoked_at="2026-03-09T08:00:00Z", session_id="s4", success="true",
                       duration_ms="4000"),
            # An inactive project, and times that nobody can believe.
            make_usage(project_id="p3"),
            make_usage(invoked_at="0"),
            make_usage(invoked_at="2027-01-01T00:00:00Z"),
            make_usage(invoked_at="not a time"),
            # The 0.01 s placeholder of V2, and a session that is none.
            make_usage(skill_name="placeholder", duration_seconds="0.01", session_id="migrated"),
            make_usage(skill_name="percentile", variant="V1", duration_seconds="0.1",
                       invoked_at="2026-03-01T10:00:01Z"),
            *[
                make_usage(skill_name="percentile", variant="V1", duration_seconds=seconds,
                           invoked_at=f"2026-03-01T10:00:{second:02}Z")
                for second, seconds in enumerate(("0.2", "0.3", "0.4", "5"), start=2)
            ],
            # Twice the same instant in two sessions is two invocations.
            make_usage(skill_name="instant", session_id="a"),
            make_usage(skill_name="instant", session_id="b"),
            *[
                make_usage(skill_name=f"{successes} of {n}", invoked_at=f"2026-03-01T10:{i:02}:00Z",
                           completed="true" if i < successes else "false")
                for successes, n in ((11, 30), (45, 50), (5, 10))
                for i in range(n)
            ],
        ],
    )  # fmt: skip
    ledger.build()
    return ledger


@pytest.mark.parametrize(("window", "project", "bucket", "expected"), EXPECTED)
def test_the_reference_example_comes_out(
    example: Warehouse, window: str, project: str, bucket: str, expected: tuple[float | None, ...]
) -> None:
    """Should give every figure that the reference lists, within 5e-5."""
    found = example.rows(
        f"select {', '.join(MEASURES)} from marts.skill_aggregates where time_window = '{window}' "
        f"and project_id = '{project}' and bucket_start = '{bucket}' "
        "and skill_name = 'code-review'"
    )
    assert len(found) == 1
    assert list(found[0]) == [
        value if value is None else pytest.approx(value, abs=TOLERANCE) for value in expected
    ]


def test_the_reference_example_has_no_further_rows(example: Warehouse) -> None:
    """Should give 3 rows of all, 3 monthly, 7 weekly, 8 daily; no bucket for a wild time."""
    found = example.rows(
        "select time_window, count(*) from marts.skill_aggregates "
        "where skill_name = 'code-review' group by all order by all"
    )
    assert found == [("all", 3), ("daily", 8), ("monthly", 3), ("weekly", 7)]


def test_wild_times_stay_in_the_facts(example: Warehouse) -> None:
    """Should keep what it does not count: nothing is lost, it is flagged."""
    found = example.rows(
        "select count(*) filter (where ts_suspicious), "
        "count(*) filter (where occurred_at is null) from marts.fct_skill_invocations"
    )
    assert found == [(2, 1)]


def test_a_placeholder_is_no_duration_and_migrated_is_no_session(example: Warehouse) -> None:
    """Should publish null, not 10 ms, and count the invocation as one without a session."""
    found = example.rows(
        "select duration_n, avg_duration_ms, distinct_sessions, sessionless_n "
        "from marts.skill_aggregates where skill_name = 'placeholder' "
        "and time_window = 'all' and project_id = 'p1'"
    )
    assert found == [(0, None, 0, 1)]


def test_a_percentile_is_not_cut_to_the_scale_of_a_decimal(example: Warehouse) -> None:
    """Should give 4080.0 for p95 of 100, 200, 300, 400, 5000; DECIMAL would give 4079.9."""
    found = example.rows(
        "select p95_duration_ms from marts.skill_aggregates where skill_name = 'percentile' "
        "and time_window = 'all' and project_id = 'p1'"
    )
    assert found == [(pytest.approx(4080.0, abs=1e-6),)]


def test_two_sessions_in_one_instant_are_two_invocations(example: Warehouse) -> None:
    """Should not collapse on (time, skill): that key is too coarse."""
    found = example.aggregates("skill_name = 'instant' and time_window = 'all'")
    assert set(found.values()) == {2}


def test_an_insight_names_its_numbers(example: Warehouse) -> None:
    """Should confirm low success at 11 of 30, and stay silent at exactly 45 of 50."""
    assert example.rows(
        "select skill_name, insight, evidence, priority, numerator, denominator "
        "from marts.skill_insights where project_id = 'p1'"
    ) == [("11 of 30", "low_success", "confirmed", "high", 11, 30)]
    assert example.rows(
        "select skill_name, evidence, insight from marts.skill_effectiveness "
        "where project_id = 'p1' and skill_name like '% of %' order by 1"
    ) == [
        ("11 of 30", "sufficient", "low_success"),
        ("45 of 50", "sufficient", None),
        ("5 of 10", "insufficient_data", None),
    ]


def test_the_run_context_is_the_only_now(example: Warehouse) -> None:
    """Should stamp every row with as_of, never with the clock."""
    as_of = make_run_context()["as_of"]
    assert example.rows(
        f"select distinct refreshed_at = timestamptz '{as_of}' from marts.skill_aggregates"
    ) == [(True,)]
