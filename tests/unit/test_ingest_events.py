"""Events from file to raw: what of a record lands, under which key and project, what never does."""

import json

from agentledger import registry
from agentledger.ingest import plan
from tests.unit.conftest import Ledger
from tests.unit.event_logs import NIL, Logs, intent, workflow


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
