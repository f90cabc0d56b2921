"""Opening the snapshot: the pointer, the layout, the lock-down, publishing beside readers."""

import threading
import time
from pathlib import Path

import pytest

from agentledger.errors import NothingPublishedError
from agentledger.query import get_build
from agentledger.query.skills import top_skills
from agentledger.settings import Settings
from agentledger.snapshot import SnapshotUnreadableError, open_snapshot
from tests.unit.published_ledger import BUCKETS, RANKED, point_to, publish_ledger, settings_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home")


def test_before_the_first_run_it_says_what_to_type(settings: Settings) -> None:
    """A reader must not create the home, and must not call nothing an error of its own."""
    with pytest.raises(NothingPublishedError, match="agentledger run"), open_snapshot(settings):
        pass
    assert not settings.home.exists()


def test_an_unknown_layout_is_refused(settings: Settings) -> None:
    """Reading columns of another layout by luck would give wrong numbers in silence."""
    publish_ledger(settings, schema_version=99)
    with pytest.raises(SnapshotUnreadableError, match="layout 99"), open_snapshot(settings):
        pass


@pytest.mark.parametrize(
    "pointer",
    ["", "../warehouse.duckdb", "/etc/passwd", "ledger-1.duckdb\nx", "ledger-../x.duckdb"],
    ids=["empty", "parent", "absolute", "two lines", "dots"],
)
def test_a_pointer_that_is_no_snapshots_name_is_refused(settings: Settings, pointer: str) -> None:
    """The pointer must never lead out of the published folder."""
    publish_ledger(settings)
    settings.published_pointer.write_text(pointer)
    with pytest.raises(SnapshotUnreadableError, match="pointer"), open_snapshot(settings):
        pass


def test_a_damaged_snapshot_is_unreadable_and_not_empty(settings: Settings) -> None:
    """Broken is never reported as empty."""
    publish_ledger(settings).write_bytes(b"not a database" * 1000)
    with pytest.raises(SnapshotUnreadableError, match="full-refresh"), open_snapshot(settings):
        pass


def test_a_snapshot_without_a_mart_says_so(settings: Settings) -> None:
    """Not a traceback, and not zero rows."""
    import duckdb

    path = publish_ledger(settings)
    connection = duckdb.connect(str(path))
    connection.execute("drop view marts.top_skills")
    connection.close()
    with pytest.raises(SnapshotUnreadableError, match="top_skills"):
        top_skills(settings=settings)


def test_connections_of_one_process_share_zone_and_lock(settings: Settings) -> None:
    """The second connection finds the configuration locked and must have UTC all the same."""
    publish_ledger(settings)
    with open_snapshot(settings) as first, open_snapshot(settings) as second:
        for snapshot in (first, second):
            row = snapshot.connection.execute(
                "select current_setting('TimeZone'), current_setting('lock_configuration'), "
                "current_setting('enable_external_access')"
            ).fetchone()
            assert row == ("UTC", True, False)


def test_a_long_lived_reader_follows_the_pointer(settings: Settings) -> None:
    """Within one process DuckDB would keep answering from a file that is still open."""
    publish_ledger(settings, "1", RANKED)
    assert len(top_skills(settings=settings).rows) == 4
    publish_ledger(settings, "2", BUCKETS)
    assert get_build(settings=settings)["build_id"] == "2"
    assert top_skills(settings=settings).rows == []


def test_readers_answer_while_the_pointer_is_swapped_and_builds_are_pruned(
    settings: Settings,
) -> None:
    """A build that is pruned between reading its name and opening it is not an error."""
    template = publish_ledger(settings, "0").read_bytes()
    enough = threading.Event()
    swaps = 0

    def swap() -> None:
        nonlocal swaps
        while swaps < 200 or not enough.is_set():
            swaps += 1
            name = f"ledger-{swaps}.duckdb"
            draft = settings.published_dir / f".{name}.draft"
            draft.write_bytes(template)
            draft.replace(settings.published_dir / name)
            point_to(settings, name)
            # Nothing but the current build is kept, which is harsher than publish.
            (settings.published_dir / f"ledger-{swaps - 1}.duckdb").unlink()
            time.sleep(0.01)  # lets the reader have the interpreter at all

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        answers = 0
        while answers < 30 or swaps < 200:
            assert len(top_skills(settings=settings).rows) == 6
            answers += 1
    finally:
        enough.set()
        swapper.join()


def test_threads_may_open_at_once(settings: Settings) -> None:
    """A dashboard answers several people; none may meet a half-configured connection."""
    publish_ledger(settings)
    failures: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(10):
                assert len(top_skills(settings=settings).rows) == 6
        except Exception as error:  # any kind is a failure of the test
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
