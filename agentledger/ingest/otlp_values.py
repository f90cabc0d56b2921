"""Values of OTLP/JSON in the one spelling that is kept.

Belongs here: ids, times, numbers, truth values and enums, which exporters write in several ways.
Does not belong here: which of them a record has (`otlp_requests.py`), attributes
(`otlp_attributes.py`).
"""

import json
import re
from typing import Any

from agentledger.ingest import otlp_attributes

_HEX = re.compile("^[0-9a-fA-F]+$")
_DIGITS = re.compile("^[0-9]{1,30}$")


def trace_part(value: Any, key: bytes) -> str | None:
    """An id of a trace or span, lower case; one of zeros or none is None."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    return otlp_attributes.identifier(text.lower() if _HEX.match(text) else text, key)


def nanoseconds(value: Any) -> str | None:
    """Nanoseconds since the epoch as digits; absent, zero and what is no number are None."""
    if isinstance(value, float) and abs(value) < 1e30:
        value = int(value)
    text = str(value).strip() if isinstance(value, str | int) else ""
    return text if _DIGITS.match(text) and text.strip("0") else None


def number(value: Any) -> str | None:
    """A number as it was written, or None."""
    text = otlp_attributes.scalar({"stringValue": value})
    found = otlp_attributes.kept_value(text, "number", b"")
    return found if isinstance(found, str) else None


def flag(value: Any) -> str | None:
    """`true` or `false`; what is no truth value is None."""
    return str(value).lower() if isinstance(value, bool) else None


def enum(value: Any, prefix: str, names: tuple[str, ...]) -> str:
    """An enum as number or as name; nothing is the first, what is unknown is `other`."""
    text = str(value).strip()
    if value is None or text == "":
        return names[0]
    if text.isascii() and text.isdigit():
        return names[int(text)] if len(text) < 3 and int(text) < len(names) else "other"
    plain = text.upper().removeprefix(prefix).lower()
    return plain if plain in names else "other"


def canonical(attributes: Any) -> str:
    """Attributes as one text that does not depend on their order."""
    listed = sorted(
        (name, json.dumps(value, sort_keys=True, default=str))
        for name, value in otlp_attributes.pairs(attributes)
    )
    return json.dumps(listed, ensure_ascii=False)
