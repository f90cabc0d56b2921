"""The tolerant path of `skill_metrics.json`: a document however broken, record by record.

Belongs here: walking a document so that one broken record costs one record, and naming its variant.
Does not belong here: bytes and JSON syntax (`documents.py`), the values of a record
(`skill_metrics_values.py`).
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from agentledger.ingest.documents import DocumentError, Members, Walker, decode, sanitise
from agentledger.ingest.skill_metrics import ROOT_FIELDS, Shape, variant_of
from agentledger.ingest.skill_metrics_values import BadRecordError, clean_record


@dataclass(frozen=True, slots=True)
class CleanRecord:
    """A record of which every value is of the right kind, as JSON text."""

    ordinal: int
    skill_key: str | None
    json_text: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A part of a document that could not be read; positions are of the decoded text."""

    reason: str
    detail: str
    start: int
    end: int
    ordinal: int | None


@dataclass(slots=True)
class Document:
    """What a file gave on the tolerant path."""

    shape: Shape = "invocations"
    variant: str | None = None
    state: str = "loaded"
    """loaded | empty | unrecognised_format"""
    records: list[CleanRecord] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    text: str = ""


def read_document(data: bytes) -> Document:
    """Read a whole file, however broken; what is valid is kept, the rest is named.

    Raises:
        DocumentError: When not even text can be made of the bytes.
    """
    decoded = decode(data)
    reader = _Reader(decoded.text, decoded.flags)
    reader.read()
    return reader.document


class _Reader:
    """State of one pass over one file."""

    def __init__(self, text: str, flags: tuple[str, ...]) -> None:
        self.walker = Walker(text)
        self.document = Document(text=text)
        self.flags = flags
        self.ordinal = 0
        self.root_names: set[str] = set()
        self.has_lists = False
        self.has_invocations = False

    def read(self) -> None:
        """Read value after value; a `.json` may hold several documents."""
        position = self.walker.skip_space(0)
        if self.walker.text[position:].rstrip("\0 \t\r\n") in ("", "[]"):
            self.document.state = "empty"
            return
        start = position
        try:
            while position < len(self.walker.text):
                if self.walker.peek(position) != "{":
                    raise DocumentError("malformed_document", "expected a JSON object here")
                self._read_root(position)
                position = self.walker.skip_space(self.walker.ended_at)
        except DocumentError as error:
            self._reject_rest(error, start)
        self._settle()

    def _read_root(self, position: int) -> None:
        for name, at in self.walker.members(position):
            self.root_names.add(name)
            if name not in ROOT_FIELDS:
                self.document.unknown[name] += 1
            if name == "invocations" and self.walker.peek(at) == "[":
                self.has_invocations = True
                self._read_list(at, "invocations", None)
            elif name == "skills" and self.walker.peek(at) == "{":
                self._read_skills(at)
            else:
                self._skip(at)

    def _read_skills(self, position: int) -> None:
        for name, at in self.walker.members(position):
            if self.walker.peek(at) == "[":
                self.has_lists = True
                self._read_list(at, "skills", sanitise(name)[0])
            else:
                self._skip(at)
        self.walker.resume_at = self.walker.ended_at

    def _read_list(self, position: int, shape: Shape, skill_key: str | None) -> None:
        for at in self.walker.elements(position):
            self._read_record(at, shape, skill_key)

    def _read_record(self, at: int, shape: Shape, skill_key: str | None) -> None:
        ordinal, self.ordinal = self.ordinal, self.ordinal + 1
        try:
            value, end = self.walker.value(at)
        except DocumentError as error:
            end_or_none = self.walker.end_of(at) if self.walker.peek(at) in "[{" else None
            if end_or_none is None:
                raise DocumentError(
                    "truncated_document", "the file ends inside a record"
                ) from error
            end = end_or_none
            self._reject(error.reason, error.detail, at, end, ordinal)
            self.walker.resume_at = end
            return
        self.walker.resume_at = end
        try:
            if not isinstance(value, Members):
                raise BadRecordError("not_an_object")
            text = clean_record(value, shape, skill_key, self.flags, self.document.unknown)
        except BadRecordError as error:
            self._reject(str(error), "no row can be made of this record", at, end, ordinal)
            return
        self.document.shape = shape
        self.document.records.append(CleanRecord(ordinal, skill_key, text))

    def _skip(self, position: int) -> None:
        """Step over a value that holds no records."""
        try:
            _, self.walker.resume_at = self.walker.value(position)
        except DocumentError as error:
            end = self.walker.end_of(position) if self.walker.peek(position) in "[{" else None
            if end is None:
                raise DocumentError("truncated_document", error.detail) from error
            self.walker.resume_at = end

    def _reject(self, reason: str, detail: str, start: int, end: int, ordinal: int | None) -> None:
        self.document.rejected.append(Rejected(reason, detail, start, end, ordinal))

    def _reject_rest(self, error: DocumentError, start: int) -> None:
        """Everything from where reading stopped is one reject; the records before it stay."""
        stopped = self.walker.resume_at if self.walker.resume_at > start else start
        self._reject(error.reason, error.detail, stopped, len(self.walker.text), None)

    def _settle(self) -> None:
        """Name the variant; a document without the shape of this format is not read as empty."""
        document, names = self.document, frozenset(self.root_names)
        if self.has_lists:
            document.variant = "V-D"
        elif self.has_invocations:
            document.variant = self._variant_by_records(names)
        elif not document.rejected and (not names or "skills" in names and self._is_empty_map()):
            document.state = "empty"
            document.variant = "V-D" if names else None
        elif not document.rejected or not names & ROOT_FIELDS:
            document.state = "unrecognised_format"
            document.rejected.clear()
            document.records.clear()
            document.unknown.clear()
        if document.state == "loaded" and not document.records and not document.rejected:
            document.state = "empty"

    def _variant_by_records(self, names: frozenset[str]) -> str:
        variant = variant_of(names)
        if variant == "V2" and self.document.rejected and "skills" not in names:
            # A truncated V0 or V1 has lost its other members; only V2 writes offsets.
            aware = any(
                re.search(r'"invoked_at":"[^"]*(Z|[+-]\d\d:?\d\d)"', record.json_text)
                for record in self.document.records[:50]
            )
            return "V2" if aware else "V0/V1"
        return variant

    def _is_empty_map(self) -> bool:
        match = re.search(r'"skills"\s*:\s*\{\s*\}', self.walker.text)
        return match is not None
