"""One read-only session with a PostgreSQL server.

Belongs here: connecting, what every session sets, small questions, errors in words. Does not belong
here: which rows are asked for (`postgres_pages.py`), what becomes of them (`postgres_load.py`).

The session is read only by its own setting and by its transaction; it sees one moment of the
server (repeatable read); a statement that takes too long is ended by the server.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from agentledger import postgres_dsn

BATCH_BYTES = 4 * 1024 * 1024
"""Bytes of one Arrow batch: DuckDB's threads take whole batches, so they must not be few."""

LOCK_WAIT = "10s"
"""A table that is being rebuilt is read by the next run."""

_SETTINGS = {
    "default_transaction_read_only": "on",
    "lock_timeout": LOCK_WAIT,
    # What values look like as text must not depend on the server's configuration.
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
}


class PostgresError(Exception):
    """Nothing more can be read of a table: `reason` for the report, the text for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Session:
    """An open session; use `open_session`."""

    def __init__(self, connection: Any, dsn: str) -> None:
        self._connection = connection
        self._dsn = dsn

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask a question with a small answer.

        Raises:
            PostgresError: When the server refuses or is gone.
        """
        with self.speaking(), self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    @contextlib.contextmanager
    def stream(self, sql: str) -> Iterator[Any]:
        """Copy rows as a `pyarrow.RecordBatchReader`.

        Raises:
            PostgresError: When the server refuses or is gone, now or while batches are read.
        """
        with self._connection.cursor() as cursor:
            with self.speaking():
                cursor.adbc_statement.set_options(
                    **{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
                )
                cursor.execute(sql)
                reader = cursor.fetch_record_batch()
            yield reader

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """Turn the driver's errors into words without secrets."""
        import adbc_driver_manager

        try:
            yield
        except (adbc_driver_manager.Error, OSError) as error:
            raise self.problem(error) from None

    def problem(self, error: BaseException) -> PostgresError:
        """Say what an error of the driver means for a person."""
        return _problem(error, self._dsn)


@contextlib.contextmanager
def open_session(dsn: str, statement_timeout_s: int) -> Iterator[Session]:
    """Connect, and begin one read-only transaction that sees one moment of the server.

    Args:
        dsn: Connection string, secrets included.
        statement_timeout_s: Seconds after which the server ends a statement.

    Raises:
        PostgresError: When there is no connection, with the reason.
    """
    import adbc_driver_manager
    import adbc_driver_postgresql.dbapi

    try:
        connection = adbc_driver_postgresql.dbapi.connect(
            postgres_dsn.for_use(dsn), autocommit=True
        )
    except (adbc_driver_manager.Error, OSError) as error:
        raise _problem(error, dsn) from None
    try:
        session = Session(connection, dsn)
        settings = _SETTINGS | {"statement_timeout": f"{statement_timeout_s}s"}
        session.rows(
            "select "
            + ", ".join(
                f"set_config('{name}', '{value}', false)" for name, value in settings.items()
            )
        )
        with session.speaking(), connection.cursor() as cursor:
            cursor.execute("begin isolation level repeatable read, read only")
        yield session
    finally:
        with contextlib.suppress(Exception):  # the session ends with its connection anyway
            connection.close()


def _problem(error: BaseException, dsn: str) -> PostgresError:
    said = postgres_dsn.without_secrets(_said(str(error)), dsn)
    state = getattr(error, "sqlstate", None) or ""
    if state == "57014" or "statement timeout" in said:
        return PostgresError(
            "timeout",
            "the server ended a statement that took too long; raise `statement_timeout_seconds` of "
            "the source in config.toml, or give the table an index on its time",
        )
    if state.startswith("22"):  # its words quote the value of a row
        return PostgresError("refused", f"the server could not show a value (SQLSTATE {state})")
    is_login = any(word in said for word in ("password", "authentication", "does not exist"))
    if state.startswith("28") or (not state and is_login):
        return PostgresError("refused", f"the server refused the login: {said}")
    if state == "42501":
        return PostgresError("refused", f"its user may not read it: {said}")
    if state[:2] not in ("", "00", "08", "57", "53"):
        return PostgresError("refused", f"the server refused: {said} (SQLSTATE {state})")
    return PostgresError("unreachable", f"no connection, or it was lost: {said}")


def _said(text: str) -> str:
    """What the server or libpq said, in one line, without the statement that the driver adds."""
    line = " ".join(text.split())
    for mark in ("ERROR: ", "FATAL: ", "Failed to connect: "):
        _, found, rest = line.partition(mark)
        line = rest if found else line
    for mark in (" Query was:", " SQLSTATE:"):
        line = line.partition(mark)[0]
    return line.strip(" .")[:300] or "no reason given"


def literal(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
