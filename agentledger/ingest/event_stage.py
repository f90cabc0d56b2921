"""Bring the events of a batch of files into temporary tables, one per format.

Belongs here: where to go on in a file that grew, lines by the chunk through DuckDB, strange lines
and whole documents through the tolerant path. Does not belong here: the SQL of a row
(`event_projection.py`), writing to raw (`event_rows.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import msgspec

from agentledger import privacy, vault_texts
from agentledger.ingest import event_file, event_lines, rejects
from agentledger.ingest.documents import DocumentError, decode
from agentledger.ingest.event_formats import FORMATS, EventFormat, recognise
from agentledger.ingest.event_lines import Chunk, TooLong
from agentledger.ingest.event_projection import projection_sql, usual_names
from agentledger.ingest.event_records import (
    EventText,
    RefusedPart,
    read_parquet,
    read_table,
    read_text,
)
from agentledger.ingest.staged_file import StagedFile, refuse

_ANY_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])

FIRST_BYTES = 1024 * 1024
"""How much of a file is looked at to tell its format."""

LOOKED_AT_LINES = 20
"""Lines among which one must tell a format whose first lines may be anything."""

PARQUET_MARK = b"PAR1"

_BLANKS = b" \t\r\0\xef\xbb\xbf"


class EventStage:
    """One batch of event logs on its way into raw."""

    unrecognised = "this is no log of events that we know"
    """What is said of a file in which nothing was found."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        key: bytes,
        formats: Mapping[str, EventFormat] = FORMATS,
    ) -> None:
        self.connection = connection
        self.key = key
        self.formats = formats
        self.staged_formats: set[str] = set()
        self._waiting: dict[str, list[tuple[StagedFile, Chunk]]] = {}
        self._usual: dict[int, tuple[str, ...]] = {}
        self._keeps_texts = False
        privacy.set_hmac_pads(connection, key)
        for name in formats:
            connection.execute(f"drop table if exists staged_{name}")
        connection.execute(
            "create or replace temp table batch_files "
            "(file_id bigint, source_id varchar, project_id varchar, names_projects boolean, "
            "keeps_texts boolean)"
        )

    def read(self, files: Sequence[StagedFile]) -> None:
        """Stage every file of the batch."""
        self.connection.executemany(
            "insert into batch_files values (?, ?, ?, ?, ?)",
            [
                [
                    file.file_id, file.load.file.root.source_id, file.load.file.root.project_id,
                    file.load.file.root.names_projects, file.load.file.root.keeps_texts,
                ]
                for file in files
            ],
        )  # fmt: skip
        self._keeps_texts = any(file.load.file.root.keeps_texts for file in files)
        for file in files:
            try:
                self._read_file(file)
            except OSError as error:
                refuse(file, error)
            except DocumentError as error:
                file.state, file.message = error.reason, error.detail
        for name in list(self._waiting):
            self._flush(self.formats[name])

    def _read_file(self, file: StagedFile) -> None:
        opened = event_file.open_log(file.load)
        file.is_resumed = opened.is_resumed
        head = opened.head[:FIRST_BYTES]
        if not opened.is_resumed and not head.strip(b" \t\r\n\0\xef\xbb\xbf"):
            file.state = "empty"
            self._settle(file, opened.progress)
            return
        first = self._first_names(head)
        found = (
            self.formats.get(file.load.format or "")
            if opened.is_resumed
            else recognise(first or (), self.formats)
        )
        if found is None:
            if first is None and _is_begun(head, file):
                file.state, file.message = "pending", "its first line is not finished yet"
            else:
                self._read_document(file)
            return
        file.format = found.name
        file.variant = "lines"
        self._usual[file.file_id] = usual_names(found, first or ())
        for item in event_lines.read_chunks(
            file.load.file.path,
            file.file_id,
            opened.progress,
            until=file.load.file.size_bytes,
            take_unfinished=file.load.is_idle,
        ):
            self._take(file, found, item)
        self._settle(file, opened.progress)

    def _settle(self, file: StagedFile, progress: event_lines.Progress) -> None:
        file.byte_offset, file.line_count = progress.byte_offset, progress.line_count
        if file.state == "loaded" and progress.is_pending:
            file.state, file.message = "pending", "its last line is not finished yet"
        file.fingerprint = event_file.prefix_fingerprint(file.load.file.path, progress.byte_offset)

    def _take(self, file: StagedFile, found: EventFormat, item: Chunk | TooLong) -> None:
        if isinstance(item, TooLong):
            file.rejected.append(
                {
                    "line_no": item.line_no, "byte_offset": item.byte_offset, "reason": "too_long",
                    "detail": "the line is longer than can be read",
                    "length_bytes": item.length_bytes,
                }
            )  # fmt: skip
            return
        waiting = self._waiting.setdefault(found.name, [])
        waiting.append((file, item))
        if sum(len(chunk.data) for _, chunk in waiting) >= event_lines.STATEMENT_BYTES:
            self._flush(found)

    def _flush(self, event_format: EventFormat) -> None:
        """Stage the lines that wait, then have a second look at the strange ones."""
        waiting = self._waiting.pop(event_format.name, [])
        if not waiting:
            return
        files = {file.file_id: file for file, _ in waiting}
        lines, broken = event_lines.as_table([chunk for _, chunk in waiting])
        self._append_lines(event_format, lines, [chunk for _, chunk in waiting])
        strange = self._take_back_strange(event_format)
        by_place = {(chunk.file_id, chunk.first_offset): chunk for _, chunk in waiting}
        found: list[tuple[StagedFile, Chunk, int, int]] = [
            (files[chunk.file_id], chunk, line_no, start) for chunk, line_no, start, _ in broken
        ]
        seen = {(file.file_id, chunk.first_offset + start) for file, chunk, _, start in found}
        offsets = sorted(by_place)
        for file_id, line_no, byte_offset in strange:
            if (file_id, byte_offset) not in seen:
                place = max(place for place in offsets if place <= (file_id, byte_offset))
                chunk = by_place[place]
                found.append((files[file_id], chunk, line_no, byte_offset - chunk.first_offset))
        self._read_strange(event_format, found)

    def _take_back_strange(self, event_format: EventFormat) -> list[tuple[int, int, int]]:
        table = f"staged_{event_format.name}"
        return self.connection.execute(
            f"delete from {table} where not is_plain returning file_id, line_no, byte_offset"
        ).fetchall()

    def _read_strange(
        self, event_format: EventFormat, lines: Iterable[tuple[StagedFile, Chunk, int, int]]
    ) -> None:
        rows = []
        for file, chunk, line_no, start in lines:
            end = chunk.data.find(b"\n", start)
            raw = chunk.data[start : end if end >= 0 else len(chunk.data)]
            offset = chunk.first_offset + start
            decoded = decode(raw)
            text = read_text(decoded.text, event_format, decoded.flags, self.formats)
            if end < 0 and text.refused and not text.records:
                text.refused[0] = _as_truncated(text.refused[0])
            rows += [
                (file.file_id, line_no, offset, number, record.json_text, record.flags)
                for number, record in enumerate(text.records)
            ]
            file.rejected += _located(decoded.text, text.refused, self.key, line_no, offset)
        if rows:
            self._append_clean(event_format, rows)

    def _read_document(self, file: StagedFile) -> None:
        """Read a file that is not a log of lines: one document, a list, a table as CSV."""
        data = event_file.read_whole(file)
        if data[:4] == PARQUET_MARK:
            self._read_parquet(file, data)
            return
        decoded = decode(data)
        text = decoded.text
        if not text.strip(" \t\r\n\0\ufeff"):
            file.state = "empty"
            return
        is_json = text.lstrip(" \t\r\n\0\ufeff")[:1] in ("{", "[")
        read = self._read_values if is_json else self._read_table
        found = read(text, decoded.flags)
        file.variant = "document" if is_json else "csv"
        if not found.records:
            is_nothing = text.strip(" \t\r\n\0\ufeff") in ("{}", "[]")
            file.state = "empty" if is_nothing else "unrecognised_format"
            file.message = None if is_nothing else self._why_unrecognised(text)
            return
        file.format = found.records[0].format.name
        file.rejected = rejects.locate(text, found.refused, self.key)
        self._append_document(file, text, found)

    def _append_document(self, file: StagedFile, text: str, found: EventText) -> None:
        line_no, offset, position, ordinal = 1, 0, 0, 0
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for record in found.records:
            between = text[position : record.start]
            ends = between.count("\n")
            ordinal = 0 if ends or position == 0 and not rows else ordinal + 1
            line_no += ends
            offset += len(between.encode("utf-8", "replace"))
            position = max(position, record.start)
            rows.setdefault(record.format.name, []).append(
                (file.file_id, line_no, offset, ordinal, record.json_text, record.flags)
            )
        for name, members in rows.items():
            self._append_clean(self.formats[name], members)

    def _why_unrecognised(self, text: str) -> str:
        """What to tell the owner of a document in which nothing is known."""
        return self.unrecognised

    def _read_values(self, text: str, flags: tuple[str, ...]) -> EventText:
        return read_text(text, None, flags, self.formats)

    def _read_table(self, text: str, flags: tuple[str, ...]) -> EventText:
        return read_table(text, flags, self.formats)

    def _read_parquet(self, file: StagedFile, data: bytes) -> None:
        keeps_texts = file.load.file.root.keeps_texts
        found = read_parquet(data, (), self.formats, keeps_texts=keeps_texts)
        file.variant = "parquet"
        if not found.records:
            file.state, file.message = "unrecognised_format", "this is no table that we know"
            return
        file.format = found.records[0].format.name
        # A table has rows instead of lines.
        rows = [
            (file.file_id, number, 0, 0, record.json_text, record.flags)
            for number, record in enumerate(found.records, start=1)
        ]
        self._append_clean(self.formats[file.format], rows)

    def _first_names(self, head: bytes) -> list[str] | None:
        """Names of the members of the first line, or None when it is not one JSON object.

        Of a format that takes any object, the first line that tells it counts, unless a line
        before it tells another format.
        """
        lines = [line for line in head.split(b"\n", LOOKED_AT_LINES) if line.strip(_BLANKS)]
        names = [names_of(line) for line in lines[:LOOKED_AT_LINES]]
        for present in names:
            found = recognise(present, self.formats) if present else None
            if found is not None:
                if found.takes_any_object:
                    return present
                break
        return names[0] if names else None

    def _append_lines(self, event_format: EventFormat, lines: Any, chunks: Sequence[Chunk]) -> None:
        shapes = {self._usual[chunk.file_id] for chunk in chunks}
        usual = shapes.pop() if len(shapes) == 1 else ()
        if usual and all(event_lines.has_only(chunk.data, len(usual)) for chunk in chunks):
            try:
                self._append(event_format, lines, usual, is_uniform=True)
            except (duckdb.InvalidInputException, duckdb.ConversionException):
                pass  # one of them is not what the numbers say: each is looked at below
            else:
                return
        self._append(event_format, lines, usual)

    def _append_clean(self, event_format: EventFormat, rows: list[tuple[Any, ...]]) -> None:
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


def names_of(line: bytes) -> list[str] | None:
    """Names of the members of a line, or None when it is not one JSON object."""
    try:
        return list(_ANY_OBJECT.decode(line.removeprefix(b"\xef\xbb\xbf")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_begun(head: bytes, file: StagedFile) -> bool:
    """Whether a log has nothing yet but the beginning of its first line."""
    is_object = head.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"{")
    return is_object and b"\n" not in head and not file.load.is_idle


def _as_truncated(part: RefusedPart) -> RefusedPart:
    return RefusedPart("truncated_line", "the file ends inside this line", part.start, part.end)


def _located(
    text: str, refused: Sequence[RefusedPart], key: bytes, line_no: int, offset: int
) -> list[dict[str, Any]]:
    return [
        row | {"line_no": line_no, "byte_offset": offset + row["byte_offset"]}
        for row in rejects.locate(text, refused, key)
    ]
