"""The temporary tables that the records of a batch go to, one per format.

Belongs here: the statements that fill them, and which lines they take the fast way. Does not belong
here: reading files (`event_stage.py`), the SQL of a row (`event_projection.py`), writing to raw
(`event_rows.py`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from agentledger import privacy, vault_texts, warehouse
from agentledger.ingest import event_lines, event_rows
from agentledger.ingest.event_format import EventFormat
from agentledger.ingest.event_lines import Chunk
from agentledger.ingest.event_projection import projection_sql
from agentledger.ingest.staged_file import StagedFile


class StagingTables:
    """The tables `staged_<format>` of one batch, and `batch_files`, what is known of its files."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, key: bytes, formats: Iterable[str]
    ) -> None:
        self.connection = connection
        self.staged_formats: set[str] = set()
        """Names of the formats of which there is a table."""
        self._keeps_texts = False
        privacy.set_hmac_pads(connection, key)
        for name in formats:
            connection.execute(f"drop table if exists staged_{name}")
        connection.execute(
            "create or replace temp table batch_files "
            "(file_id bigint, source_id varchar, project_id varchar, names_projects boolean, "
            "keeps_texts boolean)"
        )

    def begin(self, files: Sequence[StagedFile]) -> None:
        """Note the files of the batch, before any record of them comes."""
        warehouse.write_rows(
            self.connection,
            "insert into batch_files select * from given_rows",
            ("file_id", "source_id", "project_id", "names_projects", "keeps_texts"),
            [
                [
                    file.file_id, file.load.file.root.source_id, file.load.file.root.project_id,
                    file.load.file.root.names_projects, file.load.file.root.keeps_texts,
                ]
                for file in files
            ],
        )  # fmt: skip
        self._keeps_texts = any(file.load.file.root.keeps_texts for file in files)

    def append_lines(
        self,
        event_format: EventFormat,
        lines: Any,
        chunks: Sequence[Chunk],
        usual: Sequence[str],
    ) -> None:
        """Stage lines as they are.

        Args:
            event_format: What they are.
            lines: An Arrow table of them.
            chunks: The bytes they come from.
            usual: Names that all of them seem to have; none where their files differ.
        """
        if not self._append_uniform(event_format, lines, chunks, usual):
            self._append(event_format, lines, usual)

    def _append_uniform(
        self,
        event_format: EventFormat,
        lines: Any,
        chunks: Sequence[Chunk],
        usual: Sequence[str],
    ) -> bool:
        """Stage lines that all have the same names, without a look at each; whether that was done.

        False, with nothing staged, also when one of them is not what the numbers say: then each has
        to be looked at.
        """
        if not usual or not all(event_lines.has_only(chunk.data, len(usual)) for chunk in chunks):
            return False
        try:
            self._append(event_format, lines, usual, is_uniform=True)
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            return False
        return True

    def append_clean(self, event_format: EventFormat, rows: list[tuple[Any, ...]]) -> None:
        """Stage records that were read one by one: file, line, offset, ordinal, text, flags."""
        import pyarrow as pa

        columns = list(zip(*rows, strict=True))
        kinds = (pa.int64(), pa.int64(), pa.int64(), pa.int32(), pa.string(), pa.string())
        names = ("file_id", "line_no", "byte_offset", "ordinal", "record", "flags")
        # An Arrow table in memory: private text of the source never touches the disk.
        table = pa.table(
            {
                name: pa.array(values, kind)
                for name, kind, values in zip(names, kinds, columns, strict=True)
            }
        )
        self._append(event_format, table, (), is_clean=True)

    def take_back_strange(self, event_format: EventFormat) -> list[tuple[int, int, int]]:
        """Remove the lines that are no plain records; returns file, line and offset of each."""
        table = f"staged_{event_format.name}"
        # Thousands of lines have the same names: each list of names is looked at once.
        shapes = self.connection.execute(
            f"select distinct member_names from {table} where member_names is not null"
        ).fetchall()
        repeating = [shape for (shape,) in shapes if event_rows.repeats_a_name(shape)]
        return self.connection.execute(
            f"delete from {table} where not is_plain or list_contains(?::varchar[], member_names) "
            "returning file_id, line_no, byte_offset",
            [repeating],
        ).fetchall()

    def _append(
        self,
        event_format: EventFormat,
        texts: Any,
        usual: Sequence[str],
        *,
        is_clean: bool = False,
        is_uniform: bool = False,
    ) -> None:
        self.connection.register("event_texts", texts)
        # Shorter than `{}` and its line end: an empty line. Other blanks come back as strange.
        records = (
            "event_texts"
            if is_clean
            else "(select *, 0 as ordinal, null::varchar as flags from event_texts "
            "where strlen(record) > 2)"
        )
        keeps_texts = self._keeps_texts and bool(event_format.texts)
        sql = projection_sql(
            event_format, records, usual,
            is_clean=is_clean, is_uniform=is_uniform, keeps_texts=keeps_texts,
        )  # fmt: skip
        table = f"staged_{event_format.name}"
        try:
            if keeps_texts:
                sql = vault_texts.keep_texts(self.connection, event_format.table, sql)
            if event_format.name in self.staged_formats:
                self.connection.execute(f"insert into {table} by name {sql}").fetchall()
            else:
                self.connection.execute(f"create temp table {table} as {sql}").fetchall()
                self.staged_formats.add(event_format.name)
        finally:
            self.connection.unregister("event_texts")
            self.connection.execute("drop table if exists projected")
