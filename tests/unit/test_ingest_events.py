"""Event logs from file to raw: whole lines, growing files, broken input, privacy."""

import gzip
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentledger import registry, warehouse
from agentledger.ingest import collect, event_lines, plan
from agentledger.settings import Settings
from tests.unit.conftest import AS_OF, Ledger

NIL = "00000000-0000-0000-0000-000000000000"


def intent(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An event as formats.md section 5 writes it."""
    return {
        "event_id": f"7f000000-0000-4000-8000-{number:012d}",
        "ts": "2026-06-18T09:30:00.123456Z",
        "session_id": "3c000000-0000-4000-8000-000000000001",
        "actor_id": "analyst-1",
        "entrypoint": "chat",
        "utterance_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "utterance_preview": None,
        "semreg_mode": "strict",
        "semreg_denied_verbs": ["cbu.delete"],
        "verb_candidates_pre": [["cbu.assign-role", 0.705], ["cbu.create", 0.663]],
        "verb_candidates_post": [["cbu.assign-role", 0.705]],
        "chosen_verb_fqn": "cbu.assign-role",
        "selection_source": "discovery",
        "outcome": "needs_user_input",
        "missing_args": ["role"],
        "prompt_version": "2026-06-01",
    } | changes


def workflow(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A run as formats.md section 2 writes it."""
    return {
        "workflow_id": f"6f1c2b7e-0d0f-4f0e-9c57-{number:012d}",
        "project_id": "p-01",
        "workflow_name": "feature-dev",
        "started_at": "2026-02-10T10:00:00",
        "completed_at": "2026-02-10T10:14:09",
        "status": "completed",
        "skills_used": ["analyze", "design", "implement", "implement", "test"],
        "total_duration_ms": 849000.0,
        "metadata": {},
    } | changes


class Logs:
    """A folder of event logs that is registered as a source."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        folder.mkdir()
        registry.add_source(ledger.settings, "events", str(folder), zone="UTC")

    def write(self, name: str, *records: Any, end: str = "\n") -> Path:
        path = self.folder / name
        path.write_text("\n".join(_line(record) for record in records) + end, encoding="utf-8")
        return path

    def append(self, name: str, *records: Any, end: str = "\n") -> None:
        with (self.folder / name).open("a", encoding="utf-8") as stream:
            stream.write("\n".join(_line(record) for record in records) + end)

    def counts(self) -> dict[str, int]:
        return self.ledger.collect().totals()

    def intents(self, columns: str = "event_id", order: str = "line_no, ordinal") -> list[Any]:
        return self.ledger.rows(
            f"select {columns} from raw.intent_events order by file_id, {order}"
        )


def _line(record: Any) -> str:
    return record if isinstance(record, str) else json.dumps(record)


@pytest.fixture
def logs(ledger: Ledger, tmp_path: Path) -> Logs:
    return Logs(ledger, tmp_path / "logs")


def test_an_event_lands_with_its_place_and_without_its_private_fields(logs: Logs) -> None:
    logs.write(
        "a.jsonl",
        intent(1),
        intent(
            2, scope="SECRET scope of Alice", utterance_preview="SECRET words", actor_id="a@b.c"
        ),
    )
    assert logs.counts() | {"files_found": 1} == {
        "files_found": 1, "files_collected": 1, "files_skipped": 0, "files_quarantined": 0,
        "records_read": 2, "accepted": 2, "rejected": 0, "already_known": 0,
    }  # fmt: skip
    rows = logs.intents(
        "line_no, event_id, outcome, semreg_denied_verbs, verb_candidates_pre, missing_args, "
        "preview_length, utterance_preview, scope_length"
    )
    assert rows[0] == (
        1, "7f000000-0000-4000-8000-000000000001", "needs_user_input", '["cbu.delete"]',
        '[["cbu.assign-role",0.705],["cbu.create",0.663]]', '["role"]', None, None, None,
    )  # fmt: skip
    assert rows[1][0] == 2
    assert rows[1][6:] == (12, None, 21)
    everything = str(logs.ledger.rows("select * from raw.intent_events"))
    assert "SECRET" not in everything
    assert "a@b.c" not in everything
    assert "9f86d081884c7d65" not in everything, "a plain SHA-256 of a short text is guessable"


def test_a_hash_that_our_recorder_keyed_is_not_keyed_again(logs: Logs) -> None:
    keyed = "ab" * 32
    logs.write("a.jsonl", intent(1, utterance_hash=keyed, hash_scheme="hmac-sha256"))
    logs.counts()
    assert logs.intents("utterance_hash") == [(keyed,)]


def test_sentences_in_the_place_of_names_do_not_land(logs: Logs) -> None:
    logs.write(
        "a.jsonl",
        intent(
            1,
            outcome="please delete the account of Bob",
            chosen_verb_fqn="drop everything now",
            semreg_denied_verbs=["cbu.delete", "SECRET words here"],
            missing_args='["role","the SECRET one"]',
            verb_candidates_pre=[{"verb": "a.b", "score": 1.5}, {"verb": "SECRET b", "score": "x"}],
            error_code="Could not reach SECRET host",
            session_id=NIL,
        ),
    )
    logs.counts()
    [row] = logs.intents(
        "outcome, chosen_verb_fqn, semreg_denied_verbs, missing_args, verb_candidates_pre, "
        "error_code, session_id, withheld"
    )
    assert row[:7] == (
        "other", "other", '["cbu.delete","other"]', '["role","other"]',
        '[["a.b",1.5],["other",null]]', "other", None,
    )  # fmt: skip
    assert json.loads(row[7])["outcome"]["length"] == len("please delete the account of Bob")
    assert "SECRET" not in str(logs.ledger.rows("select * from raw.intent_events"))


def test_unknown_is_not_none_at_all(logs: Logs) -> None:
    logs.write(
        "a.jsonl",
        intent(1, missing_args=None, semreg_denied_verbs=[]),
        intent(2, missing_args=[], semreg_denied_verbs=None),
    )
    logs.counts()
    assert logs.intents("missing_args, semreg_denied_verbs") == [(None, "[]"), ("[]", None)]


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


def test_a_table_exported_as_csv_is_read(logs: Logs) -> None:
    (logs.folder / "a.csv").write_text(
        "event_id,ts,session_id,entrypoint,utterance_hash,outcome,semreg_denied_verbs,"
        "macro_semreg_checked,missing_args,verb_candidates_pre\n"
        "7f000000-0000-4000-8000-000000000001,2026-06-18 09:30:00.12+00,,chat,9f86,no_match,"
        '"[""cbu.delete""]",t,[],"[[""cbu.create"", 0.5]]"\n',
        encoding="utf-8",
    )
    assert logs.counts()["accepted"] == 1
    assert logs.intents(
        "line_no, ts, semreg_denied_verbs, macro_semreg_checked, missing_args, verb_candidates_pre"
    ) == [
        (2, "2026-06-18 09:30:00.12+00", '["cbu.delete"]', "t", "[]", '[["cbu.create",0.5]]')
    ]  # fmt: skip


def test_a_list_as_a_database_prints_it_is_a_list(logs: Logs) -> None:
    """The tempting change is to drop what is no JSON: every missing argument would be unknown."""
    logs.write(
        "a.jsonl",
        intent(1, missing_args="{role,name}"),
        intent(2, missing_args='{"role"}'),
        intent(3, missing_args='["role"]'),
        intent(4, missing_args="no list at all"),
    )
    logs.counts()
    assert logs.intents("missing_args") == [
        ('["role","name"]',), ('["role"]',), ('["role"]',), (None,),
    ]  # fmt: skip


def test_a_foreign_document_is_named_not_read_as_empty(logs: Logs) -> None:
    (logs.folder / "a.jsonl").write_text('{"projectHash": "x", "messages": []}\n')
    report = logs.ledger.collect()
    assert report.totals()["files_quarantined"] == 1
    assert report.sources[0].problems[0].reason == "unrecognised_format"


def test_unknown_names_are_counted_not_read(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1, brand_new="SECRET"), intent(2, brand_new="SECRET"))
    logs.counts()
    logs.append("a.jsonl", intent(3, brand_new="SECRET"))
    logs.counts()
    assert logs.ledger.rows("select field_name, occurrences from raw.unknown_fields") == [
        ("brand_new", 3)
    ]


def test_an_event_without_an_id_is_known_by_its_content(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1, event_id=None), intent(1, event_id=NIL, outcome="ready"))
    logs.counts()
    assert logs.intents("event_id, flags") == [(None, "derived_id"), (None, "derived_id")]
    [(keys,)] = logs.ledger.rows("select count(distinct record_key) from raw.intent_events")
    assert keys == 2


def test_two_copies_of_an_event_share_their_key_and_both_land(logs: Logs) -> None:
    logs.write("a.jsonl", intent(1))
    logs.write("b.jsonl", intent(1, event_id=intent(1)["event_id"].upper()))
    logs.counts()
    assert logs.ledger.rows(
        "select count(*), count(distinct record_key) from raw.intent_events"
    ) == [(2, 1)]


def test_a_key_cannot_be_computed_from_the_id_alone(logs: Logs) -> None:
    """Keys are published; whoever knows an event's id must not find its row by hashing it."""
    logs.write("a.jsonl", intent(1))
    logs.counts()
    event_id = intent(1)["event_id"]
    [(guessed,)] = logs.ledger.rows(
        "select count(*) from raw.intent_events where record_key in ("
        f"md5_number('{event_id}')::uuid, "
        f"md5_number(concat_ws(chr(31), 'intent_events', '{event_id}'))::uuid)"
    )
    assert guessed == 0


def test_workflows_of_a_project_count_to_it_and_those_of_a_log_to_the_one_they_name(
    logs: Logs,
) -> None:
    ledger = logs.ledger
    folder = ledger.project("alpha")
    (folder / ".session-buddy" / "workflow_executions.json").write_text(
        json.dumps([workflow(1), workflow(2, skills_used='["a b", "a b", "c"]')])
    )
    logs.write("w.jsonl", workflow(3), workflow(4, project_id="p-02"), workflow(5, project_id=""))
    assert logs.counts()["accepted"] == 5
    rows = ledger.rows(
        "select w.workflow_id, p.project_name, skills_used from raw.workflow_executions as w "
        "join raw.projects as p using (project_id) order by workflow_id"
    )
    assert [(row[0][-1], row[1]) for row in rows] == [
        ("1", "alpha"), ("2", "alpha"), ("3", "p-01"), ("4", "p-02"), ("5", "logs"),
    ]  # fmt: skip
    assert rows[1][2] == '["a b","a b","c"]'
    assert ledger.rows("select count(*) from raw.projects where is_active") == [(4,)]


def test_uses_of_skills_land_beside_those_of_other_sources(ledger: Ledger) -> None:
    ledger.settings.spool_dir.mkdir()
    used = {
        "event_id": "e-1", "skill_name": "code review", "invoked_at": "2026-06-01T10:00:00Z",
        "session_id": "s", "project_id": "shop", "completed": True, "duration_seconds": 1.5,
        "alternatives_considered": ["lint"], "error_type": None,
    }  # fmt: skip
    path = ledger.settings.spool_dir / "skill_invocations-h-1-a.jsonl"
    path.write_text(json.dumps(used) + "\n" + json.dumps(used | {"event_id": "e-2"}) + "\n")
    assert ledger.collect().totals()["accepted"] == 2
    path.write_text(json.dumps(used | {"event_id": "e-2"}) + "\n")
    assert ledger.collect().totals()["already_known"] == 1
    assert ledger.rows(
        "select skill_name, completed, duration_seconds, alternatives, variant, ordinal, "
        "project_name from raw.skill_usage join raw.projects using (project_id) order by ordinal"
    ) == [
        ("code review", "true", "1.5", '["lint"]', "EV", 0, "shop"),
        ("code review", "true", "1.5", '["lint"]', "EV", 1, "shop"),
    ]


def test_the_spool_is_read_without_being_registered(ledger: Ledger) -> None:
    ledger.settings.spool_dir.mkdir()
    (ledger.settings.spool_dir / "intent_events-h-1-a.jsonl").write_text(json.dumps(intent(1)))
    assert ledger.collect().totals()["accepted"] == 1


def test_what_readers_asked_lands_but_starts_no_run(ledger: Ledger) -> None:
    ledger.settings.reads_dir.mkdir()
    asked = {
        "event_id": "1", "ts": "2026-09-01T10:00:00Z", "surface": "cli", "question": "skills top",
        "subject_kind": "skill", "subject_name": "review", "duration_ms": 3.5, "succeeded": True,
    }  # fmt: skip
    path = ledger.settings.reads_dir / "reads-2026-09.jsonl"
    path.write_text(json.dumps(asked) + "\n")
    assert ledger.collect().totals()["accepted"] == 1
    before = plan.new_work(ledger.settings).reasons
    path.write_text(json.dumps(asked) + "\n" + json.dumps(asked | {"event_id": "2"}) + "\n")
    assert plan.new_work(ledger.settings).reasons == before
    assert ledger.collect().totals()["accepted"] == 1


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


def test_leaving_a_project_that_shares_events_builds_everything_anew(ledger: Ledger) -> None:
    """The copy that counted may lie in it.

    The tempting change is to rebuild the aggregates alone: the events of the project that stays
    would be missing from every number.
    """
    for name in ("alpha", "beta"):
        folder = ledger.project(name) / ".session-buddy"
        (folder / "intent_events.jsonl").write_text(json.dumps(intent(1)) + "\n")
    ledger.collect()
    before = ledger.rows("select sources_fingerprint from raw.run_context")
    registry.unregister_project(ledger.settings, str(ledger.projects / "alpha"))
    ledger.collect()
    assert ledger.rows("select sources_fingerprint from raw.run_context") != before
    again = ledger.rows("select sources_fingerprint from raw.run_context")
    ledger.collect()
    assert ledger.rows("select sources_fingerprint from raw.run_context") == again
