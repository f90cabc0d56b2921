"""What runs of workflows must survive: versions, slices, ids used twice, runs that never end."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.dbt.conftest import Warehouse
from tests.factories import Row, make_project, make_workflow_run

SEED = 20260311  # any seed must do; a fixed one makes a failure repeatable
MARTS = (
    "fct_workflow_runs", "workflow_skill_correlation", "workflow_sequences",
    "workflow_step_decisions",
)  # fmt: skip


def marts(ledger: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the workflow marts, and of the versions behind them."""
    return {
        name: ledger.rows(f"select * from marts.{name} order by all") for name in MARTS
    } | {
        "versions": ledger.rows(
            "select * from intermediate.int_workflow_runs__versioned order by all"
        )
    }  # fmt: skip


def many_runs() -> list[Row]:
    """A few hundred records of some fifty runs, in many files: copies, versions, wild values."""
    chance = random.Random(SEED)  # noqa: S311 - test data
    records: list[Row] = []
    for file_id in range(1, 10):
        for line_no in range(1, 31):
            number = chance.randint(1, 50)
            project = f"p{number % 2 + 1}"
            # Few distinct values: the same run turns up again and again, in several states.
            records.append(
                make_workflow_run(
                    file_id=file_id,
                    line_no=line_no,
                    workflow_id=f"run-{number}",
                    project_id=project,
                    source_id=f"source-{project}",
                    workflow_name=chance.choice(["feature-dev", "feature-dev", "release"]),
                    status=chance.choice(
                        ["running", "completed", "completed", "failed", "cancelled", "odd"]
                    ),
                    started_at=f"2026-03-0{number % 9 + 1}T10:00:00Z",
                    completed_at=chance.choice([None, f"2026-03-0{number % 9 + 1}T10:02:00Z"]),
                    total_duration_ms=chance.choice(["60000.1", "0.3", "-5", None]),
                    skills_used=chance.choice(
                        ['["a","b"]', '["a","a","b"]', '["b"]', "[]", None, '"[\\"a\\"]"']
                    ),
                )
            )
    return records


def slices_of(records: list[Row], n_slices: int, seed: int) -> list[list[Row]]:
    """The records by file, in the order of a shuffle, with the load_seq of that order."""
    files = sorted({record["file_id"] for record in records})
    random.Random(seed).shuffle(files)  # noqa: S311 - test data
    slices: list[list[Row]] = [[] for _ in range(n_slices)]
    for load_seq, file_id in enumerate(files, start=1):
        slices[(load_seq - 1) * n_slices // len(files)] += [
            record | {"load_seq": load_seq} for record in records if record["file_id"] == file_id
        ]
    return slices


WORKFLOWS = ("group:workflows", "skill_project_comparison")
"""What these tests look at."""


@pytest.fixture(scope="module")
def sliced(new_warehouse: Callable[[], Warehouse]) -> tuple[Warehouse, list[dict[str, Any]]]:
    """An empty build, three slices, nothing new, a full refresh; the marts after the last three."""
    ledger = new_warehouse()
    ledger.run(*WORKFLOWS)
    assert {name: rows for name, rows in marts(ledger).items() if rows} == {}
    ledger.register("p1", "p2")
    for part in slices_of(many_runs(), 3, seed=1):
        ledger.write("workflow_executions", part)
        ledger.run(*WORKFLOWS)
    after_slices = marts(ledger)
    ledger.run(*WORKFLOWS)
    after_nothing_new = marts(ledger)
    ledger.build(
        # Tests that look at other subjects, too, have nothing to look at here.
        *("--full-refresh", "--indirect-selection", "buildable"),
        *("--select", *(f"+{name}" for name in WORKFLOWS)),
    )
    return ledger, [after_slices, after_nothing_new, marts(ledger)]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_an_empty_warehouse_builds_and_then_fills(
    sliced: tuple[Warehouse, list[dict[str, Any]]],
) -> None:
    """Should have rows in every mart after the empty build."""
    assert all(sliced[1][0].values())


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
def test_a_shuffle_of_the_files_gives_the_same_facts(
    sliced: tuple[Warehouse, list[dict[str, Any]]], new_warehouse: Callable[[], Warehouse]
) -> None:
    """Should let content decide which version wins; load_seq alone may differ."""
    other = new_warehouse()
    other.register("p1", "p2")
    for part in slices_of(many_runs(), 2, seed=2):
        other.write("workflow_executions", part)
        other.run(*WORKFLOWS)
    for ledger in (sliced[0], other):
        ledger.execute("alter table marts.fct_workflow_runs drop column load_seq")
    for name in MARTS:
        select = f"select * from marts.{name} order by all"
        assert other.rows(select) == sliced[0].rows(select), name


FIRST, LATER, NEXT_DAY, WITHOUT_P2 = range(4)


