"""The yardstick: bare DuckDB statements that only read the same files into a table.

Belongs here: two forms of the statement and timing one of them in this process. Does not belong
here: anything that AgentLedger does with a record.

`best` names `records = true`; `plain` lets DuckDB guess. With a single column named, it guesses
from the content, which takes several times as long; both are reported.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

THREADS = 2
FORMS = ("best", "plain")

_SOURCES = {
    "design": (
        "skills",
        "MAP(VARCHAR, STRUCT(invoked_at VARCHAR, completed_at VARCHAR, duration_ms DOUBLE, "
        "success BOOLEAN, followup_actions INTEGER, session_id VARCHAR, metadata JSON)[])",
        "select skill_name, unnest(record, recursive := true) from ("
        "select entry.key as skill_name, unnest(entry.value) as record "
        "from (select unnest(map_entries(skills)) as entry from {source}))",
    ),
    "invocations": (
        "invocations",
        "STRUCT(skill_name VARCHAR, invoked_at VARCHAR, session_id VARCHAR, "
        "workflow_path VARCHAR, completed BOOLEAN, duration_seconds DOUBLE, user_query VARCHAR, "
        "alternatives_considered VARCHAR[], selection_rank INTEGER, follow_up_actions VARCHAR[], "
        "error_type VARCHAR)[]",
        "select unnest(invocations, recursive := true) from {source}",
    ),
}


def statement(variant: str, form: str, largest_bytes: int) -> str:
    """SQL of the yardstick: explicit columns, one row per record, a table of an on-disk database.

    Args:
        variant: `design` or `invocations`.
        form: `best` or `plain`.
        largest_bytes: Size of the largest file; the reader's buffers are a multiple of it.
    """
    member, column_type, query = _SOURCES[variant]
    # DuckDB's own default is 16 MiB; a smaller one gains nothing.
    room = max(16 * 1024 * 1024, largest_bytes + 1024)
    options = f", maximum_object_size = {room}" + (", records = true" if form == "best" else "")
    source = f"read_json(?, columns = {{'{member}': '{column_type}'}}{options})"
    return "create table records as " + query.format(source=source)


def time_statement(files: list[str], variant: str, form: str, database: Path) -> dict[str, float]:
    """Run the statement into a fresh database; seconds run from opening to the closed file."""
    largest = max(Path(file).stat().st_size for file in files)
    started = time.perf_counter()
    connection = duckdb.connect(str(database))
    connection.execute(f"set threads = {THREADS}")
    connection.execute(statement(variant, form, largest), [files])
    row = connection.execute("select count(*) from records").fetchone()
    connection.close()
    return {"seconds": time.perf_counter() - started, "records": row[0] if row else 0}


def main(arguments: Sequence[str] | None = None) -> None:
    """Child process of the benchmark: the list of files comes as JSON from a file."""
    parser = argparse.ArgumentParser(description="Time the bare statement.")
    parser.add_argument("variant", choices=_SOURCES)
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("files", type=Path, help="JSON list of paths")
    parser.add_argument("database", type=Path)
    options = parser.parse_args(arguments)
    files = json.loads(options.files.read_text())
    print(json.dumps(time_statement(files, options.variant, options.form, options.database)))


if __name__ == "__main__":
    main()
