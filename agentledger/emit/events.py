"""Events besides intents: uses of skills, runs of workflows, tasks of agents.

Belongs here: `EventRecorder` and the job that waits. Does not belong here: what a row holds
(`event_rows.py`), how it is read again (`ingest/`). Free text is never among the fields.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agentledger.emit.jobs import HashText
from agentledger.emit.recorder import open_writer
from agentledger.emit.trace import new_event_id
from agentledger.emit.writer import EventWriter, WriterStats

SKILL_KIND = "skill_invocations"
WORKFLOW_KIND = "workflow_executions"
USAGE_KIND = "usage_events"

_USAGE_FIELDS = frozenset(
    (
        "task_type", "cost_cents", "latency_ms", "provider", "model",
        "prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens",
        "total_tokens", "session_id", "project_id", "run_id",
    )
)  # fmt: skip

Error = type[BaseException] | BaseException | str | None
"""What broke; only the name of its class is kept."""


class EventRecorder:
    """Emit what skills, workflows and agents did; private by default, never raises.

    Args:
        home: Data home; None means the ledger of this user.
        writer: Replaces the writer that recorders of one home share.
    """

    def __init__(
        self, home: Path | str | None = None, *, writer: EventWriter | None = None
    ) -> None:
        self._writer = open_writer(home) if writer is None else writer

    def skill(
        self,
        skill_name: str,
        *,
        completed: bool | None = None,
        duration_seconds: float | None = None,
        invoked_at: datetime | str | None = None,
        session_id: object = None,
        error: Error = None,
        workflow_path: str | None = None,
        selection_rank: int | None = None,
        alternatives_considered: Iterable[str] | None = None,
        project_id: str | None = None,
    ) -> str:
        """Queue one use of a skill, at its end; returns the event's id.

        Args:
            skill_name: Name of the skill.
            completed: Whether it did what it should; None is unknown, not failed.
            duration_seconds: How long it took.
            invoked_at: When it began; default: now less the duration.
            session_id: Session in which it was used.
            error: What broke it; its class name is kept.
            workflow_path: Name of the path or phase that used it.
            selection_rank: Its place among the skills proposed, 1 the first.
            alternatives_considered: The other skills that were proposed.
            project_id: Project, as the host names it.
        """
        return self._queue(
            SKILL_KIND,
            "skill_row",
            {
                "event_id": new_event_id(),
                "skill_name": skill_name,
                "invoked_at": invoked_at,
                "session_id": session_id,
                "project_id": project_id,
                "workflow_path": workflow_path,
                "completed": completed,
                "duration_seconds": duration_seconds,
                "alternatives_considered": alternatives_considered,
                "selection_rank": selection_rank,
                "error_type": error,
            },
        )

    def workflow(
        self,
        workflow_name: str,
        status: str,
        *,
        workflow_id: object = None,
        started_at: datetime | str | None = None,
        completed_at: datetime | str | None = None,
        skills_used: Iterable[str] | None = None,
        total_duration_ms: float | None = None,
        project_id: str | None = None,
    ) -> str:
        """Queue the state of a workflow's run; returns the run's id.

        Tell the start (`running`) and later the end under the id of the first call: the later
        status wins.

        Args:
            workflow_name: Name of the workflow.
            status: `running`, `completed`, `failed`, `cancelled`, `pending` or `blocked`.
            workflow_id: Id of the run; default: a new one.
            started_at: When it began; default: its end, or now, less the duration.
            completed_at: When it ended; default: now for a status that is an end.
            skills_used: Skills in their order, repeats kept; `[]` is none, None is unknown.
            total_duration_ms: How long it took.
            project_id: Project, as the host names it.
        """
        return self._queue(
            WORKFLOW_KIND,
            "workflow_row",
            {
                "workflow_id": new_event_id() if workflow_id is None else str(workflow_id),
                "workflow_name": workflow_name,
                "project_id": project_id,
                "started_at": started_at,
                "completed_at": completed_at,
                "status": status,
                "skills_used": skills_used,
                "total_duration_ms": total_duration_ms,
            },
        )

    def usage(
        self,
        agent_id: str,
        *,
        occurred_at: datetime | str | None = None,
        success: bool | None = None,
        error: Error = None,
        patterns: Iterable[str] | Mapping[str, int] | None = None,
        **fields: Any,
    ) -> str:
        """Queue one finished task of an agent; returns the event's id.

        Args:
            agent_id: Name of the agent.
            occurred_at: End of the task; default: now.
            success: None is unknown, not failed.
            error: What broke it; its class name is kept.
            patterns: Names of patterns used, or names with their counts.
            **fields: `task_type`, `cost_cents`, `latency_ms`, `provider`, `model`,
                `prompt_tokens` (cache included), `completion_tokens`, `cache_read_tokens`,
                `cache_write_tokens`, `total_tokens`, `session_id`, `project_id`, `run_id`. Others
                are noted as an error and left out.
        """
        if not fields.keys() <= _USAGE_FIELDS:
            self._writer.note(TypeError())
        known = {
            "event_id": new_event_id(),
            "agent_id": agent_id,
            "occurred_at": occurred_at,
            "success": success,
            "error_type": error,
            "patterns": patterns,
        }
        return self._queue(USAGE_KIND, "usage_row", {**fields, **known})

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Write what waits, on this thread; False when it took longer."""
        return self._writer.flush(timeout_seconds)

    def stats(self) -> WriterStats:
        """What became of the events that went through this recorder's writer."""
        return self._writer.stats()

    def _queue(self, kind: str, row: str, fields: dict[str, Any]) -> str:
        try:
            kept = {name: _kept(value) for name, value in fields.items()}
            self._writer.submit(_EventJob(kind, row, kept))
        except Exception as error:
            self._writer.reject(error)
        return str(fields.get("workflow_id") or fields.get("event_id"))


class _EventJob:
    """An event that waits to be checked and written."""

    __slots__ = ("_at_ns", "_fields", "_row", "kind", "size")

    def __init__(self, kind: str, row: str, fields: dict[str, Any]) -> None:
        self.kind = kind
        self.size = 0
        self._at_ns = time.time_ns()
        self._row = row
        self._fields = fields

    def render(self, hash_text: HashText) -> Mapping[str, Any]:
        from agentledger.emit import event_rows

        fields, self._fields = self._fields, {}
        seconds, rest = divmod(self._at_ns, 1_000_000_000)
        now = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1000)
        return getattr(event_rows, self._row)(fields, now, hash_text)

    def settle(self, written: bool) -> None:
        """Counted by the writer; nobody waits for it."""


def _kept(value: Any) -> Any:
    """What may wait: copies of containers, and of an exception its class without the stack."""
    if value is None or isinstance(value, (str, int, float, datetime, type)):
        return value
    if isinstance(value, BaseException):
        return type(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Iterable) else value
