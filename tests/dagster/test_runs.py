"""Runs as the UI starts them: one at a time, with the lock, with their entry in status.json."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from agentledger import status, warehouse
from agentledger.settings import Settings
from orchestration import progress, readiness
from orchestration.definitions import build_defs
from orchestration.resources import LedgerRun
from orchestration.run_scope import trigger_of
from tests.dagster.data_home import invocation, make_home, run_headless, write_metrics


class Recorder(progress.Listener):
    """Remembers the steps, and whether the lock was held in each."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.steps: list[tuple[str, bool]] = []

    def step(self, name: str) -> None:
        """Ask for the lock as another process would."""
        self.steps.append((name, warehouse.run_lock_is_held(self.settings)))


@pytest.fixture
def recorder(settings: Settings) -> Any:
    """Listen to the run of this process."""
    recorder = Recorder(settings)
    progress.listen(recorder)
    yield recorder
    progress.listen(progress.Listener())


def test_a_run_from_the_ui_holds_the_lock_from_the_first_step_to_the_last(
    settings: Settings, recorder: Recorder, tmp_path: Path
) -> None:
    """Set up per step, the lock would be free between two of them."""
    job = build_defs(settings=settings).resolve_job_def("refresh")
    with dg.DagsterInstance.ephemeral() as instance:
        first = job.execute_in_process(instance=instance, raise_on_error=False)
        assert first.success
        assert [name for name, _ in recorder.steps] == ["collect", "check", "build", "publish"]
        assert all(held for _, held in recorder.steps)
        assert not warehouse.run_lock_is_held(settings)
        state = status.read_status(settings)
        assert (state.last_run["state"], state.last_run["trigger"]) == ("succeeded", "ui")
        assert readiness.reason_to_skip(settings) == "Nothing is new since the last run."

        # The next run sees one more record, and only then something to do.
        write_metrics(
            tmp_path / "good project", [invocation("review", minute) for minute in range(7)]
        )
        assert readiness.reason_to_skip(settings) is None
        second = job.execute_in_process(instance=instance, raise_on_error=False)
        assert second.success
        event = instance.get_latest_materialization_event(dg.AssetKey(["raw", "skill_usage"]))
        assert event.asset_materialization.metadata["records accepted"].value == 1
        assert event.asset_materialization.metadata["records already known"].value == 6


def tiny_defs(
    settings: Settings, *, lock_wait_seconds: float, fails: bool = False
) -> dg.Definitions:
    """One asset that needs the run, so that the run can be tested without dbt."""

    @dg.asset
    def thing(ledger_run: LedgerRun) -> None:
        ledger_run.step("thing")
        if fails:
            raise ValueError("the disk is full")

    run = LedgerRun(
        home=str(settings.home),
        host_zone="UTC",
        lock_wait_seconds=lock_wait_seconds,
    )
    return dg.Definitions(
        assets=[thing], resources={"ledger_run": run}, executor=dg.in_process_executor
    )


def test_a_second_run_is_refused_with_a_clear_message(settings: Settings) -> None:
    """Two writers in one DuckDB file would each fail somewhere in the middle."""
    job = tiny_defs(settings, lock_wait_seconds=0).resolve_implicit_global_asset_job_def()
    with (
        warehouse.hold_run_lock(settings),
        pytest.raises(dg.DagsterResourceFunctionError) as caught,
    ):
        job.execute_in_process()
    assert "Another run is writing" in str(caught.value.__cause__)
    assert status.read_status(settings).last_run is None


def test_a_failed_run_says_why_in_the_status_and_frees_the_lock(settings: Settings) -> None:
    """The message of whoever failed, not Dagster's wrapping."""
    job = tiny_defs(
        settings, lock_wait_seconds=0, fails=True
    ).resolve_implicit_global_asset_job_def()
    assert not job.execute_in_process(raise_on_error=False).success
    last = status.read_status(settings).last_run
    assert last["state"] == "failed"
    assert "the disk is full" in last["error"]
    assert not warehouse.run_lock_is_held(settings)


