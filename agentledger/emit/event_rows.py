"""Rows of skills, workflows and tasks: each field in its class, nothing private.

Belongs here: the columns of formats.md sections 1.3 (V2), 2 and 4.1, and what a value that is
missing becomes. Does not belong here: queues (`events.py`). Runs on the writer's thread.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from agentledger.emit import columns
from agentledger.emit.jobs import HashText

ENDED = ("completed", "failed", "cancelled")
"""Statuses of a workflow that has an end."""


def skill_row(fields: Mapping[str, Any], now: datetime, hash_text: HashText) -> dict[str, Any]:
    """A use of a skill; an unknown outcome is `completed` false without duration and error."""
    completed = fields["completed"]
    seconds = columns.finite_number(fields["duration_seconds"])
    return {
        "event_id": columns.identifier(fields["event_id"], hash_text),
        "skill_name": columns.plain_name(fields["skill_name"]),
        "invoked_at": _moment(fields["invoked_at"]) or _iso(now - timedelta(seconds=seconds or 0)),
        "session_id": columns.identifier(fields["session_id"], hash_text),
        "project_id": columns.identifier(fields["project_id"], hash_text),
        "workflow_path": columns.plain_name(fields["workflow_path"]),
        "completed": bool(completed),
        "duration_seconds": None if completed is None else seconds,
        "alternatives_considered": columns.plain_names(fields["alternatives_considered"]),
        "selection_rank": columns.whole_number(fields["selection_rank"]),
        "error_type": None if completed is None else columns.class_name(fields["error_type"]),
    }


def workflow_row(fields: Mapping[str, Any], now: datetime, hash_text: HashText) -> dict[str, Any]:
    """The state of a workflow's run; what has ended has an end."""
    status = columns.plain_name(fields["status"])
    milliseconds = columns.finite_number(fields["total_duration_ms"])
    ended = _moment(fields["completed_at"]) or (_iso(now) if status in ENDED else None)
    end = datetime.fromisoformat(ended) if ended else now
    return {
        "workflow_id": columns.identifier(fields["workflow_id"], hash_text),
        "workflow_name": columns.plain_name(fields["workflow_name"]),
        "project_id": columns.identifier(fields["project_id"], hash_text),
        "started_at": _moment(fields["started_at"])
        or _iso(end - timedelta(milliseconds=milliseconds or 0)),
        "completed_at": ended,
        "status": status,
        "skills_used": columns.plain_names(fields["skills_used"]),
        "total_duration_ms": milliseconds,
    }


def usage_row(fields: Mapping[str, Any], now: datetime, hash_text: HashText) -> dict[str, Any]:
    """One finished task of an agent."""
    clean = {
        "name": columns.plain_name,
        "number": columns.finite_number,
        "count": columns.whole_number,
        "id": lambda value: columns.identifier(value, hash_text),
    }
    patterns = fields["patterns"]
    if isinstance(patterns, Mapping):
        patterns = {
            columns.plain_name(name) or "other": columns.whole_number(count)
            for name, count in patterns.items()
        }
    success = fields["success"]
    return {
        "event_id": fields["event_id"],
        "agent_id": columns.plain_name(fields["agent_id"]),
        "occurred_at": _moment(fields["occurred_at"]) or _iso(now),
        "success": None if success is None else bool(success),
        "patterns": patterns if isinstance(patterns, Mapping) else columns.plain_names(patterns),
        "error_type": columns.class_name(fields["error_type"]),
        **{name: clean[kind](fields.get(name)) for name, kind in USAGE_FIELDS.items()},
        "schema_version": 1,
    }


USAGE_FIELDS = {
    "task_type": "name",
    "cost_cents": "number",
    "latency_ms": "number",
    "provider": "name",
    "model": "name",
    "prompt_tokens": "count",
    "completion_tokens": "count",
    "cache_read_tokens": "count",
    "cache_write_tokens": "count",
    "total_tokens": "count",
    "session_id": "id",
    "project_id": "id",
    "run_id": "id",
}


def _moment(value: datetime | str | None) -> str | None:
    """An instant in UTC; a time without an offset is this machine's."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    return None if value is None else _iso(value.astimezone(UTC))


def _iso(value: datetime) -> str:
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
