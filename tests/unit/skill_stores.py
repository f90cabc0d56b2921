"""SQLite stores of skill invocations as their two writers make them, for tests.

Belongs here: schemas, one row of each, how their files are left. Does not belong here: what lands.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

SCHEMA_A = """
create table skill_invocation (
    id integer primary key autoincrement, skill_name text not null, invoked_at text not null,
    session_id text, workflow_path text, completed integer not null, duration_seconds real,
    user_query text, alternatives_considered text, selection_rank integer,
    follow_up_actions text, error_type text, created_at text default current_timestamp,
    embedding blob, workflow_phase text, workflow_step_id text
)"""
SCHEMA_A_OLD = """
create table skill_invocation (
    id integer primary key autoincrement, skill_name text not null, invoked_at text not null,
    completed integer
)"""
SCHEMA_B = """
create table skill_invocations (
    id integer primary key, session_id text, skill_name text not null, user_query text,
    workflow_phase text, alternatives_considered text, selection_rank integer,
    completed boolean default 0, error_type text, follow_up_actions text,
    created_at text default current_timestamp, completed_at text
)"""


def make_store(path: Path, *schemas: str, wal: bool = False) -> sqlite3.Connection:
    """Make a store and give its connection, which commits each statement by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    if wal:
        connection.execute("pragma journal_mode = wal")
    for schema in schemas:
        connection.execute(schema)
    return connection


def add_a(connection: sqlite3.Connection, **overrides: Any) -> None:
    """One row of table A: the invocation that `make_invocation` builds for JSON."""
    _insert(
        connection,
        "skill_invocation",
        {
            "skill_name": "code-review",
            "invoked_at": "2026-08-01T10:00:00.000001",
            "session_id": "s-1",
            "workflow_path": "quick",
            "completed": 1,
            "duration_seconds": 1.5,
            "user_query": "please review the parser",
            "alternatives_considered": "[]",
            "selection_rank": 1,
            "follow_up_actions": "[]",
            "error_type": None,
        }
        | overrides,
    )


def add_b(connection: sqlite3.Connection, **overrides: Any) -> None:
    """One row of table B: a completed invocation of 90 s."""
    _insert(
        connection,
        "skill_invocations",
        {
            "skill_name": "code-review",
            "session_id": "s-1",
            "user_query": "please review the parser",
            "workflow_phase": "execution",
            "alternatives_considered": '["lint"]',
            "selection_rank": 1,
            "completed": 1,
            "error_type": None,
            "follow_up_actions": '["git commit"]',
            "created_at": "2026-08-01 10:00:00",
            "completed_at": "2026-08-01 10:01:30",
        }
        | overrides,
    )


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    connection.execute(
        f"insert into {table} ({', '.join(row)}) values ({marks})", list(row.values())
    )


def rest(path: Path) -> None:
    """Let the files look as if nobody had touched them for a while."""
    for name in path.parent.glob(path.name + "*"):
        os.utime(name, ns=(10**18, 10**18))


def assert_no_marker(home: Path, marker: bytes) -> None:
    """No file below the data home holds the marker."""
    for file in home.rglob("*"):
        if file.is_file():
            assert marker not in file.read_bytes(), file
