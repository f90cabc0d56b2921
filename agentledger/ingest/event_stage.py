"""Bring the events of a batch of files into temporary tables, one per format.

Belongs here: where to go on in a file that grew, lines by the chunk through DuckDB, strange lines
and whole documents through the tolerant path. Does not belong here: telling a format
(`event_first_lines.py`), filling the tables (`event_staging_tables.py`), writing to raw
(`event_rows.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from agentledger.ingest import event_file, event_lines, rejects
from agentledger.ingest.documents import DocumentError, decode
from agentledger.ingest.event_first_lines import FIRST_BYTES, first_names, is_begun
from agentledger.ingest.event_formats import FORMATS, EventFormat, recognise
from agentledger.ingest.event_lines import Chunk, TooLong
from agentledger.ingest.event_projection import usual_names
from agentledger.ingest.event_records import (
    EventText,
    RefusedPart,
    read_text,
)
from agentledger.ingest.event_staging_tables import StagingTables
from agentledger.ingest.event_tables import read_parquet, read_table
from agentledger.ingest.staged_file import StagedFile, refuse

PARQUET_MARK = b"PAR1"


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
        self.tables = StagingTables(connection, key, formats)
        self._waiting: dict[str, list[tuple[StagedFile, Chunk]]] = {}
        self._usual: dict[int, tuple[str, ...]] = {}

    @property
    def staged_formats(self) -> set[str]:
        """Names of the formats of which there are records."""
        return self.tables.staged_formats

    def read(self, files: Sequence[StagedFile]) -> None:
        """Stage every file of the batch."""
        self.tables.begin(files)
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
            if first is None and is_begun(head, is_idle=file.load.is_idle):
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
        chunks = [chunk for _, chunk in waiting]
        lines, broken = event_lines.as_table(chunks)
        self.tables.append_lines(event_format, lines, chunks, self._usual_of(chunks))
        strange = self.tables.take_back_strange(event_format)
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
        """Names of the members of the line that tells the format; None when there is none."""
        return first_names(head, self.formats)

    def _usual_of(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """The names that lines of these files have in common, where the files agree."""
        shapes = {self._usual[chunk.file_id] for chunk in chunks}
        return shapes.pop() if len(shapes) == 1 else ()

    def _append_clean(self, event_format: EventFormat, rows: list[tuple[Any, ...]]) -> None:
        """Stage records that were read one by one."""
        self.tables.append_clean(event_format, rows)


def _as_truncated(part: RefusedPart) -> RefusedPart:
    return RefusedPart("truncated_line", "the file ends inside this line", part.start, part.end)


def _located(
    text: str, refused: Sequence[RefusedPart], key: bytes, line_no: int, offset: int
) -> list[dict[str, Any]]:
    return [
        row | {"line_no": line_no, "byte_offset": offset + row["byte_offset"]}
        for row in rejects.locate(text, refused, key)
    ]
