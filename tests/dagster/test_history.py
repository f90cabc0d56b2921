"""Dagster's history after a purge, and which runs may purge at all."""

import shutil
import sqlite3
from pathlib import Path

import dagster as dg
import pytest

from agentledger import purge_requests
from agentledger.settings import Settings
from orchestration import history
from orchestration.instance import prepare_dagster_home
from orchestration.run_scope import DOCS, SNAPSHOT, is_whole_run
from tests.dagster.data_home import HeadlessRun

MODELS = frozenset({dg.AssetKey(["marts", "a"]), dg.AssetKey(["staging", "b"])})
STEPS = ["collect", "check_raw", "build", "published__snapshot"]


@pytest.fixture
def settings(finished_run: HeadlessRun, tmp_path: Path) -> Settings:
    """A copy of the history of a finished run."""
    shutil.copytree(finished_run.settings.dagster_home, tmp_path / "dagster")
    settings = Settings(home=tmp_path, host_zone="UTC")
    prepare_dagster_home(settings)  # its configuration names the folder
    return settings


def quoting(settings: Settings, words: bytes) -> list[str]:
    files = [path for path in settings.dagster_home.rglob("*") if path.is_file()]
    return [path.name for path in files if words in path.read_bytes()]


def test_a_purge_takes_earlier_runs_out_to_the_last_byte(settings: Settings) -> None:
    assert quoting(settings, b"good project") == ["event_log.db"]
    request = purge_requests.new_request("project", names=("good project",))
    history.forget(settings, [request], run_id="the-current-one")
    assert quoting(settings, b"good project") == []
    with dg.DagsterInstance.from_config(str(settings.dagster_home), "headless.yaml") as instance:
        assert instance.get_runs_count() == 0
        assert instance.get_latest_materialization_event(SNAPSHOT) is None


def test_the_current_run_and_runs_that_wait_stay(
    settings: Settings, finished_run: HeadlessRun
) -> None:
    runs = settings.dagster_home / "history" / "runs.db"
    with sqlite3.connect(runs) as connection:
        [(run_id,)] = connection.execute("select run_id from runs").fetchall()
    request = purge_requests.new_request("project")
    history.forget(settings, [request], run_id=run_id)
    assert quoting(settings, b"good project") == ["event_log.db"]
    with sqlite3.connect(runs) as connection:
        connection.execute("update runs set status = 'STARTED'")
    history.forget(settings, [request], run_id="another")
    with sqlite3.connect(runs) as connection:
        assert connection.execute("select run_id from runs").fetchall() == [(run_id,)]


@pytest.mark.parametrize(("cutoff", "kept"), [("2026-01-01", 1), ("2126-01-01", 0)])
def test_retention_removes_history_from_before_its_cutoff_alone(
    settings: Settings, cutoff: str, kept: int
) -> None:
    request = purge_requests.new_request("retention", cutoff=f"{cutoff}T00:00:00+00:00")
    history.forget(settings, [request], run_id="the-current-one")
    with sqlite3.connect(settings.dagster_home / "history" / "runs.db") as connection:
        assert connection.execute("select count(*) from runs").fetchone() == (kept,)


@pytest.mark.parametrize(
    ("job", "steps", "selection", "is_whole"),
    [
        ("refresh", STEPS, None, True),
        ("refresh", None, None, True),
        ("refresh", ["build", "published__snapshot"], None, False),
        ("docs", STEPS, None, False),
        ("__ASSET_JOB", STEPS, MODELS | {SNAPSHOT, DOCS}, True),
        ("__ASSET_JOB", STEPS, MODELS, False),
        ("refresh", STEPS, frozenset({SNAPSHOT, dg.AssetKey(["marts", "a"])}), False),
    ],
)
def test_only_a_run_that_builds_every_model_may_purge(
    job: str, steps: list[str] | None, selection: frozenset[dg.AssetKey] | None, is_whole: bool
) -> None:
    """Should refuse a selection: a model that is left out would keep the rows."""
    run = dg.DagsterRun(job_name=job, step_keys_to_execute=steps, asset_selection=selection)
    assert is_whole_run(run, MODELS) is is_whole
