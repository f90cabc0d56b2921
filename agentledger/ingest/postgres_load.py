"""Bring one page of a table on a server into raw, with the position that it reaches.

Belongs here: the stream of Arrow batches into the shared projection, and the one transaction of a
page. Does not belong here: which rows (`postgres_pages.py`), the projection
(`event_projection.py`), what a problem means for the run (`postgres.py`).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from agentledger import privacy, vault_texts, warehouse
from agentledger.ingest import event_rows, file_ledger, plan, postgres_state
from agentledger.ingest.event_projection import columns_projection_sql
from agentledger.ingest.load import LoadedFile, RunFacts
from agentledger.ingest.postgres_pages import Page
from agentledger.ingest.postgres_session import PostgresError, Session
from agentledger.ingest.postgres_tables import RemoteTable
from agentledger.ingest.staged_file import StagedFile

VARIANT = "table"


@dataclass(slots=True)
class Copy:
    """A table on its way into raw."""

    connection: duckdb.DuckDBPyConnection
    session: Session
    table: RemoteTable
    facts: RunFacts
    key: bytes
    staged: StagedFile
    rows_before: int
    """Rows of it that were read by earlier pages and runs."""

    @property
    def staging_table(self) -> str:
        """Temporary table of one page."""
        return f"staged_{self.table.format.name}"

    def prepare(self) -> None:
        """Give the connection what the projection reads."""
        root = self.staged.load.file.root
        privacy.set_hmac_pads(self.connection, self.key)
        self.connection.execute(
            "create or replace temp table batch_files as select ?::bigint as file_id, "
            "?::varchar as source_id, ?::varchar as project_id, ?::boolean as names_projects, "
            "?::boolean as keeps_texts",
            [
                self.staged.file_id,
                root.source_id,
                root.project_id,
                root.names_projects,
                root.keeps_texts,
            ],
        )

    def load(self, page: Page) -> bool:
        """Read a page and commit it whole, with its position; False when it held no rows.

        Raises:
            PostgresError: When the server did not give the page; nothing of it is kept.
        """
        started = time.monotonic()
        try:
            read = self._stage(page)
            if read:
                self._commit(page, read, started)
                return True
        finally:
            self.connection.execute(f"drop table if exists {self.staging_table}")
        with warehouse.transaction(self.connection):
            self._write_state(page, plan.latest_load_seq(self.connection))
        return False

    def _stage(self, page: Page) -> int:
        rows = (
            f"(select {self.staged.file_id}::bigint as file_id, line_no, 0::bigint as byte_offset, "
            f"0 as ordinal, null::varchar as flags, {self.table.record_sql()} as x "
            "from postgres_page)"
        )
        event_format = self.table.format
        keeps_texts = self.staged.load.file.root.keeps_texts and bool(event_format.texts)
        sql = columns_projection_sql(event_format, rows, keeps_texts=keeps_texts)
        asked = (
            f"select {self.table.select_list()} from {self.table.sql} as t where {page.condition}"
        )
        with self.session.stream(asked) as reader:
            numbered = _NumberedRows(reader, self.rows_before, self.session)
            self.connection.register("postgres_page", numbered.reader())
            try:
                if keeps_texts:
                    sql = vault_texts.keep_texts(self.connection, event_format.table, sql)
                self.connection.execute(
                    f"create or replace temp table {self.staging_table} as {sql}"
                ).fetchall()
            except duckdb.Error as error:
                raise numbered.problem or error from None
            finally:
                self.connection.unregister("postgres_page")
                self.connection.execute("drop table if exists projected")
        return numbered.rows

    def _commit(self, page: Page, read: int, started: float) -> None:
        formats = {self.table.format.name: self.table.format}
        self.staged.unknown.clear()
        event_rows.note_unknown_names(self.connection, formats, [self.staged])
        with warehouse.transaction(self.connection):
            load_seq = plan.latest_load_seq(self.connection) + 1
            accepted = event_rows.insert(
                self.connection, formats, [self.staged], self.facts, load_seq
            )[self.staged.file_id]
            for column in self.table.unknown if accepted else ():
                self.staged.unknown[column[:200]] += accepted
            loaded = LoadedFile(
                self.staged, read, accepted, 0, read - accepted, time.monotonic() - started
            )
            self.staged.line_count = self.rows_before + read
            self.staged.is_resumed = True  # the counts of pages add up
            file_ledger.write(self.connection, [loaded], self.facts, load_seq)
            self.staged.is_resumed = False
            self._write_state(page, load_seq)
        self.rows_before += read

    def _write_state(self, page: Page, load_seq: int) -> None:
        root = self.staged.load.file.root
        postgres_state.write_state(
            self.connection, root.source_id, root.project_id, page.after, self.facts.ingested_at,
            load_seq,
        )  # fmt: skip


class _NumberedRows:
    """The batches of a page with a number for each row, and the first error in them."""

    def __init__(self, batches: Any, rows_before: int, session: Session) -> None:
        self._batches = batches
        self._before = rows_before
        self._session = session
        self.rows = 0
        self.problem: PostgresError | None = None

    def reader(self) -> Any:
        """What DuckDB pulls from."""
        import pyarrow as pa

        schema = self._batches.schema.append(pa.field("line_no", pa.int64()))
        return pa.RecordBatchReader.from_batches(schema, self._numbered(schema))

    def _numbered(self, schema: Any) -> Iterator[Any]:
        import numpy as np
        import pyarrow as pa

        try:
            for batch in self._batches:
                first = self._before + self.rows + 1
                numbers = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
                self.rows += batch.num_rows
                yield pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=schema)
        except Exception as error:
            # Whatever the driver raises comes out of DuckDB as an error of DuckDB's: remembered
            # here, so that a person reads what the server said.
            self.problem = self._session.problem(error)
            raise
