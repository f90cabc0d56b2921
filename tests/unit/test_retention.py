"""Retention: exact at the boundary, for good, and nothing whose age is unknown."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentledger import event_time, purge, retention, warehouse
from agentledger.errors import AgentLedgerError
from agentledger.ingest import collect, plan
from agentledger.raw_tables import RAW_TABLES
from agentledger.registry import load_config
from tests.unit.conftest import AS_OF, Ledger
from tests.unit.test_purge import complete_run

# conftest.AS_OF is 2026-09-01 12:00 UTC; 90 days before it are 2026-06-03 12:00 UTC.
CUTOFF = "2026-06-03T12:00:00"


def keep_days(ledger: Ledger, days: object) -> None:
    """Write retention_days at the top of config.toml."""
    path = ledger.settings.config_path
    kept = [line for line in path.read_text().splitlines() if "retention_days =" not in line]
    path.write_text("\n".join([f"retention_days = {days}", *kept]) + "\n")


def sessions(ledger: Ledger) -> list[str]:
    return [row[0] for row in ledger.rows("select session_id from raw.skill_usage order by all")]


def collect_at(ledger: Ledger, as_of: datetime, *, is_whole_run: bool = True) -> Any:
    ledger.runs.append(f"run-{len(ledger.runs)}")
    with warehouse.open_warehouse(ledger.settings) as connection:
        return collect.collect(
            ledger.settings, connection, run_id=ledger.runs[-1], as_of=as_of,
            is_whole_run=is_whole_run,
        )  # fmt: skip


AROUND = {
    "exactly": CUTOFF + "Z",
    "younger": CUTOFF + ".000001Z",
    "older": "2026-06-03T11:59:59.999999Z",
    # 13:59 in Berlin is 11:59 UTC, 14:00 is the cutoff.
    "older-offset": "2026-06-03T13:59:59.999999+02:00",
    "exactly-offset": "2026-06-03T14:00:00+02:00",
    # 2026-06-03T12:00:00Z is 1780488000.
    "exactly-epoch": "1780488000",
    "older-epoch": "1780487999.999",
    # Not believed (before 2015) or not a time at all: of unknown age.
    "unknown-epoch": "0",
    "unknown-text": "2026-13-45T10:00:00",
}
KEPT = sorted(name for name in AROUND if not name.startswith("older"))


@pytest.fixture
def around(ledger: Ledger, make_invocation: Callable[..., dict[str, Any]]) -> Ledger:
    """Records around the boundary."""
    ledger.write(
        {
            "invocations": [
                make_invocation(session_id=name, invoked_at=at) for name, at in AROUND.items()
            ]
        }
    )
    return ledger


def test_records_exactly_as_old_as_allowed_stay_and_older_ones_go(around: Ledger) -> None:
    complete_run(around)
    assert len(sessions(around)) == len(AROUND)
    keep_days(around, 90)
    assert plan.new_work(around.settings).reasons == [
        "records older than 90 day(s) are to be removed"
    ]
    (line,) = complete_run(around)
    assert sessions(around) == KEPT
    assert "purged what was older than 2026-06-03T12:00:00 UTC: 3 raw row(s) removed" in line
    assert around.rows("select kind, rows_removed, cutoff::varchar from raw.purges") == [
        ("retention", '{"skill_usage": 3}', "2026-06-03 12:00:00+00")
    ]


def test_times_without_an_offset_are_read_in_the_zone_of_their_source(
    ledger: Ledger, make_invocation: Callable[..., dict[str, Any]]
) -> None:
    """Berlin is two hours ahead in June: its 14:00 is the cutoff."""
    ledger.project("alpha", zone="Europe/Berlin")
    times = {"older": "2026-06-03T13:59:59", "exactly": "2026-06-03T14:00:00"}
    ledger.write(
        {"invocations": [make_invocation(session_id=s, invoked_at=t) for s, t in times.items()]}
    )
    complete_run(ledger)
    keep_days(ledger, 90)
    complete_run(ledger)
    assert sessions(ledger) == ["exactly"]


def test_what_went_stays_away_when_its_file_is_written_anew(
    around: Ledger, make_invocation: Callable[..., dict[str, Any]]
) -> None:
    keep_days(around, 90)
    complete_run(around)
    assert sessions(around) == KEPT
    records = [make_invocation(session_id=name, invoked_at=at) for name, at in AROUND.items()]
    records.append(make_invocation(session_id="new", invoked_at="2026-08-30T10:00:00Z"))
    around.write({"invocations": records})
    report = around.collect()
    assert sessions(around) == sorted([*KEPT, "new"])
    totals = report.totals()
    assert (totals["accepted"], totals["already_known"], totals["records_read"]) == (1, 9, 10)
    # Nothing landed that had to go again: no second removal.
    assert around.rows("select count(*) from raw.purges") == [(0,)]


def test_records_age_and_go_without_any_new_file(around: Ledger) -> None:
    keep_days(around, 90)
    complete_run(around)
    assert not plan.new_work(around.settings, AS_OF).anything
    later = datetime(2026, 9, 1, 12, 0, 0, 1, tzinfo=UTC)  # a microsecond: what was exact is older
    assert plan.new_work(around.settings, later).anything
    assert not plan.new_work(around.settings, later - timedelta(microseconds=1)).anything
    collect_at(around, later)
    assert sessions(around) == ["unknown-epoch", "unknown-text", "younger"]
    assert purge.is_pending(around.settings), "the space is still to be given back"


def test_a_sensor_is_told_once_a_day_that_records_age(around: Ledger) -> None:
    """Records age all the time; a run for each would keep the machine busy."""
    keep_days(around, 91)
    complete_run(around)
    noon = datetime(2026, 9, 2, 12, 0, 0, 1, tzinfo=UTC)
    assert plan.new_work(around.settings, noon, is_automatic=True).anything
    collect_at(around, noon)
    assert purge.is_pending(around.settings)
    with warehouse.open_warehouse(around.settings) as connection:
        for at, is_due in ((noon + timedelta(hours=1), False), (noon + timedelta(hours=12), True)):
            reasons = retention.due_reasons(connection, 91, at, once_a_day=True)
            assert bool(reasons) is is_due
        assert retention.due_reasons(connection, 91, noon + timedelta(hours=1))


def test_a_large_ledger_is_cleared_once_a_day(
    around: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each removal builds every model anew; the first run of a UTC day does it for all."""
    monkeypatch.setattr(retention, "EACH_RUN_ROWS", 0)
    keep_days(around, 91)
    morning = datetime(2026, 9, 1, 6, tzinfo=UTC)
    collect_at(around, morning)
    assert len(sessions(around)) == 9  # 91 days before are 2026-06-02: nothing is older
    keep_days(around, 90)
    collect_at(around, morning + timedelta(hours=7))  # another rule applies at once
    assert sessions(around) == ["unknown-epoch", "unknown-text"]


