"""The records of a mapped log that is no log of lines: documents, tables as CSV or Parquet.

Belongs here: finding the records of a document by the place that the mapping names, with what it
asks of the document around them; Parquet by the batch. Does not belong here: JSON syntax
(`documents.py`), logs of lines (`event_lines.py`), what a record becomes (`mapped_format.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentledger.ingest.documents import DocumentError, Members, Walker
from agentledger.ingest.event_records import EventText, RefusedPart, take
from agentledger.ingest.mapped_format import MappedFormat
from agentledger.ingest.mapping_sql import DOCUMENT_MEMBER

PARQUET_MARK = b"PAR1"

PARQUET_ROWS = 5_000
"""Rows of one batch; a row of a log has a few hundred bytes, one of trajectories up to 100 KB."""


@dataclass(slots=True)
class _Found:
    """Records of one document, before what stands around them is known."""

    records: list[tuple[Any, int, int]] = field(default_factory=list)
    around: dict[tuple[str, ...], Any] = field(default_factory=dict)
    has_list: bool = False


def read_documents(text: str, mapped: MappedFormat, flags: tuple[str, ...]) -> EventText:
    """Read the records of every document of a text; one broken record costs one record."""
    result = EventText()
    walker = Walker(text)
    position = walker.skip_space(0)
    while position < len(text):
        found = _Found()
        walker.resume_at = position
        try:
            for at in _documents(walker, position):
                found = _Found()
                _read_document(walker, at, mapped, found)
                _take_found(result, found, mapped, flags, (at, walker.resume_at))
        except DocumentError as error:
            # What was found before the break counts; what follows cannot be told apart any more.
            _take_found(result, found, mapped, flags, None)
            start = max(position, walker.resume_at)
            result.refused.append(RefusedPart(error.reason, error.detail, start, len(text)))
            return result
        position = walker.skip_space(walker.resume_at)
    return result


def _documents(walker: Walker, position: int) -> Iterator[int]:
    if walker.peek(position) == "[":
        yield from walker.elements(position)
    else:
        yield position


def _read_document(walker: Walker, at: int, mapped: MappedFormat, found: _Found) -> None:
    names = mapped.mapping.records
    if isinstance(names, tuple) and walker.peek(at) == "{":
        _descend(walker, at, names, (mapped.document_places, ()), found)
        return
    value, end = walker.value(at)
    walker.resume_at = end
    found.has_list = True
    found.records.append((value, at, end))


def _descend(
    walker: Walker,
    at: int,
    names: tuple[str, ...],
    wanted: tuple[tuple[tuple[str, ...], ...], tuple[str, ...]],
    found: _Found,
) -> None:
    """Go to the list of records; of other members keep only what the mapping asks for."""
    places, here = wanted
    if not names:
        _read_list(walker, at, found)
        return
    if walker.peek(at) != "{":
        _, walker.resume_at = walker.value(at)
        return
    for name, start in walker.members(at):
        if name == names[0]:
            _descend(walker, start, names[1:], (places, (*here, name)), found)
        else:
            value, walker.resume_at = walker.value(start)
            for place in places:
                if place[: len(here) + 1] == (*here, name):
                    found.around[place] = _inside(value, place[len(here) + 1 :])
    walker.resume_at = walker.ended_at


def _read_list(walker: Walker, at: int, found: _Found) -> None:
    if walker.peek(at) != "[":
        _, walker.resume_at = walker.value(at)
        return
    found.has_list = True
    for start in walker.elements(at):
        try:
            value, end = walker.value(start)
        except DocumentError as error:
            after = walker.end_of(start) if walker.peek(start) in "[{" else None
            if after is None:
                raise
            value, end = error, after
        walker.resume_at = end
        found.records.append((value, start, end))


def _inside(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        if not isinstance(value, Members):
            return None
        value = value.get(name)
    return value


def _take_found(
    result: EventText,
    found: _Found,
    mapped: MappedFormat,
    flags: tuple[str, ...],
    place: tuple[int, int] | None,
) -> None:
    formats: Mapping[str, Any] = {mapped.format.name: mapped.format}
    if not found.has_list and place is not None:
        result.refused.append(
            RefusedPart("unknown_type", "the document has no list of records there", *place)
        )
    for value, start, end in found.records:
        if isinstance(value, Members) and mapped.document_places:
            value[DOCUMENT_MEMBER] = Members(
                {".".join(name): item for name, item in found.around.items()}
            )
        take(result, value, (start, end), (None, formats), flags)


def is_parquet(path: str) -> bool:
    """Whether a file is Parquet, told by its first bytes.

    Raises:
        OSError: When it cannot be read.
    """
    with Path(path).open("rb") as stream:
        return stream.read(len(PARQUET_MARK)) == PARQUET_MARK


def parquet_batches(path: str) -> Iterator[Any]:
    """The rows of a Parquet file as Arrow record batches, in bounded memory.

    The file is opened here and handed over open: its name is never looked at as a pattern.

    Raises:
        OSError: When it cannot be read.
        DocumentError: When it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with Path(path).open("rb") as stream:
        try:
            yield from pq.ParquetFile(stream).iter_batches(PARQUET_ROWS)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DocumentError("unreadable", f"damaged Parquet: {error}") from error
