"""One whole run without the UI: what it built, what it left behind, what it connected to."""

import json
import re
import shutil

import dagster as dg
import duckdb
import pytest

from agentledger import status
from agentledger.snapshot import open_snapshot
from agentledger.warehouse import run_lock_is_held
from orchestration import instance as dagster_instance
from orchestration.definitions import build_defs

pytestmark = pytest.mark.xdist_group("finished_run")


def test_a_run_succeeds_and_says_what_it_did(finished_run) -> None:
    """Bad input costs that file; the summary names it with its path and reason."""
    assert finished_run.exit_code == 0, finished_run.stderr + finished_run.stdout
    outcome = json.loads(finished_run.stdout)
    assert outcome["state"] == "succeeded"
    assert outcome["totals"]["accepted"] == 6
    assert outcome["totals"]["files_quarantined"] == 1
    assert any("bad" in problem["path"] for problem in outcome["problems"])
    assert outcome["models"] > 15
    assert outcome["tests"] > 50
    assert outcome["tests_failed"] == 0


def test_progress_goes_to_standard_error_line_by_line(finished_run) -> None:
    """Without a terminal nothing is rewritten, and standard output stays for the outcome."""
    for words in ("collecting", "building and testing", "publishing"):
        assert words in finished_run.stderr
    assert "\x1b[" not in finished_run.stderr
    assert "\r" not in finished_run.stderr


def test_every_model_has_a_materialisation_event(finished_run) -> None:
    """A green run that built nothing is possible (style §7.1): the events are the proof."""
    settings = finished_run.settings
    run_id = json.loads(finished_run.stdout)["run_id"]
    made_of_the_published = (["published", "docs"], ["exports", "knowledge"])
    expected = {
        spec.key
        for spec in build_defs(settings=settings).resolve_all_asset_specs()
        if spec.key.path[0] != "source_files" and spec.key.path not in made_of_the_published
    }
    with dagster_instance.open_instance(settings) as instance:
        records = instance.get_records_for_run(
            run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
        ).records
        checks = instance.get_records_for_run(
            run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
        run = instance.get_run_by_id(run_id)
    assert {record.asset_key for record in records} == expected
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS
    graph = build_defs(settings=settings).resolve_asset_graph()
    assert len(checks) == len(graph.asset_check_keys)


def test_materialisations_say_what_a_person_wants_to_know(finished_run) -> None:
    """Row counts feed the plots of the UI; previews show public columns alone."""
    with dagster_instance.open_instance(finished_run.settings) as instance:
        raw = instance.get_latest_materialization_event(dg.AssetKey(["raw", "skill_usage"]))
        mart = instance.get_latest_materialization_event(dg.AssetKey(["marts", "skill_aggregates"]))
    facts = raw.asset_materialization.metadata
    assert facts["dagster/row_count"].value == 6
    assert facts["records accepted"].value == 6
    assert "good project" in facts["records per project"].value
    assert "session-1" not in str(facts)
    assert "private words" not in str(facts)
    assert mart.asset_materialization.metadata["dagster/row_count"].value > 0


def test_readers_see_the_build_of_the_run(finished_run) -> None:
    """Values are read, not only counted: six invocations of one skill."""
    outcome = json.loads(finished_run.stdout)
    with open_snapshot(finished_run.settings) as snapshot:
        assert snapshot.build.run_id == outcome["run_id"]
        assert snapshot.build.as_of.minute % 5 == 0
        total = snapshot.connection.execute(
            "select total_invocations from marts.skill_aggregates "
            "where skill_name = 'review' and project_id = '__all__' and time_window = 'all'"
        ).fetchone()
    assert total == (6,)


def test_the_status_tells_the_run(finished_run) -> None:
    """The lock is free again, and nothing is left as running."""
    state = status.read_status(finished_run.settings)
    assert state.current_run is None
    assert state.last_run["state"] == "succeeded"
    assert state.last_run["trigger"] == "test"
    assert state.last_run["totals"]["accepted"] == 6
    assert not run_lock_is_held(finished_run.settings)


def test_no_packet_leaves(finished_run) -> None:
    """Every Python of the run is watched, dbt's child too; none connects or looks a name up."""
    assert any("dbt_worker" in process for process in finished_run.processes)
    assert finished_run.connects == []


def test_dbt_is_started_once_and_nothing_asks_for_its_version(finished_run) -> None:
    """Each further start costs seconds; `dbt --version` asks the package index."""
    started = [line for line in finished_run.processes if "dbt" in line]
    assert len(started) == 1, started
    assert "orchestration.dbt_worker" in started[0]


@pytest.mark.skipif(shutil.which("strace") is None, reason="the audit hook above always runs")
def test_no_packet_leaves_the_kernel_says(settings, tmp_path) -> None:
    """The hook sees Python alone; the kernel sees DuckDB and every other library, too."""
    import subprocess
    import sys

    from agentledger.settings import process_environment

    log = tmp_path / "strace.log"
    done = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto", "-o", str(log),
         sys.executable, "-m", "orchestration", "run", "--full-refresh"],
        env=process_environment(settings, {}), capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    calls = log.read_text().splitlines()
    assert not [call for call in calls if re.search(r"AF_INET6?\b", call)]


def test_nothing_private_is_in_the_snapshot(finished_run) -> None:
    """The whole file is searched, not only its columns."""
    with open_snapshot(finished_run.settings) as snapshot:
        content = snapshot.path.read_bytes()
    assert b"private words" not in content
    assert str(finished_run.folder).encode() not in content


def test_the_dagster_home_has_telemetry_off(finished_run) -> None:
    """The template is copied, with the place of the event log filled in."""
    text = (finished_run.settings.dagster_home / "dagster.yaml").read_text()
    assert re.search(r"telemetry:\n  enabled: false", text)
    assert "@DAGSTER_HOME@" not in text


def test_dbt_leaves_its_log_and_no_manifest(finished_run) -> None:
    """The log is what a failed run is looked into with; a manifest per run would be waste."""
    folders = list(finished_run.settings.dbt_target_dir.iterdir())
    assert folders
    assert all((folder / "dbt.log").exists() for folder in folders)
    assert not any((folder / "manifest.json").exists() for folder in folders)


def test_the_warehouse_can_be_opened_after_the_run(finished_run) -> None:
    """A connection left open would keep the file locked."""
    with duckdb.connect(str(finished_run.settings.warehouse_path), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.skill_usage").fetchone() == (6,)
