"""Skills, workflows and tasks through the same writer: fields in their class, nothing raised."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from agentledger.emit import EventRecorder, EventWriter

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PRIVATE = "Zanzibar account 4929 1234"


@pytest.fixture
def recorder(tmp_path: Path) -> EventRecorder:
    return EventRecorder(writer=EventWriter(tmp_path, linger_seconds=60))


def rows(recorder: EventRecorder, home: Path, kind: str) -> list[dict[str, Any]]:
    assert recorder.flush()
    files = sorted((home / "spool").glob(f"{kind}-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def test_a_use_of_a_skill_says_how_it_ended(recorder: EventRecorder, tmp_path: Path) -> None:
    """Should keep the class of an error; unknown has neither duration nor error (0.2)."""
    recorder.skill("review", completed=True, duration_seconds=1.5, invoked_at=NOON, session_id="s")
    recorder.skill("review", completed=False, error=ValueError(PRIVATE), invoked_at=NOON)
    recorder.skill("review", duration_seconds=9.0, error="boom", invoked_at=NOON)
    ok, failed, unknown = rows(recorder, tmp_path, "skill_invocations")
    assert ok | {"event_id": None} == {
        "event_id": None,
        "skill_name": "review",
        "invoked_at": "2026-03-01T12:00:00.000000Z",
        "session_id": "s",
        "project_id": None,
        "workflow_path": None,
        "completed": True,
        "duration_seconds": 1.5,
        "alternatives_considered": None,
        "selection_rank": None,
        "error_type": None,
    }
    assert (failed["completed"], failed["error_type"]) == (False, "ValueError")
    assert (unknown["completed"], unknown["duration_seconds"], unknown["error_type"]) == (
        False,
        None,
        None,
    )


def test_a_workflow_is_told_twice_under_one_id(recorder: EventRecorder, tmp_path: Path) -> None:
    """Should end a run that has ended, and keep the order and the repeats of its skills."""
    run_id = recorder.workflow("feature", "running", started_at=NOON)
    again = recorder.workflow(
        "feature",
        "completed",
        workflow_id=run_id,
        completed_at=NOON + timedelta(milliseconds=1500),
        skills_used=["plan", "build", "build"],
        total_duration_ms=1500,
    )
    recorder.workflow("feature", "failed", skills_used=[])
    first, second, third = rows(recorder, tmp_path, "workflow_executions")
    assert run_id == again == first["workflow_id"] == second["workflow_id"]
    assert (first["status"], first["completed_at"], first["skills_used"]) == ("running", None, None)
    assert second["started_at"] == "2026-03-01T12:00:00.000000Z"
    assert second["completed_at"] == "2026-03-01T12:00:01.500000Z"
    assert second["skills_used"] == ["plan", "build", "build"]
    assert third["completed_at"] is not None
    assert third["skills_used"] == []


def test_a_task_keeps_unknown_apart_from_zero(recorder: EventRecorder, tmp_path: Path) -> None:
    """Should write the fields of the contract, times in UTC and counts as counts."""
    recorder.usage(
        "coder",
        occurred_at=NOON.astimezone(timezone(timedelta(hours=2))),
        success=None,
        cost_cents=0,
        patterns={"retry": 2},
        prompt_tokens=900,
        error=TimeoutError,
    )
    recorder.usage("coder", patterns=["retry", "retry"])
    first, second = rows(recorder, tmp_path, "usage_events")
    assert first["occurred_at"] == "2026-03-01T12:00:00.000000Z"
    assert (first["success"], first["cost_cents"], first["latency_ms"]) == (None, 0.0, None)
    assert (first["prompt_tokens"], first["total_tokens"]) == (900, None)
    assert first["error_type"] == "TimeoutError"
    assert (first["patterns"], second["patterns"]) == ({"retry": 2}, ["retry", "retry"])


def test_sentences_never_reach_the_spool(recorder: EventRecorder, tmp_path: Path) -> None:
    """The tempting change is a free `metadata` field: somebody's prompt would land in it."""
    recorder.skill(PRIVATE, workflow_path=PRIVATE, alternatives_considered=[PRIVATE], error=PRIVATE,
                   completed=False, session_id=PRIVATE)  # fmt: skip
    recorder.workflow(PRIVATE, PRIVATE, project_id=PRIVATE, skills_used=[PRIVATE])
    recorder.usage(PRIVATE, model=PRIVATE, run_id=PRIVATE, patterns={PRIVATE: 1})
    recorder.flush()
    assert recorder.stats()["written"] == 3
    stored = b"".join(file.read_bytes() for file in (tmp_path / "spool").iterdir())
    assert b"Zanzibar" not in stored
    assert b"4929" not in stored


def test_nonsense_is_counted_and_never_raised(recorder: EventRecorder, tmp_path: Path) -> None:
    """Should leave out a field that does not exist, and lose only an event that cannot be one."""
    recorder.usage("coder", no_such_field=PRIVATE)
    assert recorder.stats()["last_error"] == "TypeError"
    recorder.skill("review", alternatives_considered=7)  # type: ignore[arg-type]
    recorder.workflow("feature", "running", started_at="yesterday")
    recorder.flush()
    assert (recorder.stats()["written"], recorder.stats()["failed"]) == (2, 1)
    assert "no_such_field" not in rows(recorder, tmp_path, "usage_events")[0]
