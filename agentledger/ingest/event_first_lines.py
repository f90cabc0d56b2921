"""What the first lines of a file say of its format.

Belongs here: how much of a file is looked at, the names of the members that tell a format. Does not
belong here: which names a format has (`event_formats.py`), reading lines (`event_lines.py`).
"""

from collections.abc import Mapping

import msgspec

from agentledger.ingest.event_formats import EventFormat, recognise

_ANY_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])

FIRST_BYTES = 1024 * 1024
"""How much of a file is looked at to tell its format."""

LOOKED_AT_LINES = 20
"""Lines among which one must tell a format whose first lines may be anything."""

_BLANKS = b" \t\r\0\xef\xbb\xbf"


def first_names(head: bytes, formats: Mapping[str, EventFormat]) -> list[str] | None:
    """Names of the members of the first line, or None when it is not one JSON object.

    Of a format that takes any object, the first line that tells it counts, unless a line before it
    tells another format.
    """
    lines = [line for line in head.split(b"\n", LOOKED_AT_LINES) if line.strip(_BLANKS)]
    names = [names_of(line) for line in lines[:LOOKED_AT_LINES]]
    for present in names:
        found = recognise(present, formats) if present else None
        if found is not None:
            if found.takes_any_object:
                return present
            break
    return names[0] if names else None


def names_of(line: bytes) -> list[str] | None:
    """Names of the members of a line, or None when it is not one JSON object."""
    try:
        return list(_ANY_OBJECT.decode(line.removeprefix(b"\xef\xbb\xbf")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_begun(head: bytes, *, is_idle: bool) -> bool:
    """Whether a log has nothing yet but the beginning of its first line."""
    is_object = head.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"{")
    return is_object and b"\n" not in head and not is_idle
