"""Bring the members of OTLP requests into temporary tables, one per raw table.

Belongs here: from lines and documents to requests, and their members as records of the file. Does
not belong here: what is in a request (`otlp_requests.py`), whole lines and the tolerant path
(`event_stage.py`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import msgspec

from agentledger import privacy
from agentledger.ingest import event_lines, otlp_requests
from agentledger.ingest.documents import DocumentError, Walker
from agentledger.ingest.event_format import EventFormat
from agentledger.ingest.event_stage import EventStage
from agentledger.ingest.otlp_formats import OTLP_FORMATS, REQUESTS
from agentledger.ingest.staged_file import StagedFile

_ROWS_AT_ONCE = 20_000
"""Rows of one statement: their texts are in memory."""

_FLAT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ANY = msgspec.json.Decoder()


class OtlpStage(EventStage):
    """One batch of OTLP files on its way into raw: its records are members of requests."""

    unrecognised = "this is no OTLP/JSON"

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        key: bytes,
        formats: Mapping[str, EventFormat] = OTLP_FORMATS,
    ) -> None:
        super().__init__(connection, key, formats)
        self._files: dict[int, StagedFile] = {}
        self._members: dict[str, list[tuple[Any, ...]]] = {}
        """Raw table → records that wait for it."""

    def read(self, files: Sequence[StagedFile]) -> None:
        """Stage every file of the batch."""
        self._files = {file.file_id: file for file in files}
        super().read(files)

    def _flush(self, event_format: EventFormat) -> None:
        """Take the waiting lines apart; what is no plain JSON goes the tolerant way."""
        waiting = self._waiting.pop(event_format.name, [])
        strange = []
        for file, chunk in waiting:
            starts = event_lines.line_starts(chunk.data)
            for number, (start, end) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
                line = chunk.data[start:end]
                if not line.strip(b" \t\r\n\0\xef\xbb\xbf"):
                    continue
                line_no = chunk.first_line_no + number
                request = _request(line)
                if request is None:
                    strange.append((file, chunk, line_no, int(start)))
                else:
                    place = (file.file_id, line_no, int(chunk.first_offset + start))
                    self._take_apart([(*place, 0, request, None)])
        self._read_strange(event_format, strange)
        self._stage_members(at_least=1)

    def _append_clean(self, event_format: EventFormat, rows: list[tuple[Any, ...]]) -> None:
        """Stage the members of requests, each in the table of its kind."""
        if event_format is REQUESTS:
            self._take_apart(rows)
            self._stage_members(at_least=1)
        else:
            super()._append_clean(event_format, rows)

    def _take_apart(self, rows: list[tuple[Any, ...]]) -> None:
        """Make records of the members of requests; all requests of a line come together."""
        ordinals: dict[tuple[int, int], int] = {}
        for file_id, line_no, offset, _, request, flags in rows:
            decoded = _ANY.decode(request) if isinstance(request, str) else request
            keeps_texts = self._files[file_id].load.file.root.keeps_texts
            for part in otlp_requests.parts(decoded, self.key, keeps_texts=keeps_texts):
                ordinal = ordinals.get((file_id, line_no), 0)
                ordinals[file_id, line_no] = ordinal + 1
                if part.table is None:
                    self._refuse(file_id, line_no, offset, ordinal, part)
                    continue
                notes = ",".join(sorted({*part.flags, *(flags.split(",") if flags else ())}))
                members = self._members.setdefault(part.table, [])
                text = msgspec.json.encode(part.record).decode()
                members.append((file_id, line_no, offset, ordinal, text, notes or None))
        self._stage_members(at_least=_ROWS_AT_ONCE)

    def _stage_members(self, at_least: int) -> None:
        for table, members in self._members.items():
            if len(members) >= at_least:
                self._members[table] = []
                super()._append_clean(self.formats[table], members)

    def _refuse(
        self, file_id: int, line_no: int, offset: int, ordinal: int, part: otlp_requests.Part
    ) -> None:
        text = _FLAT.encode(part.record["value"])
        self._files[file_id].rejected.append(
            {
                "ordinal": ordinal,
                "line_no": line_no,
                "byte_offset": offset,
                "reason": "not_an_object",
                "detail": f"a member of `{part.record['what']}` is no object",
                "length_bytes": len(text.encode("utf-8", "replace")),
                "bytes_hash": privacy.keyed_hash(self.key, text),
            }
        )

    def _why_unrecognised(self, text: str) -> str:
        walker = Walker(text)
        try:
            value, _ = walker.value(walker.skip_space(0))
        except DocumentError:
            value = None
        first = value[0] if isinstance(value, list) and value else value
        return otlp_requests.foreign_format(first) or self.unrecognised


def _request(line: bytes) -> dict[str, Any] | None:
    """The request of a line that is plain JSON; None when it must be looked at more closely."""
    if b"\\u0000" in line:
        return None
    try:
        value = _ANY.decode(line.strip(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    is_request = isinstance(value, dict) and any(name in value for name in otlp_requests.SIGNALS)
    return value if is_request else None
