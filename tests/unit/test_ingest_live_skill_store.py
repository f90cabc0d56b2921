"""SQLite stores whose writer lives, that are locked, damaged or changed during the copy."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from agentledger.ingest import plan, skill_store, skill_store_copy
from tests.unit.skill_documents import Build
from tests.unit.skill_stores import SCHEMA_A, SCHEMA_B, add_a, add_b, make_store, rest


def test_committed_rows_in_the_log_are_read_while_the_writer_lives(
    ledger, store_path: Path
) -> None:
    """The tempting change is to copy the database alone: the newest rows are in the log."""
    writer = make_store(store_path, SCHEMA_A, wal=True)
    add_a(writer)
    ledger.collect()
    assert ledger.rows("select count(*) from raw.skill_usage") == [(1,)]
    before = store_path.stat()
    add_a(writer, session_id="s-2")
    assert store_path.stat() == before, "the test needs a row that is in the log alone"
    assert plan.new_work(ledger.settings).reasons[0].startswith("1 new or changed file")
    report = ledger.collect()
    assert (report.totals()["accepted"], report.totals()["already_known"]) == (1, 1)
    writer.execute("begin")
    add_a(writer, session_id="s-3")
    rest(store_path)
    ledger.collect()
    assert ledger.rows("select count(*) from raw.skill_usage") == [(2,)], "not committed yet"
    writer.execute("commit")
    writer.close()
    ledger.collect()
    assert ledger.rows("select count(*) from raw.skill_usage") == [(3,)]


@pytest.mark.parametrize("wal", [False, True], ids=["journal", "log"])
def test_a_locked_store_is_read_all_the_same(ledger, store_path: Path, wal: bool) -> None:
    writer = make_store(store_path, SCHEMA_A, wal=wal)
    add_a(writer)
    writer.execute("begin exclusive")
    add_a(writer, session_id="s-2")
    ledger.collect()
    assert ledger.rows("select state, accepted, message from raw.files") == [("loaded", 1, None)]
    writer.execute("rollback")
    writer.close()


def test_a_transaction_that_spilled_into_the_database_is_rolled_back_in_the_copy(
    ledger, store_path: Path
) -> None:
    """Its journal lies beside the database: copied without it, half a transaction would land."""
    writer = make_store(store_path, SCHEMA_A)
    for number in range(200):
        add_a(writer, session_id=f"s-{number}", user_query="q" * 3000)
    committed = store_path.read_bytes()
    writer.execute("pragma cache_size = 5")
    writer.execute("begin immediate")
    writer.execute("update skill_invocation set session_id = 'late'")
    assert store_path.read_bytes() != committed, "the test needs pages that were written early"
    assert Path(f"{store_path}-journal").stat().st_size > 0
    rest(store_path)
    ledger.collect()
    assert ledger.rows("select state, accepted from raw.files") == [("loaded", 200)]
    assert ledger.rows("select count(*) from raw.skill_usage where session_id = 'late'") == [(0,)]
    writer.execute("rollback")
    writer.close()


def damaged(path: Path, change: Callable[[bytes], bytes]) -> None:
    store = make_store(path, SCHEMA_A)
    for number in range(200):
        add_a(store, session_id=f"s-{number}", user_query="zebra" * 50)
    store.close()
    path.write_bytes(change(path.read_bytes()))
    rest(path)


DAMAGES = {
    "prose": lambda _data: b"dear diary",
    "first bytes": lambda data: b"\0" * 16 + data[16:],
    "a page in the middle": lambda data: data[:20480] + b"\xa5" * 4096 + data[24576:],
    "cut": lambda data: data[: len(data) // 2],
    "header only": lambda data: data[:100],
    "magic only": lambda data: data[:16],
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_store_costs_that_file_and_says_so(
    ledger, store_path: Path, make_invocation: Build, change: Callable[[bytes], bytes]
) -> None:
    damaged(store_path, change)
    ledger.write({"invocations": [make_invocation()]})
    report = ledger.collect()
    assert ledger.rows("select state from raw.files where path like '%skills.db'") == [
        ("unreadable",)
    ]
    [problem] = report.sources[0].problems
    assert problem.path == str(store_path)
    assert "zebra" not in problem.detail
    assert report.totals()["accepted"] == 1


@pytest.mark.parametrize("seed", range(12))
def test_flipped_or_missing_bytes_give_no_crash_and_no_extra_row(
    tmp_path: Path, store_path: Path, seed: int
) -> None:
    """Damage in database or log: fewer rows or a reason, never another kind of error."""
    rng = random.Random(seed)  # noqa: S311 - damage, not secrets
    store = make_store(store_path, SCHEMA_A, SCHEMA_B, wal=True)
    for number in range(60):
        add_a(store, session_id=f"s-{number}", user_query="q" * 200)
    store.execute("pragma wal_checkpoint")
    for number in range(40):
        add_b(store, session_id=f"s-{number}")
    parts = [store_path.read_bytes(), Path(f"{store_path}-wal").read_bytes()]
    for attempt in range(5):
        broken = [bytearray(part) for part in parts]
        part = rng.choice(broken)
        if rng.random() < 0.3:
            del part[rng.randrange(len(part)) :]
        else:
            for _ in range(rng.choice([1, 3, 50])):
                part[rng.randrange(len(part))] = rng.randrange(256)
        path = tmp_path / f"{attempt}.db"
        path.write_bytes(broken[0])
        Path(f"{path}-wal").write_bytes(broken[1])
        rest(path)
        try:
            with skill_store.open_store(str(path), tmp_path / "scratch", b"k" * 32) as found:
                assert sum(len(batch) for batch in found.batches()) <= 100
        except skill_store.StoreError as error:
            assert error.state in {"unreadable", "empty", "other_database"}
    store.close()
    assert list((tmp_path / "scratch").glob("*")) == []


def test_what_a_killed_run_left_is_swept(ledger) -> None:
    left = ledger.settings.spill_dir / f"{skill_store_copy.SCRATCH_PREFIX}abc"
    left.mkdir()
    (left / "store.db").write_bytes(b"zebra")
    ledger.collect()
    assert not left.exists()


def test_the_copy_is_for_its_owner_alone_and_gone_after_a_failure(
    tmp_path: Path, store_path: Path
) -> None:
    store = make_store(store_path, SCHEMA_A)
    add_a(store)
    store.close()
    scratch = tmp_path / "scratch"
    with (
        pytest.raises(ZeroDivisionError),
        skill_store.open_store(str(store_path), scratch, b"k" * 32),
    ):
        [folder] = scratch.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "store.db").stat().st_mode & 0o777 == 0o600
        raise ZeroDivisionError
    assert list(scratch.iterdir()) == []


def test_a_log_begun_anew_during_the_copy_is_seen(
    tmp_path: Path, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Database from before a checkpoint, log from after it: together they lost rows."""
    writer = make_store(store_path, SCHEMA_A, wal=True)
    add_a(writer)
    copy = skill_store_copy._copy
    torn = iter([True, True])

    def copy_and_disturb(source: str, target: Path) -> None:
        copy(source, target)
        if source == str(store_path) and next(torn, False):
            writer.execute("pragma wal_checkpoint(restart)")
            add_a(writer, session_id="late")

    monkeypatch.setattr(skill_store_copy, "_copy", copy_and_disturb)
    target = skill_store_copy.copy_whole(str(store_path), tmp_path)
    with sqlite3.connect(target) as connection:
        assert connection.execute("select count(*) from skill_invocation").fetchall() == [(3,)]
    writer.close()


def test_a_store_that_never_holds_still_is_read_by_the_next_run(
    ledger, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the rows that were read before it changed do not land again."""
    store = make_store(store_path, SCHEMA_A)
    add_a(store)
    ledger.collect()
    add_a(store, session_id="s-2")
    store.close()
    monkeypatch.setattr(skill_store_copy, "COPY_TRIES", 2)
    monkeypatch.setattr(skill_store_copy, "REST_NS", 10**18)
    ledger.collect()
    assert ledger.rows("select state, accepted from raw.files") == [("changing", 0)]
    monkeypatch.undo()
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["already_known"]) == (1, 1)