class Step:
    """What a test may want to know of a warehouse after one run."""

    def __init__(self, ledger: Warehouse) -> None:
        ledger.run(*WORKFLOWS)
        self.facts = {
            row[0]: row[1:]
            for row in ledger.rows(
                "select runs.workflow_id, facts.status, facts.outcome, facts.is_stale, "
                "facts.sequence, facts.duration_ms, facts.is_id_reused "
                "from marts.fct_workflow_runs as facts inner join "
                "(select distinct record_key, workflow_id from raw.workflow_executions) as runs "
                "on facts.record_key = runs.record_key"
            )
        }
        self.dropped = ledger.rows(
            "select status, drop_reason, count(*) from intermediate.int_workflow_runs__versioned "
            "where not is_kept group by all order by all"
        )
        self.sequences = {
            row[:2]: row[2:]
            for row in ledger.rows(
                "select project_id, sequence, runs, completed_runs, unknown_runs, stale_runs "
                "from marts.workflow_sequences"
            )
        }
        self.uses = {
            row[:2]: row[2:]
            for row in ledger.rows(
                "select project_id, skill_name, usage_count, occurrences, known_runs "
                "from marts.workflow_skill_correlation"
            )
        }


@pytest.fixture(scope="module")
def life(new_warehouse: Callable[[], Warehouse]) -> list[Step]:
    """Runs begin; some end, one never does; a day goes by; a project leaves."""
    ledger = new_warehouse()
    ledger.register("p1", "p2")
    ledger.write("projects", [make_project("p3", is_active=False)])
    open_run = {
        "status": "in_progress",
        "total_duration_ms": None,
        "started_at": "2026-03-10T11:00:00Z",
        "skills_used": '["plan"]',
    }
    ledger.write(
        "workflow_executions",
        [
            make_workflow_run(workflow_id="ends", **open_run),
            make_workflow_run(workflow_id="never-ends", **open_run),
            make_workflow_run(workflow_id="twice", skills_used='["test"]', workflow_name="release"),
            make_workflow_run(workflow_id="null", skills_used=None),
            make_workflow_run(workflow_id="none", skills_used="[]"),
            make_workflow_run(workflow_id="repeats", skills_used='["plan","plan","test","plan"]'),
            make_workflow_run(workflow_id="p2", project_id="p2", source_id="source-p2"),
            make_workflow_run(workflow_id="p3", project_id="p3"),
        ],
    )
    steps = [Step(ledger)]
    ledger.write(
        "workflow_executions",
        [
            make_workflow_run(workflow_id="ends", started_at=open_run["started_at"],
                              completed_at="2026-03-10T11:01:00Z", load_seq=2),
            # A copy of the open version comes last, with the highest load_seq.
            make_workflow_run(workflow_id="ends", **open_run, file_id=2, load_seq=3),
            # The id of a completed run, used for another one that is still open.
            make_workflow_run(workflow_id="twice", **open_run, load_seq=3),
        ],
    )  # fmt: skip
    steps.append(Step(ledger))
    ledger.execute("update raw.run_context set as_of = timestamptz '2026-03-11 12:00:00+00'")
    steps.append(Step(ledger))
    ledger.execute("update raw.projects set is_active = false where project_id = 'p2'")
    ledger.execute("update raw.run_context set projects_fingerprint = 'projects-2'")
    steps.append(Step(ledger))
    return steps


def test_a_run_that_ended_replaces_the_open_one(life: list[Step]) -> None:
    """Should add no run, and not let the version that was loaded last win."""
    assert life[FIRST].facts["ends"][:3] == ("running", "unknown", False)
    assert life[LATER].facts["ends"][:2] == ("completed", "success")
    assert len(life[LATER].facts) == len(life[FIRST].facts) == 8
    assert life[LATER].dropped == [
        ("running", "snapshot_copy", 1),
        ("running", "superseded_version", 2),
    ]


def test_an_id_used_twice_is_one_run_and_says_so(life: list[Step]) -> None:
    """Should keep the one that is known to have ended, and flag that it hides another."""
    assert life[FIRST].facts["twice"][-1] is False
    assert life[LATER].facts["twice"] == ("completed", "success", False, "test", 60000.0, True)
    assert life[LATER].facts["ends"][-1] is False  # two versions of one run are no reuse


def test_a_run_that_never_ends_becomes_stale_and_no_failure(life: list[Step]) -> None:
    """Should notice although nothing arrives for it: only the clock of the run moved on."""
    assert life[LATER].facts["never-ends"][:3] == ("running", "unknown", False)
    assert life[NEXT_DAY].facts["never-ends"][:3] == ("running", "unknown", True)
    assert life[NEXT_DAY].sequences["p1", "plan"] == (1, 0, 1, 1)


def test_an_unknown_list_of_skills_is_not_an_empty_one(life: list[Step]) -> None:
    """Should count a run that surely used nothing among those without the skill."""
    facts = life[LATER].facts
    assert (facts["null"][3], facts["none"][3]) == (None, "")
    # plan, of p1: ends, repeats, never-ends; known: ends, repeats and none, not null.
    assert life[LATER].uses["p1", "plan"] == (3, 5, 3)
    assert ("p1", "") not in life[LATER].sequences


def test_order_and_repeats_are_kept_but_for_neighbours(life: list[Step]) -> None:
    """Should collapse plan, plan into one step and keep the second plan at the end."""
    assert life[FIRST].facts["repeats"][3] == "plan>test>plan"


def test_only_active_projects_are_counted(life: list[Step]) -> None:
    """Should take a project's runs out of its rows and of `__all__` when it leaves."""
    sequence = "plan>implement>test"
    assert life[LATER].sequences["__all__", sequence][0] == 2
    assert life[WITHOUT_P2].sequences["__all__", sequence][0] == 1
    assert {project for project, _ in life[WITHOUT_P2].sequences} == {"__all__", "p1"}
    assert "p2" in life[WITHOUT_P2].facts  # facts stay
