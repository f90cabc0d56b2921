"""Event logs line by line: growing, half-written, rewritten and broken files, any layout."""

import gzip
import json
import os
import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentledger import registry, warehouse
from agentledger.ingest import collect, event_lines, plan
from agentledger.settings import Settings
from tests.unit.conftest import AS_OF
from tests.unit.event_logs import Logs, intent


def test_an_appended_line_is_all_that_is_read(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1), intent(2))
    logs.counts()
    logs.append("a.jsonl", intent(3))
    assert logs.counts()["records_read"] == 1
    assert [row[0] for row in logs.intents("line_no")] == [1, 2, 3]
    [ledger_row] = logs.ledger.rows(
        "select records_read, accepted, already_known, line_count, byte_offset, size_bytes "
        "from raw.files"
    )
    assert ledger_row[:4] == (3, 3, 0, 3)
    assert ledger_row[4] == ledger_row[5]


def test_a_second_run_opens_nothing(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1))
    logs.counts()
    assert logs.counts()["files_skipped"] == 1
    assert not plan.new_work(logs.ledger.settings).reasons[1:]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_half_written_line_waits_for_its_end(logs: Logs, cut: int) -> None:
    """The tempting change is to reject what does not parse: the line would be lost for good."""
    whole = json.dumps(intent(2))
    at = len(whole) * cut // 40
    path = logs.write("a.jsonl", intent(1), whole[:at], end="")
    os.utime(path, (AS_OF.timestamp(), AS_OF.timestamp()))
    first = logs.counts()
    assert (first["accepted"], first["rejected"]) == (1, 0)
    path.write_text(json.dumps(intent(1)) + "\n" + whole + "\n", encoding="utf-8")
    assert logs.counts()["accepted"] == 1
    assert [row[0][-1] for row in logs.intents()] == ["1", "2"]
    assert logs.ledger.rows("select state, rejected, line_count from raw.files") == [
        ("loaded", 0, 2)
    ]


def test_a_line_that_nobody_finishes_is_rejected_after_an_hour(logs: Logs) -> None:
    path = logs.write("a.jsonl", intent(1), '{"event_id": "7f0', end="")
    os.utime(path, (AS_OF.timestamp() - 7200, AS_OF.timestamp() - 7200))
    totals = logs.counts()
    assert (totals["accepted"], totals["rejected"]) == (1, 1)
    assert logs.ledger.rows("select reason, line_no from raw.rejects") == [("truncated_line", 2)]


def test_a_last_line_without_an_end_is_a_line_when_it_is_whole(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1), intent(2), end="")
    assert logs.counts()["accepted"] == 2
    logs.append("a.jsonl", "", intent(3))
    assert logs.counts()["accepted"] == 1
    assert [row[0] for row in logs.intents("line_no")] == [1, 2, 3]


def test_a_rewritten_file_adds_what_is_new_and_loses_nothing(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1), intent(2), intent(2))
    logs.counts()
    logs.write("a.jsonl", intent(3), intent(2), intent(1, outcome="ready"))
    totals = logs.counts()
    assert (totals["accepted"], totals["already_known"]) == (2, 1)
    rows = logs.intents("event_id, outcome", order="load_seq, line_no")
    assert [(event[-1], outcome) for event, outcome in rows] == [
        ("1", "needs_user_input"), ("2", "needs_user_input"), ("2", "needs_user_input"),
        ("3", "needs_user_input"), ("1", "ready"),
    ]  # fmt: skip


def test_a_file_that_shrank_keeps_its_facts(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1), intent(2), intent(3))
    logs.counts()
    logs.write("a.jsonl", intent(3))
    assert logs.counts()["already_known"] == 1
    assert len(logs.intents()) == 3


