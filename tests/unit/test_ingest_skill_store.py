"""What lands in raw.skill_usage from SQLite stores, alive, old, locked and broken."""

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentledger.ingest import plan, skill_store, skill_store_copy
from tests.unit.skill_stores import (
    SCHEMA_A,
    SCHEMA_A_OLD,
    SCHEMA_B,
    add_a,
    add_b,
    make_store,
)

Build = Callable[..., dict[str, Any]]


@pytest.fixture
def store_path(ledger) -> Path:
    """Where tracker A keeps its store."""
    return ledger.project() / ".session-buddy" / "skills.db"


def rest(path: Path) -> None:
    """Let the files look as if nobody had touched them for a while."""
    for name in path.parent.glob(path.name + "*"):
        os.utime(name, ns=(10**18, 10**18))


def test_table_a_lands_like_the_json_of_its_tracker(
    ledger, store_path: Path, make_invocation: Build
) -> None:
    store = make_store(store_path, SCHEMA_A)
    add_a(store)
    store.close()
    ledger.write({"invocations": [make_invocation()], "skills": {}, "last_updated": "x"})
    ledger.collect()
    rows = ledger.rows(
        "select record_key, content_hash, session_id, completed, duration_seconds, query_hash, "
        "followup_count, selection_rank from raw.skill_usage order by variant"
    )
    assert rows[0] == rows[1]
    assert ledger.rows("select variant, ordinal from raw.skill_usage order by 1") == [
        ("SA", 1), ("V1", 0),
    ]  # fmt: skip


def test_table_b_lands_from_a_folder_that_is_named_like_a_database(ledger) -> None:
    path = ledger.project() / ".session-buddy" / "skills.db" / "skills.db"
    store = make_store(path, SCHEMA_B)
    add_b(store)
    add_b(store, completed=0, completed_at=None, error_type="TimeoutError", follow_up_actions=None)
    store.close()
    ledger.collect()
    assert ledger.rows(
        "select variant, ordinal, repeat_ordinal, invoked_at, completed_at, completed, "
        "workflow_phase, alternatives, followup_count, error_class, duration_seconds "
        "from raw.skill_usage order by ordinal"
    ) == [
        ("SB", 1, 0, "2026-08-01 10:00:00", "2026-08-01 10:01:30", "true", "execution",
         '["lint"]', "1", None, None),
        ("SB", 2, 1, "2026-08-01 10:00:00", None, "false", "execution",
         '["lint"]', None, "TimeoutError", None),
    ]  # fmt: skip


def test_a_database_with_both_tables_loses_neither(ledger, store_path: Path) -> None:
    store = make_store(store_path, SCHEMA_A, SCHEMA_B)
    add_a(store)
    add_b(store)
    store.close()
    ledger.collect()
    assert ledger.rows(
        "select variant, ordinal, invoked_at, completed_at from raw.skill_usage order by ordinal"
    ) == [
        ("SA", 1, "2026-08-01T10:00:00.000001", None),
        ("SA", 3, "2026-08-01 10:00:00Z", "2026-08-01 10:01:30Z"),
    ]


def test_an_older_schema_leaves_what_it_lacks_unknown(ledger, store_path: Path) -> None:
    store = make_store(store_path, SCHEMA_A_OLD)
    store.execute("insert into skill_invocation values (7, 'lint', '2026-08-01T10:00:00', 0)")
    store.close()
    ledger.collect()
    assert ledger.rows(
        "select ordinal, skill_name, completed, session_id, duration_seconds, query_length, "
        "followup_count, flags from raw.skill_usage"
    ) == [(7, "lint", "false", None, None, None, None, None)]


def test_further_columns_are_counted_by_name_and_the_embedding_is_not_asked_for(
    ledger, store_path: Path
) -> None:
    store = make_store(store_path, SCHEMA_A)
    store.execute("alter table skill_invocation add column mood text")
    add_a(store, mood="zebra", embedding=b"zebra" * 300)
    add_a(store, session_id="s-2")
    store.close()
    ledger.collect()
    assert ledger.rows("select field_name, occurrences from raw.unknown_fields") == [("mood", 2)]
    assert_no_marker(ledger.settings.home, b"zebra")


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


def test_zero_bytes_and_an_empty_table_are_empty(ledger, store_path: Path) -> None:
    store_path.write_bytes(b"")
    make_store(store_path.with_name("b.db"), SCHEMA_B).close()
    report = ledger.collect()
    assert report.totals()["files_quarantined"] == 0
    assert ledger.rows("select distinct state from raw.files") == [("empty",)]


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


def test_a_database_of_another_tool_is_no_problem(ledger, store_path: Path) -> None:
    make_store(store_path, "create table notes (text)").close()
    report = ledger.collect()
    assert report.totals()["files_quarantined"] == 0
    assert not report.sources[0].problems
    assert ledger.rows("select state from raw.files") == [("other_database",)]


