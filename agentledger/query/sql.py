"""SQL of the user's own, on the snapshot alone.

Belongs here: which statements are let through, running them, streaming their rows. Does not belong
here: the questions that AgentLedger itself asks (`skills.py`, `projects.py`).

Two walls, each enough by itself: the connection is read-only, without file access and with its
configuration locked (`snapshot.py`), and only a single query is let through.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agentledger import reads
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.query.answers import Answer, describe
from agentledger.reads import recorded
from agentledger.settings import DUCKDB_MEMORY_LIMIT_READERS, Settings
from agentledger.snapshot import Build, open_snapshot

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import duckdb
    import pandas as pd

T = TypeVar("T")

QUERY_KINDS: Final = frozenset({"SELECT", "EXPLAIN", "MULTI"})
"""DuckDB's names of statements that only read: also `from`, `with`, `values`, `describe`, `show`,
`summarize`; MULTI is `pivot`."""

ROWS_PER_BATCH: Final = 5_000
"""Rows in Python's hands at a time while a result streams out; a few MB."""


class SqlFailedError(AgentLedgerError):
    """The engine could not answer the query; the message is its own."""


@dataclass(frozen=True, slots=True)
class SqlResult:
    """A running query whose rows are fetched as they are wanted."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    build: Build
    cursor: "duckdb.DuckDBPyConnection"
    worker: "Executor"

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """The rows, some thousands at a time.

        Raises:
            SqlFailedError: When the query fails part of the way.
        """
        import duckdb

        while True:
            try:
                rows = _interruptible(
                    self.worker, self.cursor, lambda: self.cursor.fetchmany(ROWS_PER_BATCH)
                )
            except (duckdb.Error, OverflowError, ValueError) as error:
                raise SqlFailedError(_failure_text(error)) from error
            if not rows:
                return
            yield rows


@contextlib.contextmanager
def open_sql(sql: str, *, settings: Settings | None = None) -> Iterator[SqlResult]:
    """Run one query on the current snapshot and hand out its rows as they come.

    Raises:
        UsageError: When the text is not exactly one query.
        SqlFailedError: When the engine refuses it or fails.
        NothingPublishedError: When no run has published yet.
    """
    from concurrent.futures import ThreadPoolExecutor

    import duckdb

    with (
        reads.asked("sql", settings),
        open_snapshot(settings) as snapshot,
        ThreadPoolExecutor(max_workers=1) as worker,
    ):
        connection = snapshot.connection
        check_single_query(connection, sql)
        try:
            cursor = _interruptible(worker, connection, lambda: connection.execute(sql))
            columns, types = describe(cursor)
        except duckdb.Error as error:
            raise SqlFailedError(_failure_text(error)) from error
        yield SqlResult(columns, types, snapshot.build, cursor, worker)


def answer_sql(sql: str, *, settings: Settings | None = None) -> Answer:
    """Run one query on the current snapshot; raises as `open_sql` does."""
    with open_sql(sql, settings=settings) as result:
        rows = [row for batch in result.batches() for row in batch]
        return Answer(result.columns, result.types, rows, result.build)


@recorded("sql")
def run_sql(sql: str, *, settings: Settings | None = None) -> "pd.DataFrame":
    """Run one query on the current snapshot; raises as `open_sql` does."""
    return answer_sql(sql, settings=settings).frame()


def check_single_query(connection: "duckdb.DuckDBPyConnection", sql: str) -> None:
    """Let through exactly one statement, and only one that reads.

    Raises:
        UsageError: When it is anything else, or no SQL at all.
    """
    import duckdb

    try:
        sql.encode("utf-8")
        kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    except duckdb.Error as error:
        raise UsageError(f"This is not SQL that DuckDB reads: {error}") from error
    except UnicodeEncodeError as error:
        raise UsageError("The SQL is not valid UTF-8.") from error
    except ValueError:
        # Kinds that the Python package has no name for yet, such as CONNECT.
        kinds = ["UNKNOWN"]
    if not kinds:
        raise UsageError("There is no SQL to run. Give one query, such as: from marts.top_skills")
    if len(kinds) > 1:
        raise UsageError(f"Give one query, found {len(kinds)} statements.")
    if kinds[0] not in QUERY_KINDS:
        raise UsageError(
            f"Only queries are allowed here, found a statement of kind {kinds[0]}. "
            "The snapshot is read-only; give a select."
        )


def _interruptible(
    worker: "Executor", connection: "duckdb.DuckDBPyConnection", call: Callable[[], T]
) -> T:
    """Wait for the engine in a thread: called directly it may not notice Ctrl-C for minutes."""
    future = worker.submit(call)
    try:
        return future.result()
    except KeyboardInterrupt:
        connection.interrupt()
        raise


def _failure_text(error: Exception) -> str:
    import duckdb

    if isinstance(error, duckdb.OutOfMemoryException):
        # The engine's own advice is to change settings, which are locked here.
        return (
            f"The query needs more than the {DUCKDB_MEMORY_LIMIT_READERS} of memory that a reader "
            "may take. Select fewer rows or columns, or aggregate first."
        )
    return f"The query failed: {error}"