def test_a_killed_run_is_buried_by_the_next_one(settings: Settings) -> None:
    """Killed, it could not say that it ended; the UI would show it as running for ever."""
    job = tiny_defs(settings, lock_wait_seconds=0).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        dead = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        status.begin_run(settings, dead.run_id, "ui", _now())
        assert status.read_status(settings).current_run["state"] == "crashed"
        assert job.execute_in_process(instance=instance).success
        assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE
    assert [run["state"] for run in status.read_status(settings).recent_runs] == [
        "succeeded",
        "crashed",
    ]


def test_publishing_alone_is_refused(settings: Settings) -> None:
    """It would publish whatever lies in the warehouse, tested or not."""
    defs = build_defs(settings=settings)
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(["published", "snapshot"])],
            raise_on_error=False,
        )
    assert not result.success
    assert "did not build the models" in status.read_status(settings).last_run["error"]
    assert not settings.published_pointer.exists()


def test_nothing_new_starts_no_dagster(tmp_path: Path) -> None:
    """Asked again at once, the run ends before Dagster is imported."""
    settings = make_home(tmp_path)
    done = run_headless(tmp_path, Settings(home=tmp_path / "empty", host_zone="UTC"))
    assert done.exit_code == 1
    assert "agentledger register" in done.stderr
    assert len(done.processes) == 1
    assert not settings.warehouse_path.exists()


@pytest.mark.parametrize(
    ("tags", "trigger"),
    [
        ({}, "ui"),
        ({"dagster/schedule_name": "hourly"}, "schedule:hourly"),
        ({"dagster/sensor_name": "new_data"}, "sensor:new_data"),
        ({"agentledger/trigger": "cli", "dagster/sensor_name": "x"}, "cli"),
    ],
)
def test_the_trigger_is_told(tags: dict[str, str], trigger: str) -> None:
    """`status` shows what started a run."""
    assert trigger_of(tags) == trigger


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 3, 1, tzinfo=UTC)


def tick(defs: dg.Definitions, name: str) -> str:
    """Evaluate a schedule or sensor; `run` or the reason why not."""
    with dg.DagsterInstance.ephemeral() as instance:
        if name == "new_data":
            sensor = next(one for one in defs.sensors if one.name == name)
            outcome = sensor(dg.build_sensor_context(instance=instance))
        else:
            schedule = next(one for one in defs.schedules if one.name == name)
            outcome = schedule(dg.build_schedule_context(instance=instance))
    return "run" if isinstance(outcome, dg.RunRequest) else str(outcome.skip_message)


@pytest.mark.parametrize("name", ["new_data", "skill_aggregates_hourly"])
def test_automatic_runs_start_when_something_is_new_and_nobody_writes(
    settings: Settings, name: str
) -> None:
    """Level-triggered: asked twice, the answer is the same until a run has done the work."""
    defs = build_defs(settings=settings)
    assert [tick(defs, name), tick(defs, name)] == ["run", "run"]
    with warehouse.hold_run_lock(settings):
        assert "A run is writing" in tick(defs, name)


@pytest.mark.parametrize("name", ["new_data", "skill_aggregates_hourly"])
def test_automatic_runs_skip_while_nothing_is_registered(tmp_path: Path, name: str) -> None:
    """A user who only looks at the UI gets a hint, not an empty run each minute."""
    defs = build_defs(settings=Settings(home=tmp_path / "fresh", host_zone="UTC"))
    assert "agentledger register" in tick(defs, name)


def test_docs_wait_for_something_to_document(settings: Settings) -> None:
    """Before the first build there is no catalogue to read."""
    assert "Nothing is published" in tick(build_defs(settings=settings), "docs_daily")


def test_a_run_that_is_on_its_way_is_not_started_twice(settings: Settings) -> None:
    """Between launch and lock lie seconds in which the ledger still says: new."""
    defs = build_defs(settings=settings)
    sensor = next(one for one in defs.sensors if one.name == "new_data")
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_job_def("refresh")
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTING)
        outcome = sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(outcome, dg.SkipReason)
    assert "starting" in str(outcome.skip_message)


def test_the_summary_is_json_when_asked(tmp_path: Path) -> None:
    """`--json` prints the facts and nothing else."""
    from orchestration.terminal import Terminal, outcome_of, summary

    facts = outcome_of(Terminal(), run_id="r", state="nothing_new", error=None, home=str(tmp_path))
    assert json.loads(json.dumps(facts))["state"] == "nothing_new"
    assert "Nothing is new" in summary(facts)
