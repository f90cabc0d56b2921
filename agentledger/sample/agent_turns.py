"""Made-up telemetry of an assistant: its model calls and the summaries of its turns.

Belongs here: sessions with something to find in them (a mode whose turns end in loops, turns that
are cut off after their first tools, calls that no summary has ended yet) and the habits of their
writer. Does not belong here: the format (formats.md 3), other logs (`event_logs.py`).

The texts are filler: a reader keeps their lengths.
"""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

DAYS = 60
MODELS = ("claude-sonnet-4-5", "claude-haiku-4-5")
MODES = {"vibe": 0.5, "collaborate": 0.3, "delegate": 0.2}
TOOLS = ("read_file", "write_file", "run_tests", "search_code", "list_files")
ENDS = {
    "vibe": ("completed", "completed", "completed", "completed", "user_aborted", "empty_no_tools"),
    "collaborate": (
        "completed", "completed", "completed", "round_cap", "user_aborted", "silent_rounds",
    ),
    # Left alone, the assistant runs in circles.
    "delegate": (
        "completed", "loop_detected:same_tool", "loop_detected:ping_pong", "tool_failure",
        "round_cap",
    ),
}  # fmt: skip
FILE_NAME = "agent_telemetry.jsonl"


def write_agent_turns(folder: Path, rng: random.Random, turns: int, until: date) -> int:
    """Write the calls and turns of one project into its tracker folder.

    Args:
        folder: `.session-buddy` of the project.
        rng: Decides everything.
        turns: Turns to invent; each is a summary with the calls before it.
        until: First day without events.

    Returns:
        Records written, as a reader must find them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records = list(_records(rng, turns, until))
    lines = (json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    (folder / FILE_NAME).write_text("".join(lines), encoding="utf-8")
    return len(records)


def _records(rng: random.Random, turns: int, until: date) -> Iterator[dict[str, Any]]:
    start = datetime.combine(until - timedelta(days=DAYS), time())
    left = turns
    while left:
        at = start + timedelta(microseconds=rng.randrange((DAYS - 1) * 86_400_000_000))
        session, mode = f"thread-{rng.getrandbits(40):010x}", _mode(rng)
        for _ in range(min(left, 1 + rng.randrange(6))):
            records = _turn(rng, session, mode, at)
            yield from records
            at = _instant_of(records[-1]) + timedelta(seconds=15 + rng.expovariate(1 / 90))
            left -= 1
        if rng.random() < 0.1:  # the person left before the turn was over
            yield _call(rng, session, mode, at, 0, ["search_code"])


def _mode(rng: random.Random) -> str:
    return rng.choices(list(MODES), weights=list(MODES.values()))[0]


def _instant_of(record: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(record["created_at"]).replace(tzinfo=None)


def _turn(rng: random.Random, session: str, mode: str, at: datetime) -> list[dict[str, Any]]:
    reason = rng.choice(ENDS[mode])
    rounds = 1 + rng.randrange(6) if reason == "completed" else 1 + rng.randrange(4)
    calls, now = [], at
    for number in range(rounds):
        tools: list[str] = [] if number == rounds - 1 else rng.sample(TOOLS, 1 + rng.randrange(2))
        call = _call(rng, session, mode, now, number, tools)
        calls.append(call)
        now += timedelta(milliseconds=call["duration_ms"] + rng.randrange(50, 900))
    used = [tool for call in calls for tool in call["tool_calls"] or []]
    prompt = sum(call["prompt_tokens"] for call in calls)
    completion = sum(call["completion_tokens"] for call in calls)
    told = rng.random()
    summary = _record(rng, session, mode, now, "turn_summary") | {
        "response_text": "Done. " * (1 + rng.randrange(30)),
        "tool_calls": [{"name": tool["name"]} for tool in used],
        "tool_results": [
            {"name": tool["name"], "ok": True, "output": "[redacted]"} for tool in used
        ],
        "stop_reason": None if told < 0.04 else reason,
        "rounds": None if told > 0.97 else rounds,
        "tool_call_count": len(used),
        "turn_intent": "action" if used else "conversational",
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": None if told < 0.3 else prompt + completion,
        "duration_ms": round((now - at) / timedelta(milliseconds=1)),
    }
    return [*calls, summary]


def _call(
    rng: random.Random, session: str, mode: str, at: datetime, number: int, tools: Sequence[str]
) -> dict[str, Any]:
    prompt, completion = 1800 + 900 * number + rng.randrange(600), 40 + rng.randrange(500)
    history = [{"role": "user", "content": "please go on"}] * (1 + number)
    return _record(rng, session, mode, at, "llm_call") | {
        "system_prompt": "You help with code. " * 8,
        "chat_history": history,
        "response_thoughts": "Let me look. " * (1 + rng.randrange(9)),
        "tool_calls": [{"name": tool, "args": {"path": "src/app.py"}} for tool in tools],
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "duration_ms": 900 + rng.randrange(5000),
    }


def _record(
    rng: random.Random, session: str, mode: str, at: datetime, record_type: str
) -> dict[str, Any]:
    digits = f"{rng.getrandbits(128):032x}"
    return {
        "id": f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}",
        "created_at": at.isoformat(timespec="milliseconds") + "Z",
        "record_type": record_type,
        "project_id": None,
        "session_id": session,
        "user_message": "Please mend the failing test.",
        "model_used": MODELS[mode == "vibe"],
        "system_prompt": "",
        "chat_history": [],
        "response_text": None,
        "response_thoughts": None,
        "tool_calls": None,
        "tool_results": None,
        "stop_reason": None,
        "rounds": None,
        "tool_call_count": None,
        "turn_intent": None,
        "chat_mode": mode,
    }