def test_bad_lines_cost_themselves_alone(logs: Logs) -> None:
    lines = [
        json.dumps(intent(1)),
        json.dumps(intent(2)) + json.dumps(intent(3)),
        "null",
        '["a list"]',
        '{"broken": ',
        '{"some": "other record"}',
        "",
        "   ",
        json.dumps(intent(4, entity_confidence="NaN")).replace('"NaN"', "NaN"),
        json.dumps(intent(5)).replace('"analyst-1"', r'"analyst\ud83d"'),
        json.dumps(intent(6)).replace('"analyst-1"', '"' + "\\u0000" + 'x"'),
        json.dumps(intent(7))[:-1] + ', "outcome": "ready"}',
        json.dumps(intent(8)).replace(", ", " ,\t "),
    ]
    (logs.folder / "a.jsonl").write_bytes(
        b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n" + b"\x00" * 20
    )
    totals = logs.counts()
    assert (totals["accepted"], totals["rejected"]) == (8, 4)
    assert totals["records_read"] == 12
    rows = logs.intents("line_no, ordinal, event_id, outcome, flags")
    assert [(line, ordinal, event[-1]) for line, ordinal, event, _, _ in rows] == [
        (1, 0, "1"), (2, 0, "2"), (2, 1, "3"), (9, 0, "4"), (10, 0, "5"), (11, 0, "6"),
        (12, 0, "7"), (13, 0, "8"),
    ]  # fmt: skip
    assert rows[6][3:] == ("ready", "duplicate_key")
    assert logs.ledger.rows("select line_no, reason from raw.rejects order by line_no") == [
        (3, "not_an_object"), (4, "not_an_object"), (5, "malformed_record"), (6, "unknown_type"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pretty", json.dumps(intent(1), indent=2) + "\n" + json.dumps(intent(2), indent=2)),
        ("list", json.dumps([intent(1), intent(2)], indent=1)),
        ("wrapped", json.dumps({"intent_events": [intent(1), intent(2)]})),
    ],
)
def test_documents_are_read_like_lines(logs: Logs, name: str, content: str) -> None:
    (logs.folder / f"{name}.json").write_text(content, encoding="utf-8")
    assert logs.counts()["accepted"] == 2
    assert [row[0][-1] for row in logs.intents()] == ["1", "2"]
    (logs.folder / f"{name}.json").write_text(content + "\n", encoding="utf-8")
    assert logs.counts()["already_known"] == 2


def test_utf_16_and_gzip_are_read(logs: Logs) -> None:
    (logs.folder / "a.jsonl").write_bytes((json.dumps(intent(1)) + "\n").encode("utf-16"))
    (logs.folder / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps(intent(2)).encode()))
    assert logs.counts()["accepted"] == 2


def test_a_line_beyond_the_limit_is_skipped(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_lines, "CHUNK_BYTES", 2000)
    monkeypatch.setattr(event_lines, "MAX_LINE_BYTES", 3000)
    logs.write("a.jsonl", intent(1), intent(2, scope="x" * 20_000), intent(3), intent(4))
    totals = logs.counts()
    assert (totals["accepted"], totals["rejected"]) == (3, 1)
    assert logs.intents("line_no") == [(1,), (3,), (4,)]
    [(reason, line_no, length)] = logs.ledger.rows(
        "select reason, line_no, length_bytes from raw.rejects"
    )
    assert (reason, line_no) == ("too_long", 2)
    assert length > 20_000


@given(
    cuts=st.lists(st.integers(min_value=0, max_value=3200), max_size=6),
    chunk=st.integers(min_value=300, max_value=5000),
)
@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_however_a_file_grows_its_rows_are_those_of_one_load(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], chunk: int
) -> None:
    """Cut at any byte, in lines and between them, with any chunk size."""
    folder = tmp_path_factory.mktemp("grow")
    data = (
        "\n".join(json.dumps(intent(number, actor_id="é" * 3)) for number in range(4))
        + "\n\n{broken\n"
        + json.dumps(intent(9))
    ).encode()
    settings = Settings(home=folder / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    log = folder / "log.jsonl"
    log.write_bytes(b"")
    registry.add_source(settings, "events", str(log), zone="UTC")
    with pytest.MonkeyPatch.context() as patch, warehouse.open_warehouse(settings) as connection:
        patch.setattr(event_lines, "CHUNK_BYTES", chunk)
        for number, cut in enumerate([*sorted(cuts), len(data)]):
            log.write_bytes(data[:cut])
            os.utime(log, (AS_OF.timestamp(), AS_OF.timestamp() - 10 + number))
            collect.collect(settings, connection, run_id=f"run-{number}", as_of=AS_OF)
        rows = connection.execute(
            "select line_no, byte_offset, event_id, content_hash from raw.intent_events "
            "order by line_no"
        ).fetchall()
        rejected = connection.execute("select reason, line_no from raw.rejects").fetchall()
    starts = [0]
    for _ in range(4):
        starts.append(data.index(b"\n", starts[-1]) + 1)
    assert [row[:3] for row in rows] == [
        *((n + 1, starts[n], intent(n)["event_id"]) for n in range(4)),
        (7, data.rindex(b"\n") + 1, intent(9)["event_id"]),
    ]
    assert rejected == [("malformed_record", 6)]


def test_many_small_files_are_read_in_one_statement_per_format(logs: Logs) -> None:
    started = time.monotonic()
    for number in range(150):
        logs.write(f"f{number}.jsonl", intent(number))
    assert logs.counts()["accepted"] == 150
    assert time.monotonic() - started < 20
