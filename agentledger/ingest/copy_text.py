r"""Tables that PostgreSQL wrote with `COPY … TO … (FORMAT text, HEADER)`: tabs, `\N`, backslashes.

Belongs here: telling such a text by its header, its rows as cells. Does not belong here: what the
cells mean (`event_columns.py`), CSV and JSON (`event_records.py`).
"""

import re
from collections.abc import Iterator

NULL = r"\N"

_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_NAMED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_HEADER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\t[A-Za-z_][A-Za-z0-9_]*)+")


class TornRowError(ValueError):
    """A row has more or fewer cells than the header has names."""


def is_copy_text(text: str) -> bool:
    """Whether the first line is a header of names with tabs between."""
    return _HEADER.fullmatch(text[: _end_of_line(text, 0)]) is not None


def rows(text: str) -> Iterator[tuple[int, int, dict[str, str] | TornRowError]]:
    r"""Each row behind the header: where it begins and ends, its cells that are not NULL.

    A line `\.` ends the data, as it does where a dump has several tables in one file.
    """
    end = _end_of_line(text, 0)
    names = text[:end].split("\t")
    position = end + 1
    while position < len(text):
        end = _end_of_line(text, position)
        line = text[position:end].removesuffix("\r")
        if line == r"\.":
            return
        if line:
            yield position, end, _cells(names, line)
        position = end + 1


def _cells(names: list[str], line: str) -> dict[str, str] | TornRowError:
    cells = line.split("\t")
    if len(cells) != len(names):
        return TornRowError(f"expected {len(names)} cells, found {len(cells)}")
    return {
        name: _ESCAPE.sub(_unescaped, cell)
        for name, cell in zip(names, cells, strict=True)
        if cell != NULL
    }


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1)
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0].isdigit() and code[0] < "8":
        return chr(int(code, 8) & 0xFF)
    return _NAMED.get(code, code)


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
