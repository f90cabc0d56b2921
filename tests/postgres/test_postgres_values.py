"""What a value of the server becomes: exact, uncast, and as from a log of the same rows."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry
from tests.postgres.conftest import INTENTS, WORKFLOWS, Ledger

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

TELEMETRY = """
    id uuid primary key, created_at timestamptz default now(),
    record_type text not null default 'llm_call', project_id varchar(255), session_id text,
    user_message text, model_used varchar(255) not null, system_prompt text not null,
    chat_history jsonb not null, response_text text, response_thoughts text, tool_calls jsonb,
    tool_results jsonb, stop_reason text, rounds int, tool_call_count int, turn_intent text,
    chat_mode text, prompt_tokens int, completion_tokens int, total_tokens int,
    duration_ms int not null
"""
LEFT_OUT = ("file_id", "line_no", "byte_offset", "source_id", "project_id", "run_id",
            "ingested_at", "load_seq", "host_id")  # fmt: skip


def one(ledger: Ledger, table: str, columns: str) -> tuple[Any, ...]:
    [row] = ledger.rows(f"select {columns} from raw.{table}")
    return row


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026-05-04 12:00:01.123456+02", "2026-05-04T10:00:01.123456+00:00"),
        ("2026-05-04 12:00:01.12+00", "2026-05-04T12:00:01.12+00:00"),
        ("1999-12-31 23:59:59.999999-11:30", "2000-01-01T11:29:59.999999+00:00"),
        ("infinity", None),
        ("0044-03-15 12:00:00+00 BC", None),
    ],
)
def test_an_instant_keeps_its_microseconds_and_what_is_none_is_null(
    ledger: Ledger, written: str, kept: str | None
) -> None:
    ledger.make("intent_events", INTENTS)
    ledger.add("intent_events")
    ledger.server.sql(
        f"insert into {ledger.sql('intent_events')} (ts, outcome) values ('{written}', 'ready')"
    )
    ledger.collect()
    assert one(ledger, "intent_events", "ts") == (kept,)


@pytest.mark.parametrize(
    ("type_", "written", "kept"),
    [
        ("numeric", "12345678901234567890.123456789012345678", None),
        ("numeric", "0.10", None),
        ("numeric", "-0.000000000000000001", None),
        ("numeric", "NaN", "none"),
        ("numeric", "Infinity", "none"),
        ("double precision", "0.1", None),
        ("double precision", "1e300", "1e+300"),
        ("real", "0.1", None),
        ("bigint", "9223372036854775807", None),
        ("text", "12.5", None),
    ],
)
def test_a_number_keeps_every_digit_and_what_is_none_is_told(
    ledger: Ledger, type_: str, written: str, kept: str | None
) -> None:
    ledger.make(
        "usage_events",
        f"event_id bigserial, agent_id text, occurred_at timestamptz, cost_cents {type_}",
    )
    ledger.add("usage_events")
    ledger.server.sql(
        f"insert into {ledger.sql('usage_events')} (agent_id, occurred_at, cost_cents) "
        f"values ('a', '2026-05-01T00:00:00Z', '{written}')"
    )
    ledger.collect()
    # Where a figure stands what is none, that is told, whatever it was.
    wanted = "NaN" if kept == "none" else kept or written
    assert one(ledger, "usage_events", "event_id, cost_cents") == ("1", wanted)


def test_lists_uuids_and_json_arrive_whole(ledger: Ledger) -> None:
    ledger.make("intent_events", INTENTS)
    ledger.add("intent_events")
    ledger.server.sql(
        f"insert into {ledger.sql('intent_events')} "
        """
        (event_id, ts, session_id, outcome, semreg_denied_verbs,
            verb_candidates_pre, missing_args, entity_confidence, macro_semreg_checked)
        values
        ('6F1C2B7E-0D0F-4F0E-9C57-1F0D5A6B7C8D', '2026-05-01T00:00:00Z',
            '00000000-0000-0000-0000-000000000000', 'ready', '["a.b", "c.d"]',
            '[["a.b", 0.91], {"verb": "c.d", "score": 0.5}]', array['role', 'full,name', null],
            0.25, true),
        -- a list that was stored as text inside JSON, and lists that are empty
        ('6F1C2B7E-0D0F-4F0E-9C57-1F0D5A6B7C8E', '2026-05-01T00:00:01Z', null, 'ready',
            to_jsonb('["a.b"]'::text), '[]', '{}', null, null),
        ('6F1C2B7E-0D0F-4F0E-9C57-1F0D5A6B7C8F', '2026-05-01T00:00:02Z', null, '',
            'null', null, null, null, false)
        """
    )
    ledger.collect()
    assert ledger.rows(
        "select event_id, session_id, semreg_denied_verbs, verb_candidates_pre, missing_args, "
        "entity_confidence, macro_semreg_checked, outcome from raw.intent_events order by ts"
    ) == [
        ("6f1c2b7e-0d0f-4f0e-9c57-1f0d5a6b7c8d", None, '["a.b","c.d"]',
         '[["a.b",0.91],["c.d",0.5]]', '["role","other","other"]', "0.25", "true", "ready"),
        ("6f1c2b7e-0d0f-4f0e-9c57-1f0d5a6b7c8e", None, '["a.b"]', "[]", "[]", None, None, "ready"),
        ("6f1c2b7e-0d0f-4f0e-9c57-1f0d5a6b7c8f", None, None, None, None, None, "false", None),
    ]  # fmt: skip


def _fill_telemetry(ledger: Ledger) -> None:
    ledger.make("agent_telemetry", TELEMETRY)
    ledger.server.sql(
        f"""
        insert into {ledger.sql("agent_telemetry")} select
            md5(n::text)::uuid, '2026-05-04T12:00:00Z'::timestamptz + n * interval '1.37 s',
            case when n % 5 = 0 then 'turn_summary' else 'llm_call' end,
            case when n % 3 > 0 then 'p' || n % 3 end, 't-' || n / 9,
            E'fix  the\\tthing ünïcode 🙂 "quoted" \\\\ ' || n, 'model-' || n % 4,
            case when n % 2 = 0 then '' else 'you are' end,
            case when n % 2 = 0 then '[]'::jsonb
                else jsonb_build_array(jsonb_build_object('role', 'user', 'content', 'é' || n)) end,
            nullif('answer ' || n, 'answer 7'), case when n % 4 = 0 then 'hm' end,
            case when n % 3 = 0 then '[{{"name": "write_file", "args": {{"path": "a.ts"}}}}]'::jsonb
                when n % 3 = 1 then to_jsonb('[{{"name": "read_file"}}]'::text) end,
            case when n % 5 = 0 then '[{{"name": "x", "ok": true}}]'::jsonb end,
            case when n % 5 = 0 then 'loop_detected:same_tool' end, n % 5, n % 4, 'action', 'vibe',
            n % 9000, n % 900, case when n % 2 = 0 then n end, n % 10000
        from generate_series(1, 2000) as n
        """
    )


def _as_log(ledger: Ledger, table: str, folder: Path) -> Ledger:
    """The same rows as a log, written by the server's own `row_to_json`."""
    folder.mkdir()
    text = subprocess.run(
        [str(ledger.server.programs / "psql"), "-X", "-q", "-At", ledger.server.dsn, "-c",
         f"set timezone = 'UTC'; select row_to_json(t)::text from {ledger.sql(table)} as t"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (folder / f"{table}.jsonl").write_text(text)
    other = Ledger(ledger.settings.home.with_name("log"), ledger.server, ledger.schema)
    # The same key: the same hashes.
    other.settings.key_path.write_bytes(ledger.settings.key_path.read_bytes())
    other.settings.key_path.chmod(0o600)
    registry.add_source(other.settings, "events", str(folder), "UTC")
    return other


def _contents(ledger: Ledger, table: str) -> list[tuple[Any, ...]]:
    return sorted(
        ledger.rows(f"select * exclude ({', '.join(LEFT_OUT)}) from raw.{table}"), key=repr
    )


def test_rows_land_as_the_lines_of_their_own_export_do(ledger: Ledger, tmp_path: Path) -> None:
    _fill_telemetry(ledger)
    ledger.add("agent_telemetry")
    ledger.collect()
    other = _as_log(ledger, "agent_telemetry", tmp_path / "logs")
    other.collect()
    found, wanted = _contents(ledger, "agent_telemetry"), _contents(other, "agent_telemetry")
    assert len(found) == 2000
    assert found == wanted


def test_a_column_that_came_is_counted_by_its_name_and_one_that_went_is_null(
    ledger: Ledger,
) -> None:
    ledger.make("intent_events", INTENTS)
    ledger.add("intent_events")
    table = ledger.sql("intent_events")
    insert = f"insert into {table} (ts, outcome) values (now(), 'ready')"
    ledger.server.sql(insert)
    ledger.collect()
    ledger.server.sql(
        f"alter table {table} add column mood text, drop column entrypoint, "
        f"alter column entity_confidence type text; {insert}; "
        f"update {table} set mood = 'do not read me'"
    )
    report = ledger.collect()
    assert not report.sources[0].problems
    assert ledger.rows("select field_name from raw.unknown_fields") == [("mood",)]
    assert ledger.values("select count(distinct event_id) from raw.intent_events") == [2]
    stored = b"".join(p.read_bytes() for p in ledger.settings.home.rglob("*") if p.is_file())
    assert b"do not read me" not in stored


def test_a_required_column_that_went_is_told_and_the_other_tables_are_read(ledger: Ledger) -> None:
    for table, columns in (("intent_events", INTENTS), ("workflow_executions", WORKFLOWS)):
        ledger.make(table, columns)
        ledger.add(table)
    ledger.server.sql(
        f"alter table {ledger.sql('intent_events')} drop column outcome; "
        f"insert into {ledger.sql('workflow_executions')} (workflow_id, workflow_name, started_at) "
        "values ('w', 'deploy', now())"
    )
    report = ledger.collect()
    [problem] = [p for source in report.sources for p in source.problems]
    assert problem.reason == "missing_columns"
    assert "has no column outcome" in problem.detail
    assert ledger.values("select count(*) from raw.workflow_executions") == [1]


def test_one_name_of_two_contracts_is_told_by_its_columns(ledger: Ledger) -> None:
    ledger.make(
        "usage_events",
        "id bigserial, codebase_id text, category text, suggestion text, accepted boolean, "
        "context jsonb, confidence double precision default 0.5, inserted_at timestamp(0)",
    )
    ledger.add("usage_events")
    ledger.server.sql(
        f"insert into {ledger.sql('usage_events')} (codebase_id, category, suggestion, accepted, "
        "context, inserted_at) values ('c', 'naming', 'call it x', true, '{\"a\": 1}', "
        "'2026-05-01 10:00:00')"
    )
    ledger.collect()
    assert ledger.rows("select event_id, ts, is_accepted from raw.suggestion_feedback") == [
        ("1", "2026-05-01T10:00:00", "true")
    ]


def test_json_that_no_parser_takes_costs_its_field_alone(ledger: Ledger) -> None:
    ledger.make("workflow_executions", WORKFLOWS.replace("skills_used jsonb", "skills_used json"))
    ledger.add("workflow_executions")
    odd = json.dumps(["plan"])[:-1] + ', "\\ud800", "\\u0000x"]'
    ledger.server.sql(
        f"insert into {ledger.sql('workflow_executions')} "
        "(workflow_id, workflow_name, started_at, skills_used) "
        f"values ('w', 'deploy', now(), '{odd}'), ('v', 'deploy', now(), '[\"plan\"]')"
    )
    report = ledger.collect()
    assert not report.sources[0].problems
    assert ledger.values("select count(*) from raw.workflow_executions") == [2]
