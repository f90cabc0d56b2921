"""Finished tasks of agents in the tables of two writers, and the traps of their defaults.

formats.md 4.2: a default of 0 is unknown, a default of true is no success, dollars are not cents,
times without a zone are UTC, and no column names the agent.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.postgres.conftest import Ledger
from tests.postgres.test_postgres_values import LEFT_OUT, _as_log

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

EXECUTIONS = """
    id uuid primary key, run_id text not null, task_type text not null, model text, provider text,
    cost_cents integer not null default 0, tokens_used integer not null default 0,
    prompt_tokens integer not null default 0, completion_tokens integer not null default 0,
    latency_ms integer not null default 0, success boolean not null default true,
    inserted_at timestamp not null, updated_at timestamp not null
"""
REQUESTS = """
    id bigserial primary key, request_id text not null unique, session_id text, user_id text,
    provider text not null, model_id text not null, model_version text, task_type text,
    complexity text, prompt_tokens integer, completion_tokens integer, total_tokens integer,
    duration_ms integer, time_to_first_token integer, tokens_per_second double precision,
    estimated_cost numeric(12, 6), cost_tier text, success boolean, error_type text,
    error_message text, had_tools boolean default false, had_vision boolean default false,
    had_reasoning boolean default false, was_auto_selected boolean, selection_reason text,
    alternative_models text[], started_at timestamptz, completed_at timestamptz,
    created_at timestamptz not null default now()
