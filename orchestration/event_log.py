"""Dagster's event log for headless runs, on one connection.

Belongs here: how the database is connected to. Does not belong here: what is written, which is all
Dagster's, into Dagster's tables; the UI reads them with Dagster's own class.

Dagster makes an engine, a connection and a compiled statement anew for every access, thousands in
a run, and whenever the last connection closes SQLite copies its write-ahead log and removes it:
two thirds of what an event costs. It also asks each time which tables and columns there are, as an
upgrade may have left an older form; within a run that does not change. There is no public way to
change either but a class of one's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

# The class that dagster.yaml names, too.
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage  # noqa: TID251
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 30
"""How long to wait while the UI writes."""


class KeptConnectionEventLog(ConsolidatedSqliteEventLogStorage):
    """`ConsolidatedSqliteEventLogStorage` that keeps its connection until it is disposed of."""

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(
            f"sqlite:///{self.get_db_path()}", connect_args={"timeout": BUSY_SECONDS}
        )

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the database has a table; Dagster asks with each check that it writes."""
        if table_name not in self._found:
            with self._connect() as connection:
                if inspect(connection).has_table(table_name):
                    self._found.add(table_name)
        return table_name in self._found

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        # Asked with each materialization.
        found = f"asset_keys.{column_name}"
        if found not in self._found and super()._has_asset_key_col_on_connection(conn, column_name):
            self._found.add(found)
        return found in self._found

    @cached_property
    def _found(self) -> set[str]:
        """Tables and columns that are there: while a run goes on none is dropped."""
        return set()

    def dispose(self) -> None:
        """Close the connection."""
        self._engine.dispose()
        super().dispose()
