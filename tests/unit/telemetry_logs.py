"""Records of agent_telemetry as their writer makes them, for tests of the vault and of exports.

Belongs here: a call, a summary, a short conversation. Does not belong here: expectations.
"""

import json
from pathlib import Path
from typing import Any


def call(number: int = 1, session: str = "t-1", **changes: Any) -> dict[str, Any]:
    """One model call; keywords replace fields."""
    record = {
        "id": f"0b0e7c1a-0000-4000-8000-{number:012d}",
        "created_at": f"2026-08-04T12:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "record_type": "llm_call",
        "project_id": None,
        "session_id": session,
        "user_message": f"question {number}",
        "model_used": "model-a",
        "system_prompt": "You help.",
        "chat_history": [],
        "response_text": f"answer {number}",
        "response_thoughts": None,
        "tool_calls": None,
        "tool_results": None,
        "stop_reason": None,
        "rounds": None,
        "tool_call_count": None,
        "turn_intent": None,
        "chat_mode": "vibe",
        "prompt_tokens": 120,
        "completion_tokens": 30,
        "total_tokens": 150,
        "duration_ms": 900,
    }
    return record | changes


def summary(number: int = 2, session: str = "t-1", **changes: Any) -> dict[str, Any]:
    """The end of a turn."""
    base = {
        "record_type": "turn_summary", "system_prompt": "", "stop_reason": "completed",
        "rounds": 1, "tool_call_count": 0, "duration_ms": 1500,
    }  # fmt: skip
    return call(number, session, **(base | changes))


def write(path: Path, *records: dict[str, Any]) -> Path:
    """Write a log of lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
