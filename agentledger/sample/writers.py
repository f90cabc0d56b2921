"""The five variants of `skill_metrics.json`, as their writers write them.

Belongs here: texts of documents from invocations, compact or indented, with the aggregates that old
writers keep beside the records. Does not belong here: chance (`history.py`), damage (`damage.py`).

Templates rather than a JSON encoder: the standard encoder is ten times slower when it indents.
Source of the formats: formats.md section 1 of the shared documents.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from agentledger.sample.history import Invocation

VARIANTS = ("V1", "V2", "V-D", "V0", "VX")
"""In the order in which projects get them; the first ones are the ones met most often."""

PLACEHOLDER_SECONDS = 0.01
"""What V2 writers store for a completed use that nobody timed."""

V2_AWARE_SINCE = date(2026, 7, 29)
"""V2 writers wrote local times without offset before this day."""


def write_document(
    variant: str,
    invocations: Sequence[Invocation],
    *,
    indent: bool,
    written_at: datetime,
    aware_since: date = V2_AWARE_SINCE,
) -> str:
    """Write a whole document.

    Args:
        variant: One of `VARIANTS`.
        invocations: In the order in which they were recorded.
        indent: Two spaces per level, as some writers do; else compact.
        written_at: Stamp of the document.
        aware_since: Day on which this V2 writer was upgraded to write offsets.
    """
    if variant == "V-D":
        return _design_document(invocations, indent, written_at)
    records = record_texts(variant, invocations, indent=indent, aware_since=aware_since)
    layout = _Layout(indent)
    members = [("invocations", layout.list_of(records, 1))]
    skills = {} if variant == "V2" else aggregates(invocations, with_rank=variant == "V1")
    if variant != "V2":
        members.append(("skills", layout.nested(skills)))
    if variant in ("V0", "V1"):
        members.append(("last_updated", json.dumps(written_at.isoformat())))
    if variant == "VX":
        members.insert(0, ("summary", layout.nested(summary(skills))))
        members[1], members[2] = members[2], members[1]
        members.append(("exported_at", json.dumps(written_at.isoformat())))
    return layout.object_of(members, 0)


def record_texts(
    variant: str,
    invocations: Sequence[Invocation],
    *,
    indent: bool = False,
    aware_since: date = V2_AWARE_SINCE,
) -> list[str]:
    """JSON texts of the records of a document with an `invocations` list."""
    layout = _Layout(indent)
    with_session = variant in ("V1", "V2")
    texts = []
    for call in invocations:
        stamp = call.at.isoformat()
        seconds = call.seconds
        if variant == "V2":
            if call.at.date() >= aware_since:
                stamp += "+00:00"
            if call.outcome != "success":
                seconds = None
            elif not call.is_timed:
                seconds = PLACEHOLDER_SECONDS
        members = [("skill_name", f'"{call.skill}"'), ("invoked_at", f'"{stamp}"')]
        if with_session:
            members.append(("session_id", f'"{call.session}"'))
        members += [
            ("workflow_path", f'"{call.workflow}"' if call.workflow else "null"),
            ("completed", "true" if call.outcome == "success" else "false"),
            ("duration_seconds", "null" if seconds is None else repr(seconds)),
        ]
        if with_session:
            members += [
                ("user_query", call.query or "null"),
                ("alternatives_considered", layout.list_of(_quoted(call.alternatives), 3)),
                ("selection_rank", "null" if call.rank is None else str(call.rank)),
            ]
        members += [
            ("follow_up_actions", layout.list_of(_quoted(call.followups), 3)),
            ("error_type", call.error or "null"),
        ]
        texts.append(layout.object_of(members, 2))
    return texts


def design_record_text(call: Invocation, *, indent: bool = False) -> str:
    """JSON text of one record of the design variant."""
    layout = _Layout(indent)
    ended, duration = "null", "null"
    if call.seconds is not None:
        ended = f'"{(call.at + timedelta(seconds=call.seconds)).isoformat()}Z"'
        duration = repr(round(call.seconds * 1000, 1))
    success = {"success": "true", "pending": "null"}.get(call.outcome, "false")
    metadata = [("workflow", f'"{call.workflow}"')] if call.workflow else []
    return layout.object_of(
        [
            ("invoked_at", f'"{call.at.isoformat()}Z"'),
            ("completed_at", ended),
            ("duration_ms", duration),
            ("success", success),
            ("followup_actions", str(len(call.followups))),
            ("session_id", f'"{call.session}"'),
            ("metadata", layout.object_of(metadata, 4)),
        ],
        3,
    )


def aggregates(invocations: Sequence[Invocation], *, with_rank: bool) -> dict[str, Any]:
    """The `skills` member of old writers: it leaves out what is pending."""
    totals: dict[str, dict[str, Any]] = {}
    for call in invocations:
        if call.outcome == "pending":
            continue
        entry = totals.setdefault(call.skill, _new_aggregate(call))
        is_complete = call.outcome == "success"
        entry["total_invocations"] += 1
        entry["completed_invocations" if is_complete else "abandoned_invocations"] += 1
        if is_complete and call.seconds is not None:
            entry["total_duration_seconds"] += call.seconds
        if call.workflow:
            entry["workflow_paths"][call.workflow] += 1
        if call.error:
            entry["common_errors"][json.loads(call.error)] += 1
        if call.followups:
            # Old writers counted only the first action of each use.
            entry["follow_up_actions"][call.followups[0]] += 1
        entry["last_invoked"] = call.at.isoformat()
    for entry in totals.values():
        completed = entry["completed_invocations"]
        entry["total_duration_seconds"] = round(entry["total_duration_seconds"], 3)
        entry["completion_rate"] = 100.0 * completed / entry["total_invocations"]
        entry["avg_duration_seconds"] = entry["total_duration_seconds"] / (completed or 1)
        if with_rank:
            entry |= {"avg_selection_rank": None, "recommendation_success_rate": None}
    return totals


def _new_aggregate(call: Invocation) -> dict[str, Any]:
    return {
        "skill_name": call.skill,
        "total_invocations": 0,
        "completed_invocations": 0,
        "abandoned_invocations": 0,
        "total_duration_seconds": 0.0,
        "workflow_paths": Counter(),
        "common_errors": Counter(),
        "follow_up_actions": Counter(),
        "first_invoked": call.at.isoformat(),
    }


def summary(skills: dict[str, Any]) -> dict[str, Any]:
    """The `summary` member of an export."""
    totals: dict[str, int] = {
        name: entry["total_invocations"] for name, entry in sorted(skills.items())
    }
    by_usage = sorted(totals.items(), key=lambda pair: -pair[1])  # stable: ties stay by name
    total = sum(totals.values())
    completed = sum(entry["completed_invocations"] for entry in skills.values())
    seconds = sum(entry["total_duration_seconds"] for entry in skills.values())
    return {
        "total_skills": len(skills),
        "total_invocations": total,
        "overall_completion_rate": 100.0 * completed / total if total else 0.0,
        "most_used_skill": by_usage[0][0] if by_usage else None,
        "most_used_count": by_usage[0][1] if by_usage else 0,
        "avg_duration_seconds": seconds / (completed or 1),
        "skills_by_usage": [list(pair) for pair in by_usage],
    }


def _design_document(invocations: Sequence[Invocation], indent: bool, written_at: datetime) -> str:
    layout = _Layout(indent)
    by_skill: dict[str, list[str]] = {}
    for call in invocations:
        text = design_record_text(call, indent=indent)
        by_skill.setdefault(call.skill, []).append(text)
    lists = [(name, layout.list_of(texts, 2)) for name, texts in sorted(by_skill.items())]
    return layout.object_of(
        [
            ("version", '"1.0"'),
            ("generated_at", f'"{written_at.isoformat()}Z"'),
            ("skills", layout.object_of(lists, 1)),
        ],
        0,
    )


def _quoted(texts: Sequence[str]) -> list[str]:
    # Names and actions of the catalogue need no escapes.
    return [f'"{text}"' for text in texts]


class _Layout:
    """Compact, or indented by two spaces as `json.dumps(indent=2)` does."""

    def __init__(self, indent: bool) -> None:
        self.indent = indent
        self.colon = ": " if indent else ":"

    def object_of(self, members: Sequence[tuple[str, str]], depth: int) -> str:
        """An object of members that are JSON text already."""
        if not members:
            return "{}"
        colon = self.colon
        return self._wrap("{", [f'"{name}"{colon}{text}' for name, text in members], "}", depth)

    def list_of(self, items: Sequence[str], depth: int) -> str:
        """A list of items that are JSON text already."""
        return self._wrap("[", items, "]", depth) if items else "[]"

    def nested(self, value: Any) -> str:
        """A small value that stands one level deep, by the standard encoder."""
        if not self.indent:
            return json.dumps(value, separators=(",", ":"))
        return json.dumps(value, indent=2).replace("\n", "\n  ")

    def _wrap(self, opening: str, items: Sequence[str], closing: str, depth: int) -> str:
        if not self.indent:
            return opening + ",".join(items) + closing
        inner = "\n" + "  " * (depth + 1)
        return opening + inner + ("," + inner).join(items) + "\n" + "  " * depth + closing
