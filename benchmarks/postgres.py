"""`python -m benchmarks.postgres`: a table of a live server into raw, beside ADBC alone.

Belongs here: the server, the generated table, both ways of copying it, the ratios. Does not belong
here: the copy (`agentledger/ingest/postgres*.py`). PostgreSQL must be installed.

ADBC alone fetches the same rows as Arrow batches and drops them: once `select *`, once the columns
that the contract reads, as the copy asks for them.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agentledger import postgres_sources, registry, warehouse
from agentledger.ingest import collect
from agentledger.ingest.postgres_session import open_session
from agentledger.ingest.postgres_tables import describe
from agentledger.settings import Settings
from tests.postgres.server import Server, binaries

GOAL = 1.3

TABLES = {
    "agent_telemetry": """
create table agent_telemetry (
    id uuid primary key, created_at timestamptz not null default now(), record_type text not null,
    project_id varchar(255), session_id text, user_message text, model_used varchar(255) not null,
    system_prompt text not null, chat_history jsonb not null, response_text text,
    response_thoughts text, tool_calls jsonb, tool_results jsonb, stop_reason text, rounds int,
    tool_call_count int, turn_intent text, chat_mode text, prompt_tokens int,
    completion_tokens int, total_tokens int, duration_ms int not null);
insert into agent_telemetry select
    md5(n::text)::uuid, '2026-01-01T00:00:00Z'::timestamptz + n * interval '1.37 s',
    case when n % 5 = 0 then 'turn_summary' else 'llm_call' end, 'p' || n % 7, 't-' || n / 9,
    'Please mend the test number ' || n, 'model-' || n % 4, 'You are a careful engineer.',
    jsonb_build_array(jsonb_build_object('role', 'user', 'content', 'mend ' || n)),
    'The test ' || n || ' passes now.', null,
    case when n % 3 = 0 then '[{"name": "write_file", "args": {"path": "a.ts"}}]'::jsonb end, null,
    case when n % 5 = 0 then 'completed' end, n % 5, n % 4, 'action', 'vibe', n % 9000, n % 900,
    n % 9000 + n % 900, n % 10000
from generate_series(1, :rows) as n;
create index on agent_telemetry (created_at);
vacuum analyze agent_telemetry;
""",
    "usage_events": """
create table usage_events (
    event_id text primary key, agent_id text not null, occurred_at timestamptz not null,
    task_type text, success boolean, cost_cents numeric, latency_ms int, patterns jsonb,
    provider text, model text, prompt_tokens int, completion_tokens int, total_tokens int,
    session_id text, error_type text);
insert into usage_events select
    'ue-' || n, 'agent-' || n % 40, '2026-01-01T00:00:00Z'::timestamptz + n * interval '1.37 s',
    'code', n % 9 > 0, n % 100 / 8.0, n % 30000, '{"supervision": 5, "nats": 3}'::jsonb, 'p',
    'model-' || n % 4, n % 9000, n % 900, n % 9000 + n % 900, 't-' || n / 9, null
from generate_series(1, :rows) as n;
create index on usage_events (occurred_at);
vacuum analyze usage_events;
""",
}


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one round."""

    everything: float
    columns: float
    copied: float
    columns_cpu: float
    """Processor seconds of this process; those of the server are not in them."""
    copied_cpu: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 where no server can be had."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--table", choices=(*TABLES, "both"), default="both")
    asked = parser.parse_args(arguments)
    programs = binaries()
    if programs is None:
        print("PostgreSQL is not installed: `make postgresql` installs it", file=sys.stderr)
        return 1
    server = Server(programs)
    try:
        for table in TABLES if asked.table == "both" else (asked.table,):
            server.sql(TABLES[table].replace(":rows", str(asked.rows)))
            rounds = [_round(server, table, asked.rows) for _ in range(asked.rounds)]
            _print(table, asked.rows, rounds)
    finally:
        server.remove()
    return 0


def _round(server: Server, table: str, rows: int) -> Round:
    with open_session(server.dsn, 600) as session:
        columns = describe(session, table, None).select_list()
    everything = _fetched(server, f"select * from {table}", rows)
    before = time.process_time()
    narrow = _fetched(server, f"select {columns} from {table} as t", rows)
    narrow_cpu = time.process_time() - before
    before = time.process_time()
    copied = _copied(server, table, rows)
    return Round(everything, narrow, copied, narrow_cpu, time.process_time() - before)


def _fetched(server: Server, sql: str, rows: int) -> float:
    started = time.monotonic()
    with open_session(server.dsn, 600) as session, session.stream(sql) as batches:
        found = sum(batch.num_rows for batch in batches)
    if found != rows:
        raise SystemExit(f"broken: {found} of {rows} rows fetched")
    return time.monotonic() - started


def _copied(server: Server, table: str, rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home", host_zone="UTC")
        warehouse.prepare_home(settings)
        entry = postgres_sources.new_entry(server.dsn, table)
        registry.add_postgres_source(settings, entry)
        started = time.monotonic()
        with warehouse.open_warehouse(settings) as connection:
            report = collect.collect(settings, connection, run_id="r", as_of=datetime.now(UTC))
        seconds = time.monotonic() - started
        if report.totals()["accepted"] != rows:
            raise SystemExit(f"broken: {report.as_dict()}")
    return seconds


def _print(table: str, rows: int, rounds: Sequence[Round]) -> None:
    print(f"\n{table}, {rows:,} rows, rounds: {len(rounds)} (median)")
    middle = statistics.median
    print(f"  ADBC alone, select *            {middle(r.everything for r in rounds):7.2f} s")
    print(f"  ADBC alone, same columns        {middle(r.columns for r in rounds):7.2f} s")
    print(f"  copy into raw, all guarantees   {middle(r.copied for r in rounds):7.2f} s")
    print(
        f"  processor seconds of our own    {middle(r.copied_cpu for r in rounds):7.2f} s, "
        f"ADBC alone {middle(r.columns_cpu for r in rounds):.2f} s"
    )
    print(
        f"  ratio: {middle(r.copied / r.everything for r in rounds):.2f} x select *, "
        f"{middle(r.copied / r.columns for r in rounds):.2f} x same columns (goal <= {GOAL})",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
