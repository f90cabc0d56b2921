"""Checks of the raw tables: each turns red for what it claims to find, also after a tick.

Belongs here: what a check says of rows written by hand. Does not belong here: how the Dagster UI
shows it (`tests/browser`), the wiring (`golden_graph.txt`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration import checks
from tests import factories

Check = Callable[[duckdb.DuckDBPyConnection], dg.AssetCheckResult]

NOON = "2026-03-10 12:00:00+00"


def file_load(**counts: int) -> factories.Row:
    """One row of `raw.file_loads` of the run `run-1`: two records read and accepted."""
    return {
        "load_seq": 1, "run_id": "run-1", "file_id": 7, "source_id": "source-p1",
        "project_id": "p1", "state": "loaded", "records_read": 2, "accepted": 2, "rejected": 0,
        "already_known": 0, "fast_path": True, "seconds": 0.1, "loaded_at": NOON,
    } | counts  # fmt: skip


def reject(key: int) -> factories.Row:
    """One row of `raw.rejects` of the run `run-1`."""
    return {
        "reject_key": f"00000000-0000-0000-0000-{key:012}", "load_seq": 1, "run_id": "run-1",
        "file_id": 7, "source_id": "source-p1", "project_id": "p1", "reason": "not_json",
        "rejected_at": NOON,
    }  # fmt: skip


@pytest.fixture
def raw(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse that the run `run-1` has collected one source into; no file of it is told yet."""
    connection = factories.new_raw(tmp_path)
    factories.write(connection, "sources", [factories.make_source()])
    return connection


def tick(connection: duckdb.DuckDBPyConnection, hours: int = 0) -> None:
    """What a tick by the clock writes (`agentledger/ticks.py`)."""
    connection.execute(
        "update raw.run_context set run_id = 'tick', as_of = as_of + to_hours(?)", [hours]
    )


def test_a_lost_record_is_found(raw: duckdb.DuckDBPyConnection) -> None:
    factories.write(raw, "file_loads", [file_load(), file_load(file_id=8, accepted=1)])
    found = checks.records_conserved(raw)
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert "file 8 of raw.files had 2 read, but 1 counted" in str(found.description)


def test_known_and_rejected_records_are_not_lost(raw: duckdb.DuckDBPyConnection) -> None:
    factories.write(raw, "file_loads", [file_load(accepted=0, rejected=1, already_known=1)])
    found = checks.records_conserved(raw)
    assert found.passed
    assert found.description == "0 accepted + 1 rejected + 1 already known = 2 read"


@pytest.mark.parametrize(
    ("check", "table", "rows"),
    [
        (checks.records_conserved, "file_loads", [file_load(accepted=1)]),
        (checks.files_accounted, "collection_runs", [factories.make_collection_run(found=2)]),
        (
            checks.anything_readable,
            "collection_runs",
            [factories.make_collection_run(collected=0, quarantined=1)],
        ),
        (checks.reject_rate, "file_loads", [file_load(accepted=1, rejected=1)]),
    ],
)
def test_a_tick_turns_no_check_green(
    raw: duckdb.DuckDBPyConnection, check: Check, table: str, rows: Sequence[factories.Row]
) -> None:
    """The tempting change is to look at the run of the context: a tick's has read no file.

    Asked again after five minutes, each check would find nothing wrong with nothing.
    """
    factories.write(raw, table, rows)
    assert not check(raw).passed
    tick(raw)
    assert not check(raw).passed


def test_reasons_of_rejects_stay_told_after_a_tick(raw: duckdb.DuckDBPyConnection) -> None:
    factories.write(raw, "file_loads", [file_load(accepted=1, rejected=1)])
    factories.write(raw, "rejects", [reject(1)])
    tick(raw)
    assert checks.reject_rate(raw).description == "1 of 2 record(s) rejected: not_json (1)"


def test_a_warehouse_of_an_older_version_is_checked(raw: duckdb.DuckDBPyConnection) -> None:
    """Its row does not say who collected: until the next run, the run that wrote it."""
    raw.execute("update raw.run_context set collected_by = null")
    factories.write(raw, "file_loads", [file_load(accepted=1)])
    assert not checks.records_conserved(raw).passed


@pytest.mark.parametrize(("hours", "passes"), [(24, True), (25, False)])
def test_a_source_goes_stale_after_a_day(
    raw: duckdb.DuckDBPyConnection, hours: int, passes: bool
) -> None:
    """Should count from the instant of the last tick: it is the newest there is."""
    factories.write(raw, "collection_runs", [factories.make_collection_run()])
    tick(raw, hours)
    assert checks.sources_fresh(raw).passed is passes
