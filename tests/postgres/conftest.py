"""Fixtures of the tests with a live PostgreSQL server: `make test-postgres`.

Belongs here: fixtures alone. Does not belong here: the server (`server.py`).
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agentledger import postgres_sources, registry, warehouse
from agentledger.ingest import collect
from agentledger.ingest.reports import CollectionReport
from agentledger.settings import Settings
from tests.postgres.server import Server, binaries

INTENTS = """
    event_id uuid primary key default gen_random_uuid(), ts timestamptz not null default now(),
    session_id uuid, actor_id text, entrypoint text, utterance_hash text, outcome text not null,
    semreg_denied_verbs jsonb, verb_candidates_pre jsonb, missing_args text[],
    entity_confidence real, macro_semreg_checked boolean, prompt_version text
"""
WORKFLOWS = """
    workflow_id text primary key, project_id text, workflow_name text, started_at timestamptz,
    completed_at timestamptz, status text, skills_used jsonb, total_duration_ms numeric,
    metadata jsonb
"""


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests; each test has a schema of its own."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: `make test-postgres` installs it")
    found = Server(programs)
    yield found
    found.remove()


class Ledger:
    """A data home that collects from a server, without an orchestrator."""

    def __init__(self, folder: Path, server: Server, schema: str) -> None:
        self.settings = Settings(home=folder, host_zone="UTC")
        self.server = server
        self.schema = schema
        self.runs = 0
        self.as_of = datetime.now(UTC)
        warehouse.prepare_home(self.settings)

    def make(self, table: str, columns: str) -> None:
        """Make a table in the schema of the test."""
        self.server.sql(
            f'create schema if not exists "{self.schema}"; '
            f"create table {self.sql(table)} ({columns})"
        )

    def sql(self, table: str) -> str:
        return f'"{self.schema}".{table}'

    def add(self, table: str, **fields: Any) -> None:
        entry = postgres_sources.new_entry(
            self.server.dsn, self.sql(table), contract=fields.pop("contract", None)
        )
        registry.add_postgres_source(self.settings, entry, **fields)

    def collect(self) -> CollectionReport:
        self.runs += 1
        with warehouse.open_warehouse(self.settings) as connection:
            return collect.collect(
                self.settings,
                connection,
                run_id=f"run-{self.runs}",
                as_of=self.as_of + timedelta(minutes=self.runs),
            )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with warehouse.open_warehouse(self.settings) as connection:
            return self._fetch(connection, sql)

    def _fetch(self, connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    def call(
        self, *arguments: str, environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command as a user would."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "agentledger.cli.main", *arguments],
            env=kept
            | {"AGENTLEDGER_HOME": str(self.settings.home), "TZ": "UTC"}
            | (environment or {}),
            text=True,
            capture_output=True,
            check=False,
            timeout=400,
        )

    def values(self, sql: str) -> list[Any]:
        return [row[0] for row in self.rows(sql)]


@pytest.fixture
def ledger(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Ledger:
    # A name that needs quotes, short enough for an identifier.
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    return Ledger(tmp_path / "home", server, f"ob-{digest}")
