"""Why turns end, which were cut off, and a session replayed, from marts filled by hand."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from agentledger import warehouse
from agentledger.cli.main import app
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.query import turns
from agentledger.query.replays import replay
from agentledger.query.scope import UnknownNameError
from agentledger.settings import Settings
from tests.unit.published_ledger import BLOG, SHOP, publish_ledger, settings_of

MACROS = """
create or replace macro marts.rate(s, n) as (case when n > 0 then cast(s as double) / n end);
create or replace macro marts.rate_low(s, n) as (marts.rate(s, n));
create or replace macro marts.rate_high(s, n) as (marts.rate(s, n));
create or replace macro marts.rate_evidence(n) as (
    case when n < 20 then 'insufficient_data' else 'sufficient' end);
create table marts.turn_stop_reasons (
    project_id varchar, time_window varchar, bucket_start date, stop_reason_base varchar,
    chat_mode varchar, turns bigint, rounds_sum bigint, rounds_n bigint,
    first_ended_at timestamptz, last_ended_at timestamptz);
create table marts.turn_cutoff_rates (
    project_id varchar, time_window varchar, bucket_start date, chat_mode varchar, turns bigint,
    known_turns bigint, early_cutoffs bigint, early_aborts bigint);
create table marts.turns_cut_off_early (
    turn_key uuid, session_key uuid, project_id varchar, model varchar, stop_reason_base varchar,
    stop_detail varchar, chat_mode varchar, turn_intent varchar, turn_seq bigint, rounds bigint,
    tool_call_count bigint, llm_calls bigint, total_tokens bigint, duration_ms double,
    ended_at timestamptz, occurred_on date);
