"""What a warehouse must survive: slices, shuffles, versions, projects that come and go."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.dbt.conftest import SKILLS, Warehouse
from tests.factories import Row, make_project, make_usage

SEED = 20260310  # any seed must do; a fixed one makes a failure repeatable


def many_records() -> list[Row]:
    """A few hundred records in many files, with copies, versions, exports and wild times."""
    chance = random.Random(SEED)  # noqa: S311 - test data
    records: list[Row] = []
    for file_id in range(1, 13):
        project = f"p{file_id % 3 + 1}"
        for _ in range(25):
            record: dict[str, Any] = {
                "project_id": project,
                "source_id": f"source-{project}",
                "skill_name": chance.choice(["review", "test", "deploy "]),
                "variant": chance.choice(["V1", "V2", "VX"]),
                # Few distinct times: the same invocation turns up again and again.
                "invoked_at": f"2026-0{chance.randint(1, 3)}-0{chance.randint(1, 6)}T10:00:00Z",
                "session_id": chance.choice(["a", "b", "migrated", None]),
                "completed": chance.choice(["true", "false", None]),
                "duration_seconds": chance.choice(["0.1", "0.2", "0.01", "7.77", None]),
                "followup_count": chance.choice(["0", "3", None]),
            }
            if chance.random() < 0.05:
                record["invoked_at"] = chance.choice(["0", "2030-01-01T00:00:00Z", "never"])
            records.append(make_usage(**record, file_id=file_id))
    return records


def slices_of(records: list[Row], n_slices: int, seed: int) -> list[list[Row]]:
    """The records by file, in the order of a shuffle, with the load_seq of that order."""
    files = sorted({record["file_id"] for record in records})
    random.Random(seed).shuffle(files)  # noqa: S311 - test data
    landed: set[tuple[Any, ...]] = set()
    slices: list[list[Row]] = [[] for _ in range(n_slices)]
    for load_seq, file_id in enumerate(files, start=1):
        for record in records:
            identity = (record["file_id"], record["record_key"], record["content_hash"])
            if record["file_id"] == file_id and identity not in landed:
                landed.add(identity)
                slices[(load_seq - 1) * n_slices // len(files)].append(
                    record | {"load_seq": load_seq}
                )
    return slices


@pytest.fixture(scope="module")
def sliced(new_warehouse: Callable[[], Warehouse]) -> tuple[Warehouse, list[dict[str, Any]]]:
    """An empty build, three slices, nothing new, a full refresh; the marts after the last three."""
    ledger = new_warehouse()
    ledger.run()
    assert ledger.aggregates() == {}
    ledger.register("p1", "p2", "p3")
    for part in slices_of(many_records(), 3, seed=1):
        ledger.write("skill_usage", part)
        ledger.run()
    after_slices = ledger.marts()
    ledger.run()
    after_nothing_new = ledger.marts()
    ledger.build("--full-refresh")
    return ledger, [after_slices, after_nothing_new, ledger.marts()]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_an_empty_warehouse_builds_and_then_fills(
    sliced: tuple[Warehouse, list[dict[str, Any]]],
) -> None:
    """Should have rows in every mart; a watermark of an empty table must not stay null."""
    after_slices = sliced[1][0]
    assert {name for name, rows in after_slices.items() if not rows} <= {"skill_insights"}


@pytest.mark.slow
@pytest.mark.rebuilds
def test_building_twice_changes_nothing(sliced: tuple[Warehouse, list[dict[str, Any]]]) -> None:
    """Should count nothing twice."""
    assert sliced[1][1] == sliced[1][0]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_slices_give_what_a_full_refresh_gives(
    sliced: tuple[Warehouse, list[dict[str, Any]]],
) -> None:
    """Should agree row for row, to the last bit of every double."""
    assert sliced[1][0] == sliced[1][2]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_a_shuffle_of_the_files_gives_the_same_marts(
    sliced: tuple[Warehouse, list[dict[str, Any]]], new_warehouse: Callable[[], Warehouse]
) -> None:
    """Should let content decide which version wins; load_seq alone may differ."""
    other = new_warehouse()
    other.register("p1", "p2", "p3")
    for part in slices_of(many_records(), 1, seed=2):
        other.write("skill_usage", part)
    other.run()
    for ledger in (sliced[0], other):
        ledger.execute("alter table marts.skill_aggregates drop column load_seq")
    assert other.marts() == sliced[0].marts()
    kept = "select usage_key, content_hash from intermediate.int_skill_invocations__versioned"
    assert sorted(other.rows(f"{kept} where is_kept")) == sorted(
        sliced[0].rows(f"{kept} where is_kept")
    )


BEFORE, UPDATED, WITHOUT_P2, BACK = range(4)


class Step:
    """What a test may want to know of a warehouse after one run."""

    def __init__(self, ledger: Warehouse) -> None:
        ledger.run(*SKILLS, "data_freshness")
        self.aggregates = ledger.aggregates()
        self.dropped = ledger.rows(
            "select skill_name, drop_reason, count(*) "
            "from intermediate.int_skill_invocations__versioned where not is_kept "
            "group by all order by all"
        )
        self.third_of_march = ledger.rows(
            "select distinct unknown_outcomes, avg_duration_ms from marts.skill_aggregates "
            "where time_window = 'daily' and bucket_start = '2026-03-03'"
        )
        self.skills = ledger.rows("select skill_name from marts.dim_skills order by 1")
        self.fresh = ledger.rows("select project_id from marts.data_freshness order by 1")
        self.n_facts = ledger.rows("select count(*) from marts.fct_skill_invocations")[0][0]
        self.numbers = ledger.rows(
            "select * exclude (refreshed_at) from marts.skill_aggregates order by all"
        )


@pytest.fixture(scope="module")
def life(new_warehouse: Callable[[], Warehouse]) -> tuple[Warehouse, list[Step]]:
    """Two projects; then versions arrive, then a project leaves, then it comes back."""
    ledger = new_warehouse()
    ledger.register("p1", "p2")
    pending = {"invoked_at": "2026-03-03T10:00:00Z", "completed": "false", "duration_seconds": None}
    lonely = {"skill_name": "lonely", "invoked_at": "2026-03-08T11:00:00Z"}
    ledger.write(
        "skill_usage",
        [
            make_usage(),
            make_usage(invoked_at="2026-03-02T10:00:00Z"),
            make_usage(**pending),
            make_usage(invoked_at="2026-03-02T11:00:00Z", project_id="p2", source_id="source-p2"),
            make_usage(**lonely),
        ],
    )
    ledger.write("projects", [make_project("p3", is_active=False)])
    steps = [Step(ledger)]
    ledger.write(
        "skill_usage",
        [
            # The pending record is completed; copies of it and of another come late, in a file of
            # their own, with the highest load_seq.
            make_usage(invoked_at="2026-03-03T10:00:00Z", duration_seconds="4", load_seq=2),
            make_usage(**pending, file_id=2, load_seq=3),
            make_usage(invoked_at="2026-03-02T10:00:00Z", file_id=2, load_seq=3),
            # A more complete version whose time lies too far ahead of its own ingest.
            make_usage(
                **lonely,
                duration_seconds="9",
                ingested_at="2026-03-01 00:00:00+00",
                load_seq=4,
            ),
            # A record of a project that is not counted, in the bucket of one that is.
            make_usage(invoked_at="2026-03-01T11:00:00Z", project_id="p3", load_seq=5),
        ],
    )
    steps.append(Step(ledger))
    ledger.execute("update raw.projects set is_active = false where project_id = 'p2'")
    ledger.execute("update raw.run_context set projects_fingerprint = 'projects-2'")
    steps.append(Step(ledger))
    ledger.execute("update raw.projects set is_active = true where project_id = 'p2'")
    ledger.execute("update raw.run_context set projects_fingerprint = 'projects-3'")
    steps.append(Step(ledger))
    return ledger, steps


Life = tuple[Warehouse, list[Step]]


def test_a_completed_version_replaces_the_pending_one(life: Life) -> None:
    """Should update the buckets of the record and add nothing."""
    before, updated = life[1][BEFORE], life[1][UPDATED]
    assert before.third_of_march == [(1, None)]
    assert updated.third_of_march == [(0, 4000.0)]
    assert updated.n_facts == before.n_facts + 1 == 6  # one more, of the project not counted
    assert updated.aggregates == {
        key: count for key, count in before.aggregates.items() if key[2] != "lonely"
    }


def test_dropped_versions_stay_with_their_reason(life: Life) -> None:
    """Should not let the last loaded version win, and say of each loser why."""
    assert life[1][UPDATED].dropped == [
        ("code-review", "snapshot_copy", 2),
        ("code-review", "superseded_version", 1),
        ("lonely", "superseded_version", 1),
    ]


def test_a_bucket_that_lost_its_last_row_disappears(life: Life) -> None:
    """Should delete touched buckets by list; an upsert would leave the emptied one behind."""
    assert life[1][BEFORE].skills == [("code-review",), ("lonely",)]
    assert life[1][UPDATED].skills == [("code-review",)]


def test_a_record_of_an_inactive_project_touches_no_bucket(life: Life) -> None:
    """Should leave the all-projects row of that day alone, and not delete it for good."""
    assert life[1][UPDATED].aggregates["daily", "__all__", "code-review", "2026-03-01"] == 1
    assert {key[1] for key in life[1][UPDATED].aggregates} == {"__all__", "p1", "p2"}


def test_a_deactivated_project_leaves_every_mart(life: Life) -> None:
    """Should rebuild its buckets from the fingerprint alone: no row of usage changed."""
    without = life[1][WITHOUT_P2]
    assert {key[1] for key in without.aggregates} == {"__all__", "p1"}
    assert without.aggregates["daily", "__all__", "code-review", "2026-03-02"] == 1
    assert without.fresh == [("p1",)]
    assert without.n_facts == 6


def test_a_project_that_comes_back_has_its_history(life: Life) -> None:
    """Should need neither its files nor a full refresh."""
    assert life[1][BACK].numbers == life[1][UPDATED].numbers


def test_a_build_that_fails_at_its_last_statement_leaves_the_old_rows(
    life: Life, dbt: Callable[..., Any]
) -> None:
    """Should delete, insert and remember in one transaction: dying between them loses nothing."""
    ledger = life[0]
    ledger.execute(
        "create or replace table state.model_builds (model_name varchar, load_seq bigint, "
        "projects_fingerprint varchar check (projects_fingerprint <> 'projects-4'))"
    )
    ledger.execute("update raw.run_context set projects_fingerprint = 'projects-4'")
    # Its rows of p2 would be gone if the model had been committed without its last statement.
    ledger.execute("update raw.projects set is_active = false where project_id = 'p2'")
    done = dbt(ledger.path, "run", "--select", "skill_aggregates", check=False)
    assert "CHECK constraint failed" in done.stdout
    assert ledger.aggregates() == life[1][BACK].aggregates