def test_a_database_outside_a_trackers_folder_is_left_alone(ledger) -> None:
    make_store(ledger.project() / "data" / "skills.db", SCHEMA_A).close()
    assert ledger.collect().totals()["files_found"] == 0


def test_a_row_without_name_or_time_is_rejected_alone(ledger, store_path: Path) -> None:
    store = make_store(store_path, SCHEMA_A.replace(" not null", ""))
    add_a(store)
    add_a(store, skill_name="  ", user_query="zebra")
    add_a(store, invoked_at="half past zebra")
    add_a(store, skill_name=b"\x00blob")
    store.close()
    report = ledger.collect()
    assert report.totals() | {"accepted": 1, "rejected": 3} == report.totals()
    assert sorted(ledger.rows("select ordinal, reason from raw.rejects")) == [
        (2, "missing_skill_name"), (3, "invalid_invoked_at"), (4, "wrong_type_skill_name"),
    ]  # fmt: skip
    assert "row 2" in report.sources[0].problems[0].detail
    assert_no_marker(ledger.settings.home, b"zebra")


ODD_VALUES = {
    "blob for a session": ({"session_id": b"\xff"}, "session_id"),
    "text for a duration": ({"duration_seconds": "soon"}, "duration_seconds"),
    "infinite duration": ({"duration_seconds": float("inf")}, "duration_seconds"),
    "no list of actions": ({"follow_up_actions": "git commit"}, "follow_up_actions"),
    "an object of actions": ({"follow_up_actions": '{"a": 1}'}, "follow_up_actions"),
    "seven for a truth value": ({"completed": 7}, "completed"),
}


@pytest.mark.parametrize(("change", "field"), ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_value_of_a_wrong_kind_becomes_unknown_and_keeps_the_row(
    ledger, store_path: Path, change: dict[str, Any], field: str
) -> None:
    store = make_store(store_path, SCHEMA_A)
    add_a(store, **change)
    store.close()
    ledger.collect()
    assert ledger.rows("select flags from raw.skill_usage") == [(f'["invalid:{field}"]',)]


def test_a_table_without_row_numbers_is_read(ledger, store_path: Path) -> None:
    schema = SCHEMA_B.replace("id integer primary key", "id text primary key") + " without rowid"
    store = make_store(store_path, schema)
    add_b(store, id="x")
    add_b(store, id="y")
    store.close()
    ledger.collect()
    assert ledger.rows("select repeat_ordinal from raw.skill_usage order by 1") == [(0,), (1,)]


def test_a_store_made_anew_with_the_same_ids_adds_its_own_rows(ledger, store_path: Path) -> None:
    """The tempting change is to trust `id`: row 1 of the new database is another invocation."""
    for second in (1, 2):
        store_path.unlink(missing_ok=True)
        store = make_store(store_path, SCHEMA_A)
        add_a(store, invoked_at=f"2026-08-01T10:00:0{second}")
        store.close()
        ledger.collect()
    assert ledger.rows(
        "select count(*), count(distinct record_key), count(distinct ordinal) from raw.skill_usage"
    ) == [(2, 2, 1)]


def test_the_store_is_left_as_it_was(ledger, store_path: Path) -> None:
    writer = make_store(store_path, SCHEMA_A, wal=True)
    add_a(writer)
    files = sorted(store_path.parent.iterdir())
    before = [(file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in files]
    for file in files:
        file.chmod(0o400)
    ledger.collect()
    files = sorted(store_path.parent.iterdir())
    assert [(file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in files] == before
    writer.close()


def test_no_private_text_reaches_the_ledger_and_no_copy_is_left(ledger, store_path: Path) -> None:
    marker = "zebra secret 4711"
    store = make_store(store_path, SCHEMA_A, SCHEMA_B)
    add_a(
        store, user_query=marker, error_type=f"failed: {marker}", workflow_path=marker,
        follow_up_actions=f'["{marker}"]', workflow_phase=marker, workflow_step_id=marker,
        alternatives_considered=f'["{marker}"]', embedding=marker.encode(),
    )  # fmt: skip
    add_b(store, user_query=marker, error_type=marker)
    store.close()
    ledger.collect()
    assert ledger.rows("select distinct error_class, query_length from raw.skill_usage") == [
        ("other", 17)
    ]
    assert_no_marker(ledger.settings.home, b"zebra")
    assert list(ledger.settings.spill_dir.glob("skill-store-*")) == []


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


def assert_no_marker(home: Path, marker: bytes) -> None:
    for file in home.rglob("*"):
        if file.is_file():
            assert marker not in file.read_bytes(), file