"""
PRIVATE = "the customer said so"


def fill(ledger: Ledger) -> None:
    """Both tables, each with a row per trap."""
    for table, columns in (("execution_metrics", EXECUTIONS), ("ai_usage_events", REQUESTS)):
        ledger.make(table, columns)
        ledger.add(table)
    ledger.server.sql(
        f"""
        insert into {ledger.sql("execution_metrics")}
            (id, run_id, task_type, model, provider, cost_cents, tokens_used, prompt_tokens,
            completion_tokens, latency_ms, success, inserted_at, updated_at)
        select md5(name)::uuid, 'run-1', 'code', 'model-a', provider, cost, tokens, tokens, 0,
            latency, success, '2026-10-23 17:55:00.123456', '2026-10-23 17:55:00.123456'
        from (values
            ('defaults', 'p', 0, 0, 0, true),
            ('defaults, failed', 'p', 0, 0, 0, false),
            ('cost unknown', 'p', 0, 1200, 850, true),
            ('free', 'Ollama', 0, 1200, 850, true),
            ('measured', 'p', 3, 1200, 0, false)
        ) as rows (name, provider, cost, tokens, latency, success);

        insert into {ledger.sql("ai_usage_events")}
            (request_id, session_id, user_id, provider, model_id, task_type, total_tokens,
            duration_ms, estimated_cost, success, error_type, error_message, selection_reason,
            alternative_models, completed_at, created_at)
        values
            ('dollars', 's-1', 'someone@example.org', 'p', 'm', 'chat', 900, 1500, 0.29, true, null,
                null, '{PRIVATE}', array['x', 'y'], '2026-10-23T19:55:00.25+02', '2026-10-23'),
            ('no cost', 's-1', null, 'p', 'm', 'chat', 900, 1500, null, null, null, null, null,
                null, '2026-10-23T18:00:00Z', '2026-10-23'),
            ('known free', 's-2', null, 'p', 'm', 'dance', 0, 0, 0, true, null, null, null, null,
                '2026-10-23T18:00:00Z', '2026-10-23'),
            ('failed', 's-2', null, 'p', 'm', 'code', 10, 2, 0.000001, false, 'RateLimitError',
                '{PRIVATE}', null, null, '2026-10-23T18:00:00Z', '2026-10-23'),
            ('running', 's-3', null, 'p', 'm', 'code', null, null, null, null, null, null, null,
                null, null, '2026-10-23T18:30:00Z');
        """
    )


def run(ledger: Ledger) -> None:
    process = ledger.call("run", environment={"AGENTLEDGER_AS_OF": "2026-10-24T00:00:00Z"})
    assert process.returncode == 0, process.stdout + process.stderr


def tasks(ledger: Ledger, variant: str) -> list[tuple[Any, ...]]:
    """Facts of one writer: outcome, cents, milliseconds, tokens, instant."""
    return ledger.rows(
        "select outcome, cost_cents, latency_ms, total_tokens, "
        "strftime(occurred_at, '%H:%M:%S.%f') from marts.fct_agent_tasks "
        f"where variant = '{variant}' order by all"
    )


def test_defaults_are_unknown_and_dollars_are_cents(ledger: Ledger) -> None:
    """Should make of each row what formats.md says.

    A request that ended is a further version of the same task.
    """
    fill(ledger)
    run(ledger)
    at = "17:55:00.123456"
    assert tasks(ledger, "execution_metrics") == [
        ("failure", 3.0, None, 1200, at),
        ("failure", None, None, None, at),
        ("success", 0.0, 850.0, 1200, at),
        ("success", None, 850.0, 1200, at),
        ("unknown", None, None, None, at),
    ]
    assert tasks(ledger, "ai_usage_events") == [
        ("failure", 0.0001, 2.0, 10, "18:00:00.000000"),
        ("success", 0.0, 0.0, 0, "18:00:00.000000"),
        ("success", 29.0, 1500.0, 900, "17:55:00.250000"),
        ("unknown", None, 1500.0, 900, "18:00:00.000000"),
        ("unknown", None, None, None, "18:30:00.000000"),
    ]
    # No column names an agent: the run stands for it, under a key, or nothing does.
    assert ledger.rows(
        "select variant, bool_and(is_agent_unknown), bool_and(contains(flags, 'agent_unknown')), "
        "count(distinct agent_id), min(agent_id) like 'run:%' and min(agent_id) not like '%run-1', "
        "bool_or(tz_assumed) from marts.fct_agent_tasks group by variant order by variant"
    ) == [
        ("ai_usage_events", True, True, 1, False, False),
        ("execution_metrics", True, True, 1, True, True),
    ]
    assert ledger.values(
        "select distinct task_type from marts.fct_agent_tasks where variant = 'ai_usage_events' "
        "and task_type not in ('chat', 'code')"
    ) == ["other"]
    assert ledger.values("select distinct error_class from marts.fct_agent_tasks where "
                         "error_class is not null") == ["RateLimitError"]  # fmt: skip
    ledger.server.sql(
        f"update {ledger.sql('ai_usage_events')} set success = true, total_tokens = 5, "
        "duration_ms = 7, estimated_cost = 0.01, completed_at = '2026-10-23T18:31:00Z' "
        "where request_id = 'running'"
    )
    run(ledger)
    assert ("success", 1.0, 7.0, 5, "18:31:00.000000") in tasks(ledger, "ai_usage_events")
    assert len(tasks(ledger, "ai_usage_events")) == 5


def contents(ledger: Ledger) -> list[tuple[Any, ...]]:
    """What landed, apart from where; 0.290000 and 0.29 are one cost.

    The reader of JSON drops the last zeros of a numeric, so the texts and their hash differ.
    """
    left_out = ", ".join((*LEFT_OUT, "content_hash", "cost_usd"))
    return sorted(
        ledger.rows(
            f"select * exclude ({left_out}), cast(cost_usd as double) as usd from raw.usage_events"
        ),
        key=repr,
    )


@pytest.mark.parametrize("table", ["execution_metrics", "ai_usage_events"])
def test_rows_of_tasks_land_as_the_lines_of_their_own_export_do(
    ledger: Ledger, tmp_path: Path, table: str
) -> None:
    """Should keep every figure as text, and no private text or address at all."""
    fill(ledger)
    ledger.collect()
    found = contents(ledger)
    assert len(found) == 10
    other = _as_log(ledger, table, tmp_path / "logs")
    other.collect()
    wanted = contents(other)
    assert len(wanted) == 5
    assert [row for row in found if row in wanted] == wanted
    stored = b"".join(p.read_bytes() for p in ledger.settings.home.rglob("*") if p.is_file())
    assert PRIVATE.encode() not in stored
    assert b"someone@example.org" not in stored