"""
# analyses.md E1: reason, turns, rounds, turns of known rounds.
EXAMPLE = (("completed", 2, 5, 2), ("loop_detected", 2, 8, 2), ("user_aborted", 1, 0, 0),
           ("unknown", 1, 1, 1))  # fmt: skip
DAYS = ("2026-03-08", "2026-03-09")
KEY = "3f2a9c1d-0000-0000-0000-000000000001"
OTHER = "3f2a9c1d-0000-0000-0000-000000000002"
ASKED = "5f2a9c1d-0000-0000-0000-000000000004"
SAID = "5f2a9c1d-0000-0000-0000-000000000005"
REPLY = "5f2a9c1d-0000-0000-0000-000000000006"
LOGGED = "6f2a9c1d-0000-0000-0000-000000000008"
LATER = "5f2a9c1d-0000-0000-0000-000000000007"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path)
    with duckdb.connect(str(publish_ledger(settings))) as connection:
        connection.execute(MACROS)
        for project in ("__all__", SHOP):
            for mode in ("__all__", "vibe"):
                _fill(connection, project, mode, "all", "1970-01-01", 2)
                for day in DAYS:
                    _fill(connection, project, mode, "daily", day, 1)
        for number, (project, day) in enumerate(
            ((SHOP, DAYS[0]), (SHOP, DAYS[1]), (BLOG, DAYS[1]))
        ):
            connection.execute(
                "insert into marts.turns_cut_off_early values (?, ?, ?, 'm', 'loop_detected', "
                "'same_tool', 'vibe', 'action', 1, 2, 5, 2, 10880, 9050, ?, ?)",
                [
                    f"00000000-0000-0000-0000-00000000000{number}",
                    KEY,
                    project,
                    f"{day} 12:00Z",
                    day,
                ],
            )
    return settings


def _fill(
    connection: duckdb.DuckDBPyConnection,
    project: str,
    mode: str,
    window: str,
    day: str,
    times: int,
) -> None:
    for reason, count, rounds, known in EXAMPLE:
        connection.execute(
            "insert into marts.turn_stop_reasons values (?, ?, ?, ?, ?, ?, ?, ?, null, null)",
            [project, window, day, reason, mode, count * times, rounds * times, known * times],
        )
    connection.execute(
        "insert into marts.turn_cutoff_rates values (?, ?, ?, ?, ?, ?, ?, 0)",
        [project, window, day, mode, 6 * times, 4 * times, times],
    )


@pytest.mark.parametrize("since", [None, "2026-03-08", "2026-03-09"])
@pytest.mark.parametrize("project", [None, "shop"])
@pytest.mark.parametrize("mode", [None, "vibe"])
def test_any_period_has_the_shares_of_the_worked_example(
    settings: Settings, since: str | None, project: str | None, mode: str | None
) -> None:
    answer = turns.stop_reasons(since, None, project, mode, settings=settings)
    found = [
        (row["stop_reason_base"], round(row["share"], 4), row["avg_rounds"])
        for row in answer.records()
    ]
    assert found == [
        ("completed", 0.3333, 2.5), ("loop_detected", 0.3333, 4.0), ("unknown", 0.1667, 1.0),
        ("user_aborted", 0.1667, None),
    ]  # fmt: skip
    (rate,) = turns.cutoff_rate(since, None, project, mode, settings=settings).records()
    assert rate["early_cutoff_rate"] == 0.25
    assert rate["evidence"] == "insufficient_data"


def test_cut_off_turns_come_newest_first_and_of_what_was_asked(settings: Settings) -> None:
    def days(**asked: Any) -> list[tuple[str, str]]:
        rows = turns.cut_off(**asked, settings=settings).records()
        return [(row["ended_at"][:10], row["project_id"]) for row in rows]

    assert days() == [(DAYS[1], SHOP), (DAYS[1], BLOG), (DAYS[0], SHOP)]
    assert days(project="shop", until=DAYS[1]) == [(DAYS[0], SHOP)]
    assert days(mode="delegate") == []
    assert len(days(top=1)) == 1


@pytest.mark.parametrize("asked", [{"mode": "party"}, {"since": "soon"}, {"top": 0}])
def test_an_argument_that_means_nothing_is_refused(settings: Settings, asked: Any) -> None:
    with pytest.raises(UsageError):
        turns.cut_off(**asked, settings=settings)


@pytest.mark.parametrize("command", ["stop-reasons", "cut-off"])
def test_the_command_prints_rows_for_people_and_json_for_programs(
    settings: Settings, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: settings)
    shown = CliRunner().invoke(app, ["turns", command])
    assert shown.exit_code == 0
    assert "loop_detected" in shown.stdout
    document = json.loads(CliRunner().invoke(app, ["turns", command, "--json"]).stdout)
    assert document["rows"]
    assert document["build_id"]


# ---- replay: the warehouse, under the run lock


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "built", host_zone="UTC")
    warehouse.prepare_home(settings)
    with warehouse.open_warehouse(settings) as connection:
        connection.execute(
            f"""
            insert into raw.projects values
                ('p', 'shop', null, '/x', 'UTC', true, null, now()),
                ('q', 'left', null, '/y', 'UTC', false, null, now());
            create schema marts; create schema intermediate; create schema staging;
            create table marts.fct_intent_events as
                select * from (values
                    (uuid '{ASKED}', uuid '{SAID}', 'p', 'chat', 'clarify_args', 'fund.close',
                        ['date'], null, timestamptz '2026-05-04 12:00Z', 0, null, 'unknown'),
                    (uuid '{ASKED}', uuid '{OTHER}', 'p', 'chat', 'matched', 'fund.close', [],
                        null, timestamptz '2026-05-04 12:02Z', 1,
                        timestamptz '2026-05-04 12:03Z', 'failure')
                ) as t (session_key, event_key, project_id, entrypoint, outcome, final_verb,
                    missing_args, error_code, occurred_at, execution_count, executed_at,
                    execution_outcome);
            alter table marts.fct_intent_events add column execution_error_class varchar;
            update marts.fct_intent_events set execution_error_class = 'Timeout'
                where execution_count > 0;
            create table intermediate.int_intent_events__versioned as
                select event_key, session_key, project_id, event_key as record_key,
                    event_key as content_hash, 1 as file_id, 3 as line_no, true as is_kept
                from marts.fct_intent_events;
            insert into raw.intent_events by name
                select record_key, content_hash, 1 as file_id, line_no, 0 as byte_offset,
                    0 as ordinal, 's' as source_id, 'p' as project_id, 'h' as host_id,
                    'r' as run_id, now() as ingested_at, 1 as load_seq, ' i-1 ' as session_id
                from intermediate.int_intent_events__versioned;
            create table marts.fct_chat_messages as
                select uuid '{ASKED}' as session_key, uuid '{REPLY}' as message_key,
                    'p' as project_id, '14' as turn_id,
                    timestamptz '2026-05-04 12:01Z' as occurred_at;
            create table staging.stg_events__chat_messages as
                select session_key, message_key, project_id, message_key as record_key,
                    content_hash, 's' as source_id, 1 as file_id, 4 as line_no, 0 as ordinal
                from marts.fct_chat_messages, (values (uuid '{REPLY}'), (uuid '{LATER}'))
                    as t (content_hash);
            create table marts.fct_llm_calls as
                select uuid '{LOGGED}' as session_key, uuid '{SAID}' as llm_call_key,
                    'claude_code_otel' as source_kind, 'p' as project_id;
            create table intermediate.int_otlp_call_versions as
                select uuid '{SAID}' as llm_call_key, 'log-1' as session_id, true as is_kept;
            create table intermediate.int_llm_call_versions as
                select *, 'claude_code_otel' as source_kind
                from intermediate.int_otlp_call_versions;
            create table intermediate.int_otlp_log_events as
                select uuid '{SAID}' as event_key, uuid '{SAID}' as record_key,
                    uuid '{SAID}' as content_hash, 'p' as source_project_id, 'log-1' as session_id,
                    1 as file_id, true as is_kept, null::varchar as skill_name,
                    null::varchar as agent_name, 'unknown' as model, null::varchar as error_type, *
                from (values
                    ('tool_result', 'Bash', false, 2, 6, timestamptz '2026-05-04 12:01Z'),
                    ('user_prompt', null, null, 1, 5, timestamptz '2026-05-04 12:00Z')
                ) as t (event_name, tool_name, is_success, event_sequence, line_no, occurred_at);
            create table marts.fct_turns as
                select * from (values
                    (uuid '{KEY}', 't-77', 'agent_telemetry', 'p'),
                    (uuid '{OTHER}', 't-78', 'agent_telemetry', 'p'),
                    (uuid '4f2a9c1d-0000-0000-0000-000000000003', 't-79', 'agent_telemetry', 'q')
                ) as t (session_key, session_id, source_kind, project_id);
            create table intermediate.int_codex_lines (
                thread_key uuid, thread_id varchar, parent_thread_key uuid, source_id varchar,
                source_project_id varchar, workdir_id bigint, walked_at timestamptz,
                line_no bigint, file_id bigint);
            create table intermediate.int_agent_telemetry_versions as
                select uuid '{KEY}' as telemetry_key, uuid '{OTHER}' as record_key,
                uuid '{KEY}' as content_hash, true as is_kept;
            create table intermediate.int_agent_telemetry_records as select
                1 as seq, 1 as turn_seq, 1 as seq_in_turn, timestamptz '2026-05-04 12:00Z'
                as occurred_at, 1120.0 as offset_ms, 'llm_call' as record_type, 'm' as model,
                4120.0 as duration_ms, 5120 as prompt_tokens, 310 as completion_tokens,
                5430 as tokens, '["write_file"]' as tool_names, null::bigint as rounds,
                1 as tool_call_count, 'unknown' as stop_reason_base, null::varchar as stop_detail,
                'vibe' as chat_mode, 'unknown' as turn_intent, 21 as user_message_length,
                0 as system_prompt_length, 1 as history_messages, 2 as history_length,
                null::bigint as response_length, 9 as thoughts_length, false as is_open,
                1 as file_id, 7 as line_no, uuid '{KEY}' as session_key,
                uuid '{KEY}' as telemetry_key;
            """
        )
    yield settings


class Vault:
    """A source of texts of one record, and of an utterance and what was answered."""

    def texts_of(
        self, records: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Mapping[str, Sequence[str]]]:
        known = {
            (OTHER, KEY): {"user_message": ["hello"]},
            (SAID, SAID): {"utterance": ["close it"]},
            (REPLY, REPLY): {"assistant_message": ["When?"]},
            (REPLY, LATER): {"assistant_message": ["another version"]},
        }
        return {key: known[key] for key in records if key in known}


@pytest.mark.parametrize("name", ["t-77", KEY, KEY[:30] + "000001", KEY.upper()])
def test_a_session_is_found_by_its_id_and_by_its_key(built: Settings, name: str) -> None:
    found = replay(name, settings=built)
    assert (found["session_key"], found["project"], len(found["records"])) == (KEY, "shop", 1)
    assert found["records"][0]["offset_ms"] == 1120.0
    assert not found["has_texts"]
    assert "no texts" in found["note"]


def test_texts_stand_beside_their_record_when_somebody_has_them(built: Settings) -> None:
    found = replay("t-77", texts=Vault(), settings=built)
    assert found["has_texts"]
    assert found["note"] is None
    assert found["records"][0]["texts"] == {"user_message": ["hello"]}


@pytest.mark.parametrize("name", ["i-1", "5f2a9c1d", "5F2A9C1D-0000"])
def test_a_session_of_intents_is_told_in_order_of_time(built: Settings, name: str) -> None:
    """Should show what was asked, what came of it, how it ran and what was answered."""
    found = replay(name, texts=Vault(), settings=built)
    assert (found["session_key"], found["source_kind"]) == (ASKED, "intents")
    assert (found["records"], found["messages"], found["has_texts"]) == ([], [], True)
    assert [
        (row["record_type"], row["outcome"], row["verb"], row["error"], row.get("texts"))
        for row in found["exchange"]
    ] == [
        ("utterance", "clarify_args", "fund.close", None, {"utterance": ["close it"]}),
        ("assistant_message", None, None, None, {"assistant_message": ["When?"]}),
        ("utterance", "matched", "fund.close", None, None),
        ("execution", "failure", "fund.close", "Timeout", None),
    ]
    assert found["exchange"][0]["missing_args"] == ["date"]
    assert found["exchange"][1]["line_no"] == 4


def test_a_session_of_intents_without_texts_says_so_and_prints_what_is_known(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: built)
    shown = CliRunner().invoke(app, ["turns", "replay", "i-1"])
    assert shown.exit_code == 0
    for text in ("4 records", "assistant message", "missing date", "error Timeout", "turn 14"):
        assert text in shown.output
    assert "no texts" in shown.output
    document = json.loads(CliRunner().invoke(app, ["turns", "replay", "i-1", "--json"]).stdout)
    assert [row["seq"] for row in document["exchange"]] == [1, 2, 3, 4]


def test_a_session_that_log_events_alone_tell_is_their_events(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Prompts:
        def texts_of(self, records: Sequence[tuple[str, str]]) -> dict[Any, Any]:
            return {(SAID, SAID): {"input": [json.dumps("fix it"), '{"role": "user"}']}}

    for name in ("log-1", LOGGED):
        found = replay(name, texts=Prompts(), settings=built)
        assert (found["session_key"], found["source_kind"]) == (LOGGED, "claude_code_otel")
        assert [
            (row["record_type"], row["verb"], row["outcome"], row["line_no"])
            for row in found["exchange"]
        ] == [("user_prompt", None, None, 5), ("tool_result", "Bash", "failure", 6)]
        assert found["exchange"][0]["texts"]["input"] == ["fix it", '{"role": "user"}']
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: built)
    shown = CliRunner().invoke(app, ["turns", "replay", "log-1"])
    assert shown.exit_code == 0
    assert "user prompt" in shown.output


@pytest.mark.parametrize("name", ["t-79", "nothing", "3f2", ""])
def test_sessions_of_projects_that_left_and_unknown_ones_are_not_there(
    built: Settings, name: str
) -> None:
    with pytest.raises(UnknownNameError):
        replay(name, settings=built)


def test_a_beginning_that_means_two_sessions_names_them(built: Settings) -> None:
    with pytest.raises(UsageError, match=OTHER):
        replay("3f2a9c1d", settings=built)


def test_without_a_warehouse_or_models_a_replay_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new", host_zone="UTC")
    with pytest.raises(AgentLedgerError, match="agentledger run"):
        replay("t-77", settings=settings)
    warehouse.prepare_home(settings)
    with warehouse.open_warehouse(settings):
        pass
    with pytest.raises(AgentLedgerError, match="full-refresh"):
        replay("t-77", settings=settings)


def test_a_replay_waits_for_a_run_and_says_so(built: Settings) -> None:
    waited = threading.Event()
    held = warehouse.run_lock(built)
    held.acquire()

    def let_go() -> None:
        waited.wait(10)
        held.release()

    holder = threading.Thread(target=let_go)
    holder.start()
    assert replay("t-77", on_wait=waited.set, settings=built)["records"]
    holder.join()