def test_keeping_longer_again_brings_back_what_the_files_still_hold(
    around: Ledger, make_invocation: Callable[..., dict[str, Any]]
) -> None:
    keep_days(around, 90)
    complete_run(around)
    keep_days(around, '"keep"')
    records = [make_invocation(session_id=name, invoked_at=at) for name, at in AROUND.items()]
    around.write({"invocations": records, "last_updated": "2026-09-01"})
    complete_run(around)
    assert len(sessions(around)) == len(AROUND)


def test_a_run_that_leaves_models_out_removes_nothing(around: Ledger) -> None:
    complete_run(around)
    keep_days(around, 90)
    collect_at(around, datetime(2026, 9, 1, 12, tzinfo=UTC), is_whole_run=False)
    assert len(sessions(around)) == len(AROUND)
    complete_run(around)
    assert sessions(around) == KEPT


@pytest.mark.parametrize("step", ["record", "_record_end"])
def test_a_killed_removal_is_taken_up_again(
    around: Ledger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    complete_run(around)
    keep_days(around, 90)
    with monkeypatch.context() as patched:
        patched.setattr(purge, step, killed)
        with pytest.raises(KeyboardInterrupt):
            complete_run(around)
    assert purge.is_pending(around.settings)
    complete_run(around)
    assert sessions(around) == KEPT
    assert not purge.is_pending(around.settings)
    assert around.rows("select total_rows, finished_at is not null from raw.purges") == [(3, True)]


def test_events_of_every_table_age(ledger: Ledger) -> None:
    ledger.project()
    old, new = "2026-01-01T00:00:00Z", "2026-08-01T00:00:00Z"
    events = [
        {"event_id": f"e-{at[:7]}", "ts": at, "outcome": "success", "entrypoint": "chat"}
        for at in (old, new)
    ]
    (ledger.projects / "alpha" / "intent_events.jsonl").write_text(
        "".join(json.dumps(event) + "\n" for event in events)
    )
    run = {"workflow_name": "w", "status": "completed", "skills_used": ["a"]}
    runs = [
        run | {"workflow_id": "w-1", "started_at": None, "completed_at": old},
        run | {"workflow_id": "w-2", "started_at": new, "completed_at": None},
    ]
    (ledger.projects / "alpha" / "workflow_executions.jsonl").write_text(
        "".join(json.dumps(item) + "\n" for item in runs)
    )
    complete_run(ledger)
    assert ledger.rows("select count(*) from raw.intent_events") == [(2,)]
    assert ledger.rows("select count(*) from raw.workflow_executions") == [(2,)]
    keep_days(ledger, 90)
    complete_run(ledger)
    assert ledger.rows("select event_id from raw.intent_events") == [("e-2026-08",)]
    assert ledger.rows("select workflow_id from raw.workflow_executions") == [("w-2",)]


def test_our_own_logs_from_before_the_cutoff_go_once_they_are_read(ledger: Ledger) -> None:
    """They lie in the data home; trackers' files are never touched."""
    ledger.project()
    spool = ledger.settings.spool_dir
    spool.mkdir()
    names = {"old": "2026-01-01T00:00:00Z", "new": "2026-08-01T00:00:00Z"}
    for name, at in names.items():
        event = {"event_id": f"e-{name}", "ts": at, "outcome": "success", "entrypoint": "chat"}
        (spool / f"{name}.jsonl").write_text(json.dumps(event) + "\n")
        written = datetime.fromisoformat(at).timestamp()
        os.utime(spool / f"{name}.jsonl", (written, written))
    complete_run(ledger)
    keep_days(ledger, 90)
    (spool / "unread.jsonl").write_text('{"what": 1}\n')
    os.utime(spool / "unread.jsonl", (0, 0))
    complete_run(ledger)
    assert sorted(path.name for path in spool.iterdir()) == ["new.jsonl", "unread.jsonl"]
    assert ledger.rows("select event_id from raw.intent_events") == [("e-new",)]
    complete_run(ledger)
    assert ledger.rows("select event_id from raw.intent_events") == [("e-new",)]


def test_every_table_of_records_says_which_column_tells_when() -> None:
    """A new table of records must not be left out of retention by forgetting it."""
    records = {table for table, columns in RAW_TABLES.items() if "record_key uuid" in columns}
    assert set(event_time.EVENT_TIME_COLUMNS) == records
    for table, columns in event_time.EVENT_TIME_COLUMNS.items():
        assert all(f"{column} varchar" in RAW_TABLES[table] for column in columns)


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "true", '"90"', "40000"])
def test_a_number_of_days_that_is_none_is_refused_and_nothing_goes(
    around: Ledger, days: str
) -> None:
    complete_run(around)
    keep_days(around, days)
    with pytest.raises(AgentLedgerError, match="retention_days"):
        around.collect()
    assert len(sessions(around)) == len(AROUND)


def test_retention_days_stands_at_the_top_or_in_its_own_table(ledger: Ledger) -> None:
    path = ledger.settings.config_path
    assert load_config(ledger.settings).retention_days is None
    for text, days in (
        ("retention_days = 90\n", 90),
        ("[retention]\nretention_days = 30\n", 30),
        ('retention_days = "keep"\n', None),
    ):
        path.write_text(text)
        assert load_config(ledger.settings).retention_days == days
    path.write_text('[[projects]]\npath = "/x"\nretention_days = 90\n')
    with pytest.raises(AgentLedgerError, match="would belong to that entry"):
        load_config(ledger.settings)
