"""What lands in raw.skill_usage from SQLite stores: each schema, odd rows, no private text."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.skill_documents import Build
from tests.unit.skill_stores import (
    SCHEMA_A,
    SCHEMA_A_OLD,
    SCHEMA_B,
    add_a,
    add_b,
    assert_no_marker,
    make_store,
)


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


def test_zero_bytes_and_an_empty_table_are_empty(ledger, store_path: Path) -> None:
    store_path.write_bytes(b"")
    make_store(store_path.with_name("b.db"), SCHEMA_B).close()
    report = ledger.collect()
    assert report.totals()["files_quarantined"] == 0
    assert ledger.rows("select distinct state from raw.files") == [("empty",)]


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
