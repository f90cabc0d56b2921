"""What a strange value in a record of `skill_metrics.json` means.

Belongs here: cleaning one record so that the shared projection meets only values of the right kind.
Does not belong here: walking documents (`skill_metrics_records.py`), privacy (the projection
applies it to both paths).
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from agentledger.ingest.documents import Members, Number, sanitise
from agentledger.ingest.skill_metrics import RECORD_FIELDS, Shape

_TEXT_FIELDS = frozenset(
    {
        "session_id",
        "workflow_path",
        "workflow_phase",
        "workflow_step_id",
        "error_type",
        "user_query",
    }
)
_TRUTH_FIELDS = frozenset({"completed", "success"})
_DURATION_FIELDS = frozenset({"duration_ms", "duration_seconds"})
_TIME = re.compile(r"[+-]?[0-9][0-9Tt:., ZzeE+-]{0,40}")
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class BadRecordError(ValueError):
    """A record without which no row can be made; the text is a reason code."""


def clean_record(
    record: Members,
    shape: Shape,
    skill_key: str | None,
    flags: tuple[str, ...],
    unknown: Counter[str],
) -> str:
    """Make a record's JSON text of which every value is of the right kind.

    A value of a wrong kind becomes NULL and is flagged; the row is kept.

    Args:
        record: As decoded; numbers are still the text that was written.
        shape: Decides which names are known.
        skill_key: The name above the list in V-D; None elsewhere.
        flags: What had to be done to the whole file.
        unknown: Counts names that no allow-list knows; changed in place.

    Raises:
        BadRecordError: Without a skill name or a time no row can be made.
    """
    notes = list(flags)
    if record.has_duplicates:
        notes.append("duplicate_key")
    cleaned: dict[str, str] = {}
    for name, value in record.items():
        if name not in RECORD_FIELDS[shape]:
            unknown[sanitise(name)[0][:200]] += 1
        elif value is not None:
            encoded = _clean_value(name, value, notes)
            if encoded is not None:
                cleaned[name] = encoded
    if skill_key is not None and not skill_key.strip():
        raise BadRecordError("missing_skill_name")
    for name in ("skill_name", "invoked_at") if skill_key is None else ("invoked_at",):
        if cleaned.get(name, '""') == '""':
            raise BadRecordError(_reason(record.get(name), name))
    if notes:
        cleaned["_flags"] = json.dumps(json.dumps(sorted(set(notes))))
    return "{" + ",".join(f'"{name}":{text}' for name, text in cleaned.items()) + "}"


def _reason(value: Any, name: str) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return f"missing_{name}"
    is_text = isinstance(value, str) and not isinstance(value, Number)
    return f"invalid_{name}" if is_text else f"wrong_type_{name}"


def _clean_value(name: str, value: Any, notes: list[str]) -> str | None:
    """JSON text of one value, or None when it is not of the field's kind."""
    if isinstance(value, str) and not value.strip() and name == "invoked_at":
        return None  # missing, which is worse than invalid and said elsewhere
    encoded = _encoder_of(name)(value, notes)
    if encoded is None and name == "followup_actions" and isinstance(value, list):
        return str(len(value))  # V0 to V2 write a list where V-D writes its length
    if encoded is None:
        notes.append(f"invalid:{name}")
    return encoded


def _encoder_of(name: str) -> Callable[[Any, list[str]], str | None]:
    if name in _TEXT_FIELDS:
        return lambda value, notes: _encode_text(value, notes) if isinstance(value, str) else None
    if name in _DURATION_FIELDS:
        return _encode_duration
    if name in _TRUTH_FIELDS:
        return _encode_truth
    return {
        "skill_name": _encode_name,
        "invoked_at": _encode_time,
        "completed_at": _encode_time,
        "selection_rank": _encode_count,
        "followup_actions": _encode_count,
        "follow_up_actions": _encode_list,
        "alternatives_considered": _encode_list,
        "metadata": _encode_metadata,
    }[name]


def _encode_name(value: Any, notes: list[str]) -> str | None:
    is_text = isinstance(value, str) and not isinstance(value, Number) and value.strip()
    return _encode_text(value, notes) if is_text else None


def _encode_text(value: str, notes: list[str]) -> str:
    clean, flag = sanitise(str(value))
    if flag:
        notes.append(flag)
    return json.dumps(clean)


def _encode_time(value: Any, _notes: list[str]) -> str | None:
    """A time in any of the known spellings, epochs included; a sentence is none."""
    is_time = isinstance(value, str) and _TIME.fullmatch(value.strip())
    return json.dumps(str(value).strip()) if is_time else None


def _encode_truth(value: Any, _notes: list[str]) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value in ("true", "false") else None


def _encode_duration(value: Any, _notes: list[str]) -> str | None:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return None  # negative, NaN, a sentence, an object
    return str(value) if math.isfinite(float(value)) else None


def _encode_count(value: Any, _notes: list[str]) -> str | None:
    is_count = isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value)
    return str(int(value)) if is_count else None


def _encode_list(value: Any, notes: list[str]) -> str | None:
    if not isinstance(value, list):
        return None
    return (
        "["
        + ",".join(_encode_text(item, notes) if isinstance(item, str) else "null" for item in value)
        + "]"
    )


def _encode_metadata(value: Any, notes: list[str]) -> str | None:
    if not isinstance(value, Members):
        return None
    kept = {name: value[name] for name in ("workflow", "agent") if isinstance(value.get(name), str)}
    return "{" + ",".join(f'"{n}":{_encode_text(v, notes)}' for n, v in kept.items()) + "}"
