"""Whole lines of append-only logs, as Arrow tables that DuckDB parses.

Belongs here: reading a file from an offset in bounded memory, where each line begins, the last line
that is not finished yet, lines that are too long. Does not belong here: what a line says
(`event_projection.py`, `event_records.py`).

Lines are never copied one by one: a chunk of the file is the buffer of the strings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CHUNK_BYTES = 8 * 1024 * 1024
"""Bytes that are read at a time: memory of this size is used again, larger pieces are fetched from
the system anew and cost more than the reading."""

STATEMENT_BYTES = 256 * 1024 * 1024
"""Bytes of one statement: large enough to hide the cost of planning it, and to give each thread
whole row groups to fill; small beside the memory limit."""

_CACHED_BYTES = 256 * 1024
"""What numpy looks at in one go: small enough to stay in the cache of a processor."""

_BATCH_ROWS = 8192
"""Lines of one batch: DuckDB shares the batches out among its threads."""

MAX_LINE_BYTES = 100 * 1024 * 1024
"""A longer line is refused (formats.md 10, row 17)."""

_ANY_VALUE = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one file, one after the other."""

    file_id: int
    data: bytes
    first_line_no: int
    first_offset: int


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line beyond the limit; only its place and length are known."""

    line_no: int
    byte_offset: int
    length_bytes: int


@dataclass(slots=True)
class Progress:
    """How far a file was read: what the ledger must remember."""

    byte_offset: int
    line_count: int
    """Line ends before `byte_offset`."""
    is_pending: bool = False
    """Whether an unfinished last line was left for later."""


def read_chunks(
    path: str, file_id: int, progress: Progress, *, until: int, take_unfinished: bool
) -> Iterator[Chunk | TooLong]:
    """Read whole lines from where the ledger says until the size that the scan saw.

    A last line without an end is taken when it is a whole JSON object, or when nobody has written
    for so long that nobody will finish it; else it is left. Unless it was whole, `progress` stays
    before it: should somebody finish it after all, it is read again as one line.

    Args:
        path: The file.
        file_id: Number of the file in the ledger.
        progress: Where to begin; moved forward with each chunk that is handed out.
        until: Size of the file when it was listed; what came later is read by the next run.
        take_unfinished: Hand out an unfinished last line, too.

    Raises:
        OSError: When the file cannot be read.
    """
    with Path(path).open("rb") as stream:
        stream.seek(progress.byte_offset)
        rest = b""
        while True:
            block = stream.read(min(CHUNK_BYTES, until - progress.byte_offset - len(rest)))
            data = rest + block
            end = data.rfind(b"\n") + 1
            if not block and _is_object(data):
                end = len(data)
            if end:
                yield _take(file_id, progress, data[:end])
            rest = data[end:]
            if not block:
                if rest.strip() and take_unfinished:
                    yield Chunk(file_id, rest, progress.line_count + 1, progress.byte_offset)
                progress.is_pending = bool(rest.strip()) and not take_unfinished
                return
            if len(rest) > MAX_LINE_BYTES:
                yield _skip_line(stream, progress, rest, until)
                rest = b""


def _is_object(data: bytes) -> bool:
    try:
        _ANY_VALUE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _take(file_id: int, progress: Progress, data: bytes) -> Chunk:
    chunk = Chunk(file_id, data, progress.line_count + 1, progress.byte_offset)
    progress.byte_offset += len(data)
    progress.line_count += _line_ends(data)
    return chunk


def _skip_line(stream: BinaryIO, progress: Progress, rest: bytes, until: int) -> TooLong:
    """Go to the next line end without keeping what lies before it."""
    start, length = progress.byte_offset, len(rest)
    while block := stream.read(min(CHUNK_BYTES, until - start - length)):
        end = block.find(b"\n") + 1
        length += end or len(block)
        if end:
            stream.seek(start + length)
            break
    line_no = progress.line_count + 1
    progress.byte_offset, progress.line_count = start + length, progress.line_count + 1
    return TooLong(line_no, start, length)


def as_table(chunks: Sequence[Chunk]) -> tuple["pa.Table", list[tuple[Chunk, int, int, int]]]:
    """Make one Arrow table of the lines of some chunks.

    Returns:
        Columns file_id, line_no, byte_offset, record (the line); and the lines that are not UTF-8,
        which the table has as empty texts: chunk, line number, start and end in its data.
    """
    import numpy as np
    import pyarrow as pa

    batches, broken = [], []
    for chunk in chunks:
        starts = line_starts(chunk.data)
        records, bad = _texts(chunk, starts)
        broken += bad
        count = len(starts) - 1
        table = pa.table(
            {
                "file_id": pa.repeat(pa.scalar(chunk.file_id, pa.int64()), count),
                "line_no": pa.array(np.arange(count) + chunk.first_line_no),
                "byte_offset": pa.array(starts[:-1] + chunk.first_offset),
                "record": records,
            }
        )
        batches += table.to_batches(max_chunksize=_BATCH_ROWS)
    return pa.Table.from_batches(batches), broken


def line_starts(data: bytes) -> "np.ndarray":
    """Where each line begins, and, last, where the data ends."""
    import numpy as np

    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    return np.concatenate((np.zeros(1, dtype=np.int64), ends.astype(np.int64)))


def has_only(data: bytes, names: int) -> bool:
    """Whether a chunk has as many names as if each line had `names` members and no object.

    A name is a quote before a colon. A colon inside a text may look the same and a blank may hide
    it: then the answer is no, which costs time and nothing else.
    """
    import numpy as np

    codes, found = np.frombuffer(data, dtype=np.uint8), 0
    for start in range(0, len(codes), _CACHED_BYTES):
        part = codes[max(start - 1, 0) : start + _CACHED_BYTES]
        is_colon, before = part[1:] == ord(":"), part[:-1]
        if np.any(is_colon & (before <= ord(" "))):
            return False
        found += np.count_nonzero(is_colon & (before == ord('"')))
    return found == names * (_line_ends(data) + (not data.endswith(b"\n")))


def _line_ends(data: bytes) -> int:
    import numpy as np

    codes = np.frombuffer(data, dtype=np.uint8)
    return sum(
        int(np.count_nonzero(codes[start : start + _CACHED_BYTES] == ord("\n")))
        for start in range(0, len(codes), _CACHED_BYTES)
    )


def _texts(
    chunk: Chunk, starts: "np.ndarray"
) -> tuple["pa.Array", list[tuple[Chunk, int, int, int]]]:
    import pyarrow as pa

    if _is_utf8(chunk.data):
        offsets = pa.py_buffer(starts)
        count = len(starts) - 1
        return pa.LargeStringArray.from_buffers(count, offsets, pa.py_buffer(chunk.data)), []
    texts, broken = [], []
    for number, (start, end) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
        line = chunk.data[start:end]
        if _is_utf8(line):
            texts.append(line.decode("utf-8"))
        else:
            texts.append("")
            broken.append((chunk, chunk.first_line_no + number, int(start), int(end)))
    return pa.array(texts, pa.large_string()), broken


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
