"""status.json: what a person is told about runs, also after a crash."""

from datetime import UTC, datetime, timedelta

import pytest

from agentledger import status, warehouse
from agentledger.errors import AgentLedgerError, RunLockedError
from agentledger.ingest.reports import CollectionReport, FileProblem, SourceReport
from agentledger.settings import Settings

T0 = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = Settings(home=tmp_path / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    return settings


def test_before_the_first_run_there_is_nothing(settings: Settings) -> None:
    assert status.read_status(settings) == status.Status(None, None, None, [])


def test_a_run_is_followed_from_step_to_end(settings: Settings) -> None:
    with warehouse.hold_run_lock(settings):
        status.begin_run(settings, "r1", "cli", T0)
        status.set_step(settings, "collect")
        current = status.read_status(settings).current_run
        assert current is not None
        assert (current["state"], current["step"]) == ("running", "collect")
        source = SourceReport("s", "p", "shop", found=2, collected=1, quarantined=1, accepted=5)
        source.add_problem(FileProblem("/x.json", "unreadable", "Permission denied"))
        status.record_collection(settings, CollectionReport("r1", 7, [source]))
        status.end_run(settings, "succeeded", T0 + timedelta(seconds=3))
    seen = status.read_status(settings)
    assert seen.current_run is None
    assert seen.last_run is not None
    assert seen.last_run == seen.last_success
    assert (seen.last_run["seconds"], seen.last_run["totals"]["accepted"]) == (3.0, 5)
    assert seen.last_run["sources"][0]["problems"][0]["path"] == "/x.json"
    assert [run["run_id"] for run in seen.recent_runs] == ["r1"]


def test_a_run_without_a_lock_has_crashed(settings: Settings) -> None:
    """The tempting change is to trust the file, or the process id, which may be reused."""
    status.begin_run(settings, "r1", "cli", T0)
    current = status.read_status(settings).current_run
    assert current is not None
    assert current["state"] == "crashed"
    status.begin_run(settings, "r2", "cli", T0)
    assert [run["state"] for run in status.read_status(settings).recent_runs] == ["crashed"]


def test_a_failure_keeps_the_last_success(settings: Settings) -> None:
    status.begin_run(settings, "r1", "cli", T0)
    status.end_run(settings, "succeeded", T0)
    status.begin_run(settings, "r2", "schedule", T0)
    status.end_run(settings, "failed", T0, error="a test failed")
    seen = status.read_status(settings)
    assert seen.last_run is not None
    assert seen.last_success is not None
    assert (seen.last_run["run_id"], seen.last_success["run_id"]) == ("r2", "r1")


def test_the_second_run_is_refused_or_waits(settings: Settings) -> None:
    with warehouse.hold_run_lock(settings):
        assert warehouse.run_lock_is_held(settings)
        with (
            pytest.raises(RunLockedError, match="Another run"),
            warehouse.hold_run_lock(settings, wait_seconds=0),
        ):
            pytest.fail("two writers")
    assert not warehouse.run_lock_is_held(settings)


@pytest.mark.parametrize("content", [b'{"last_run": 5}', b"\xff\xfe", b"[1]", b"{"])
def test_a_damaged_status_is_named_with_its_remedy(settings: Settings, content: bytes) -> None:
    settings.status_path.write_bytes(content)
    with pytest.raises(AgentLedgerError, match="Remove it"):
        status.read_status(settings)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 500])
def test_a_damaged_warehouse_is_named_with_its_remedy(settings: Settings, content: bytes) -> None:
    settings.warehouse_path.write_bytes(content)
    with pytest.raises(AgentLedgerError, match="backup"), warehouse.open_warehouse(settings):
        pytest.fail("opened")
