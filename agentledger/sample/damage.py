"""Files that are bad on purpose, as crashes, editors and other programs leave them.

Belongs here: the damage, and what a reader must make of it. Does not belong here: good files.
Every valid record in a damaged file must still arrive: that is what these files are for.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from agentledger.sample.history import Invocation, invent
from agentledger.sample.writers import design_record_text, record_texts


@dataclass(frozen=True, slots=True)
class Damaged:
    """The bytes of a damaged file and what must come of them."""

    content: bytes
    variant: str | None
    records: int
    state: str
    rejects: dict[str, int] = field(default_factory=dict)
    unknown_fields: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Damage:
    """One kind of damage and where it lies."""

    project: str
    file_name: str
    what: str
    make: Callable[[list[Invocation]], Damaged]
    holds_records: bool = True


def damage_files(rng: random.Random, valid_each: int, until: date) -> list[tuple[Damage, Damaged]]:
    """Make every damaged file.

    Args:
        rng: Decides the valid records in them.
        valid_each: Valid records in each file that can hold some; may be 0.
        until: The first day without events.
    """
    made = []
    for damage in DAMAGES:
        count = valid_each if damage.holds_records else 0
        made.append((damage, damage.make(list(invent(rng, count, until)))))
    return made


def _records(calls: list[Invocation]) -> list[str]:
    return record_texts("V1", calls)


def _document(records: list[str]) -> str:
    return '{"invocations":[' + ",".join(records) + '],"skills":{},"last_updated":"2026-01-01"}'


def _state(calls: list[Invocation], rejects: int) -> str:
    if rejects:
        return "partial"
    return "loaded" if calls else "empty"


def _truncated(calls: list[Invocation]) -> Damaged:
    """A writer was killed while it rewrote the file."""
    text = '{"invocations":[' + "".join(record + "," for record in _records(calls))
    text += '{"skill_name":"pytest-run","invoked_at":"2026-01-02T10:0'
    return Damaged(text.encode(), "V1", len(calls), "partial", {"truncated_document": 1})


def _html(_calls: list[Invocation]) -> Damaged:
    """A download that was a login page."""
    text = "<!doctype html><title>Sign in</title><p>Your session has expired.</p>\n"
    return Damaged(text.encode(), None, 0, "unrecognised_format")


def _other_shape(_calls: list[Invocation]) -> Damaged:
    """JSON, but of another program."""
    text = json.dumps({"ruff-check": 41, "pytest-run": 17})
    return Damaged(text.encode(), None, 0, "unrecognised_format")


def _empty(_calls: list[Invocation]) -> Damaged:
    return Damaged(b"", None, 0, "empty")


def _nameless(calls: list[Invocation]) -> Damaged:
    bad = ['{"invoked_at":"2026-01-02T10:00:00","session_id":"s","completed":true}']
    text = _document(_records(calls) + bad)
    return Damaged(text.encode(), "V1", len(calls), "partial", {"missing_skill_name": 1})


def _timeless(calls: list[Invocation]) -> Damaged:
    """Design variant: two records lack their time, one of them has an empty one."""
    bad = ['{"success":true,"session_id":"s"}', '{"invoked_at":"","success":true}']
    records = bad + [design_record_text(call) for call in calls]
    text = '{"version":"1.0","skills":{"pytest-run":[' + ",".join(records) + "]}}"
    return Damaged(text.encode(), "V-D", len(calls), "partial", {"missing_invoked_at": 2})


def _wrong_types(calls: list[Invocation]) -> Damaged:
    """Values of a wrong kind: without a name no row; any other value becomes unknown."""
    records = _records(calls)
    if records:
        broken = json.loads(records[0])
        broken |= {"duration_seconds": "fast", "selection_rank": "first", "completed": "perhaps"}
        broken |= {"follow_up_actions": {"git commit": 1}}
        records[0] = json.dumps(broken)
    bad = ['{"skill_name":42,"invoked_at":"2026-01-02T10:00:00"}', '"a text"', "null"]
    rejects = {"wrong_type_skill_name": 1, "not_an_object": 2}
    return Damaged(_document(records + bad).encode(), "V1", len(calls), "partial", rejects)


def _byte_order_mark(calls: list[Invocation]) -> Damaged:
    """An editor put a byte-order mark in front."""
    content = b"\xef\xbb\xbf" + _document(_records(calls)).encode()
    return Damaged(content, "V1", len(calls), _state(calls, 0))


def _utf16(calls: list[Invocation]) -> Damaged:
    """A shell redirected the export as UTF-16."""
    content = b"\xff\xfe" + _document(_records(calls)).encode("utf-16-le")
    return Damaged(content, "V1", len(calls), _state(calls, 0))


def _not_a_number(calls: list[Invocation]) -> Damaged:
    """Python writes NaN, which JSON does not have."""
    records = [
        json.dumps(json.loads(record) | {"duration_seconds": float("nan")})
        for record in _records(calls)
    ]
    return Damaged(_document(records).encode(), "V1", len(calls), _state(calls, 0))


def _unknown_field(calls: list[Invocation]) -> Damaged:
    """A newer writer adds a field; a skill name tries to be SQL and is only a name."""
    records = [json.loads(record) | {"model_temperature": 0.2} for record in _records(calls)]
    if records:
        records[0]["skill_name"] = "x'); drop table raw.skill_usage; --"
    text = _document([json.dumps(record) for record in records])
    unknown = {"model_temperature": len(calls)} if calls else {}
    return Damaged(text.encode(), "V1", len(calls), _state(calls, 0), {}, unknown)


DAMAGES = (
    Damage("archived-prototype", "skill_metrics.json", "truncated JSON", _truncated),
    Damage("archived-prototype", "skill_metrics_1.json", "not JSON", _html, False),
    Damage("archived-prototype", "skill_metrics_2.json", "JSON of another shape", _other_shape,
           False),
    Damage("archived-prototype", "skill_metrics_3.json", "empty file", _empty, False),
    Damage("intern-sandbox", "skill_metrics.json", "a record without a skill name", _nameless),
    Damage("intern-sandbox", "skill_metrics_1.json", "records without a time", _timeless),
    Damage("intern-sandbox", "skill_metrics_2.json", "values of a wrong type", _wrong_types),
    Damage("windows-notebook", "skill_metrics.json", "UTF-8 byte-order mark", _byte_order_mark),
    Damage("windows-notebook", "skill_metrics_1.json", "UTF-16", _utf16),
    Damage("nightly-agent", "skill_metrics.json", "NaN in place of a number", _not_a_number),
    Damage("nightly-agent", "skill_metrics_1.json", "an unknown field", _unknown_field),
)  # fmt: skip
