"""Read JSON as people and crashes leave it: the tolerant path.

Belongs here: bytes to text (byte-order marks, UTF-16, compression, padding), and a walker that
steps through a document member by member, so that one broken value costs one value. Does not belong
here: the fields of any format.

Source of the rules: formats.md section 10 of the shared documents (the torture list).
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_DECOMPRESSED_BYTES = 1024 * 1024 * 1024
"""A compressed file may not grow beyond this: a few kilobytes can hold terabytes of zeros."""

_WHITE_SPACE = re.compile(r"[ \t\n\r\x00\ufeff]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


class DocumentError(ValueError):
    """The bytes are no document that can be read; `reason` is a code, the text is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Number(str):
    """A JSON number as it was written: `1e400` and 20 digits survive until they are judged."""

    __slots__ = ()


class NotANumber:
    """One of the tokens NaN, Infinity, -Infinity, which JSON does not have."""


NOT_A_NUMBER = NotANumber()


class Members(dict[str, Any]):
    """A JSON object; remembers whether a name stood twice (the last one wins)."""

    has_duplicates = False


def _members(pairs: list[tuple[str, Any]]) -> Members:
    members = Members(pairs)
    members.has_duplicates = len(members) != len(pairs)
    return members


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=Number,
    parse_int=Number,
    parse_constant=lambda _token: NOT_A_NUMBER,
    strict=False,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A file as text, with what had to be done to get it."""

    text: str
    flags: tuple[str, ...] = ()


def decode(data: bytes) -> Text:
    """Turn the bytes of a file into text without losing a line.

    Raises:
        DocumentError: `decompression_failed`, `too_large` or `encoding`.
    """
    if data[:2] == b"\x1f\x8b":
        data = _decompress(data)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        data = _decompress_zstd(data)
    for mark, codec in (
        (b"\xff\xfe\x00\x00", "utf-32-le"),
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], codec)
    head = data[:200]
    if len(head) >= 4 and head[1::2].count(0) * 2 > len(head) * 0.8 and head[0::2].count(0) == 0:
        return _decode_as(data, "utf-16-le")
    if len(head) >= 4 and head[0::2].count(0) * 2 > len(head) * 0.8 and head[1::2].count(0) == 0:
        return _decode_as(data, "utf-16-be")
    return _decode_as(data, "utf-8")


def _decode_as(data: bytes, codec: str) -> Text:
    try:
        return Text(data.decode(codec))
    except UnicodeDecodeError:
        return Text(data.decode(codec, "replace"), ("invalid_encoding",))


def _decompress(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            plain = stream.read(MAX_DECOMPRESSED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DocumentError("decompression_failed", f"the archive is damaged: {error}") from error
    if len(plain) > MAX_DECOMPRESSED_BYTES:
        raise DocumentError("too_large", "the archive grows beyond the limit")
    return plain


def _decompress_zstd(data: bytes) -> bytes:
    import pyarrow as pa

    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            plain = stream.read(MAX_DECOMPRESSED_BYTES + 1)
    except (OSError, pa.ArrowException) as error:
        raise DocumentError("decompression_failed", f"the archive is damaged: {error}") from error
    if len(plain) > MAX_DECOMPRESSED_BYTES:
        raise DocumentError("too_large", "the archive grows beyond the limit")
    return bytes(plain)


def sanitise(text: str) -> tuple[str, str | None]:
    """Make a text safe to store: NUL goes, lone surrogates become U+FFFD.

    Returns:
        The text and the flag that says what was done, or None.
    """
    if not _UNSAFE.search(text):
        return text, None
    # An escaped surrogate pair that a careless writer split in two parts is mended first.
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    clean = joined.replace("\x00", "")
    return clean, "unsafe_characters"


class Walker:
    """Steps through a text of one or more JSON values; positions are character offsets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.resume_at = 0
        self.ended_at = 0

    def skip_space(self, position: int) -> int:
        """Position of the next character that is not white space or padding."""
        return _WHITE_SPACE.match(self.text, position).end()  # type: ignore[union-attr]

    def peek(self, position: int) -> str:
        """The character at a position, or an empty text at the end."""
        return self.text[position : position + 1]

    def value(self, position: int) -> tuple[Any, int]:
        """Decode the value that begins at a position.

        Returns:
            The value and the position after it.

        Raises:
            DocumentError: `malformed` or `too_deep`; the caller may step over it with `end_of`.
        """
        try:
            return _DECODER.raw_decode(self.text, position)
        except json.JSONDecodeError as error:
            raise DocumentError("malformed_record", error.msg) from error
        except RecursionError as error:
            raise DocumentError("too_deep", "nested deeper than can be decoded") from error

    def end_of(self, position: int) -> int | None:
        """Position after the object or list that begins here, by its brackets; None if it is cut.

        Works for values that do not decode, as long as their strings are closed.
        """
        depth = 0
        for token in _TOKEN.finditer(self.text, position):
            mark = token.group()
            if mark in "[{":
                depth += 1
            elif mark in "]}":
                depth -= 1
                if depth <= 0:
                    return token.end()
        return None

    def members(self, position: int) -> Iterator[tuple[str, int]]:
        """Step through the object that begins at a position.

        Yields each name and the position of its value; the caller sets `resume_at` to where the
        value ended. After the last one `ended_at` is the position after the object.

        Raises:
            DocumentError: `truncated_document` or `malformed_document`.
        """
        position = self.skip_space(position + 1)
        if self.peek(position) == "}":
            self.ended_at = position + 1
            return
        while True:
            if self.peek(position) != '"':
                raise self._broken(position)
            try:
                name, position = json.decoder.scanstring(self.text, position + 1, False)  # type: ignore[attr-defined]
            except json.JSONDecodeError as error:
                raise self._broken(len(self.text)) from error
            position = self.skip_space(position)
            if self.peek(position) != ":":
                raise self._broken(position)
            self.resume_at = self.skip_space(position + 1)
            yield name, self.resume_at
            position = self.skip_space(self.resume_at)
            if self.peek(position) == "}":
                self.ended_at = position + 1
                return
            if self.peek(position) != ",":
                raise self._broken(position)
            position = self.skip_space(position + 1)

    def elements(self, position: int) -> Iterator[int]:
        """Step through the list that begins at a position.

        Yields the position of each element; the caller sets `resume_at` to where it ended.

        Raises:
            DocumentError: `truncated_document` or `malformed_document`.
        """
        position = self.skip_space(position + 1)
        if self.peek(position) == "]":
            self.resume_at = position + 1
            return
        while True:
            self.resume_at = position
            yield position
            position = self.skip_space(self.resume_at)
            if self.peek(position) == "]":
                self.resume_at = position + 1
                return
            if self.peek(position) != ",":
                raise self._broken(position)
            position = self.skip_space(position + 1)

    def _broken(self, position: int) -> DocumentError:
        if position >= len(self.text):
            return DocumentError("truncated_document", "the file ends inside the document")
        return DocumentError("malformed_document", "the document is not JSON from here on")
