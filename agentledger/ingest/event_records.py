"""The tolerant path of event logs: text however broken, value by value.

Belongs here: finding the JSON objects in a line or a document, lists and wrappers opened, and
making each one plain JSON of which DuckDB can take the fields. Does not belong here: bytes and JSON
syntax (`documents.py`), what may be kept of a field (`event_columns.py`).

Source of the rules: formats.md section 10 of the shared documents (the torture list).
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentledger.ingest.documents import (
    NOT_A_NUMBER,
    DocumentError,
    Members,
    Number,
    Walker,
    sanitise,
)
from agentledger.ingest.event_formats import FORMATS, EventFormat, recognise

MAX_DEPTH = 50
"""Objects inside objects; no event of ours has five."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event as plain JSON; the position is of the decoded text."""

    format: EventFormat
    start: int
    json_text: str
    flags: str | None


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """A part of a text that gave no event; positions are of the decoded text."""

    reason: str
    detail: str
    start: int
    end: int
    ordinal: int | None = None


@dataclass(slots=True)
class EventText:
    """What a text gave."""

    records: list[EventRecord] = field(default_factory=list)
    refused: list[RefusedPart] = field(default_factory=list)


def read_text(
    text: str,
    expected: EventFormat | None,
    flags: tuple[str, ...] = (),
    formats: Mapping[str, EventFormat] = FORMATS,
) -> EventText:
    """Read every value of a text; one broken value costs one value.

    Args:
        text: A line, or a whole document.
        expected: Events of another format are refused; None takes whichever is recognised.
        flags: What had to be done to the bytes.
        formats: Formats that are looked for.
    """
    result = EventText()
    walker = Walker(text)
    position = walker.skip_space(0)
    wrappers = frozenset(name for item in formats.values() for name in item.wrappers)
    companions = frozenset(name for item in formats.values() for name in item.companions)
    while position < len(text):
        try:
            for value, start, end in _values(walker, position, wrappers, companions):
                take(result, value, (start, end), (expected, formats), flags)
            position = walker.resume_at
        except DocumentError as error:
            stopped = max(position, walker.resume_at)
            after = _next_start(walker, stopped)
            result.refused.append(RefusedPart(error.reason, error.detail, stopped, after))
            position = after
        walker.resume_at = position = walker.skip_space(position)
    return result


def _values(
    walker: Walker, position: int, wrappers: frozenset[str], companions: frozenset[str]
) -> Iterator[tuple[Any, int, int]]:
    """Values at a position, a list opened; leaves `resume_at` behind the last one."""
    if walker.peek(position) != "[":
        value, end = walker.value(position)
        walker.resume_at = end
        inside = _wrapped(value, wrappers)
        if inside is None:
            yield value, position, end
        else:
            for item in (*inside, *_beside(value, companions)):
                yield item, position, end
        return
    for at in walker.elements(position):
        try:
            value, end = walker.value(at)
        except DocumentError as error:
            found = walker.end_of(at) if walker.peek(at) in "[{" else None
            if found is None:
                raise
            walker.resume_at = found
            yield error, at, found
            continue
        walker.resume_at = end
        yield value, at, end


def _wrapped(value: Any, wrappers: frozenset[str]) -> list[Any] | None:
    """The list inside `{"workflow_executions": [...]}` and its like."""
    if isinstance(value, Members):
        for name, inside in value.items():
            if name in wrappers and isinstance(inside, list):
                return inside
            if name == "observations" and name in wrappers and isinstance(inside, Members):
                return list(inside.values())
    return None


def _beside(value: Any, companions: frozenset[str]) -> list[Any]:
    """What stands beside the list of a document: `{"trace": {...}, "observations": [...]}`."""
    found = [value[name] for name in value if name in companions]
    return [
        item
        for member in found
        for item in (member if isinstance(member, list) else [member])
        if isinstance(item, Members)
    ]


def take(
    result: EventText,
    value: Any,
    place: tuple[int, int],
    wanted: tuple[EventFormat | None, Mapping[str, EventFormat]],
    flags: tuple[str, ...],
) -> None:
    """Add one decoded value to a result: an event, or a refused part.

    Args:
        result: Grows.
        value: The value, or the error that stood in its place.
        place: Start and end in the text.
        wanted: The format that is expected, or None, and the formats that are looked for.
        flags: What had to be done to the bytes.
    """
    start, end = place
    if isinstance(value, DocumentError):
        result.refused.append(RefusedPart(value.reason, value.detail, start, end))
        return
    if not isinstance(value, Members):
        result.refused.append(RefusedPart("not_an_object", "expected an object", start, end))
        return
    expected, formats = wanted
    found = recognise(value, formats)
    if expected is not None and expected.takes_any_object:
        found = expected
    if found is None or (expected is not None and found is not expected):
        what = "no event of a known format" if found is None else "an event of another format"
        result.refused.append(RefusedPart("unknown_type", what, start, end))
        return
    notes = set(flags)
    plain = _plain(value, notes, 0)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    said = ",".join(sorted(notes)) or None
    result.records.append(EventRecord(found, start, text, said))


def _plain(value: Any, notes: set[str], depth: int) -> Any:
    """Make a decoded value safe to store and plain to parse; says in `notes` what was done."""
    if depth > MAX_DEPTH:
        notes.add("too_deep")
        return None
    if value is NOT_A_NUMBER:
        notes.add("not_a_number")
        return None
    if isinstance(value, Number):
        return _number(value, notes)
    if isinstance(value, str):
        clean, note = sanitise(value)
        if note:
            notes.add(note)
        return clean
    if isinstance(value, Members):
        if value.has_duplicates:
            notes.add("duplicate_key")
        return {sanitise(name)[0]: _plain(item, notes, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, notes, depth + 1) for item in value]
    return value


def _number(value: Number, notes: set[str]) -> Any:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.inf
    if not math.isfinite(number):
        notes.add("number_overflow")
        return None
    # An integer stays exact, however long it is; the limit keeps Python from refusing it.
    return int(value) if len(value) < 40 and value.lstrip("-").isdigit() else number


def _next_start(walker: Walker, position: int) -> int:
    """Where reading may go on: behind the broken brackets, else at the next line with an object."""
    text = walker.text
    if walker.peek(position) in "[{":
        end = walker.end_of(position)
        if end is not None:
            return end
    after = text.find("\n", position)
    while after >= 0:
        start = walker.skip_space(after)
        if walker.peek(start) == "{":
            return start
        after = text.find("\n", max(start, after + 1))
    return len(text)
