"""One session as a transcript, Claude Code's telemetry and Langfuse tell of it.

Belongs here: what each source writes of it. Does not belong here: what counts
(`test_told_twice.py`).

The session was written by hand, once per source, and so were its numbers:

| Call | input | cache write | cache read | output |
|---|---|---|---|---|
| req_1 | 10 | 300 | 5,000 | 200 |
| req_2 | 20 | 0 | 6,000 | 50 |
| **both** | 30 | 300 | 11,000 | 250 |

It calls the skill `review`, the tool `Bash` and the subagent `dev`, each once. Telemetry also tells
of a request that failed, which no transcript has, and its counters tell 2 output tokens more.
"""

import json
from typing import Any

from tests import otlp

MODEL = "claude-opus-4-6"
CALLS = (
    {"input_tokens": 10, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 5000,
     "output_tokens": 200},
    {"input_tokens": 20, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 6000,
     "output_tokens": 50},
)  # fmt: skip


def transcript() -> str:
    """Three calls of tools by two responses, and their results."""
    blocks = (
        [{"type": "tool_use", "id": "t1", "name": "Skill", "input": {"skill": "review"}},
         {"type": "tool_use", "id": "t2", "name": "Bash", "input": {}}],
        [{"type": "tool_use", "id": "t3", "name": "Task", "input": {"subagent_type": "dev"}}],
    )  # fmt: skip
    around = {"sessionId": otlp.SESSION, "cwd": "/home/u/app", "version": "2.1.42"}
    lines: list[dict[str, Any]] = []
    for number, (usage, content) in enumerate(zip(CALLS, blocks, strict=True), start=1):
        lines.append(
            around | {
                "type": "assistant", "uuid": f"aa000000-0000-4000-8000-00000000000{number}",
                "requestId": f"req_{number}", "timestamp": f"2026-06-12T20:20:{number:02d}Z",
                "message": {"id": f"msg_{number}", "model": MODEL, "role": "assistant",
                            "content": content, "usage": usage},
            }
        )  # fmt: skip
    for number in (1, 2, 3):
        lines.append(
            around | {
                "type": "user", "uuid": f"bb000000-0000-4000-8000-00000000000{number}",
                "timestamp": f"2026-06-12T20:20:{number + 10}Z",
                "message": {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": f"t{number}", "content": "ok"}]},
                "toolUseResult": {"success": True, "commandName": "review"},
            }
        )  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines)


def telemetry() -> str:
    """The same as log events, as spans, and as counters of which one point was sent twice."""
    named = [
        {"input_tokens": call["input_tokens"], "output_tokens": call["output_tokens"],
         "cache_read_tokens": call["cache_read_input_tokens"],
         "cache_creation_tokens": call["cache_creation_input_tokens"]}
        for call in CALLS
    ]  # fmt: skip
    skill = {"skill.name": "review", "invocation_trigger": "claude-proactive"}
    events = otlp.logs(
        otlp.event(1, "user_prompt", prompt_length=13),
        otlp.event(2, "api_request", request_id="req_1", model=MODEL, cost_usd=0.25, **named[0]),
        otlp.event(3, "skill_activated", **skill),
        otlp.event(4, "tool_result", tool_name="Skill", success="true", duration_ms=4),
        otlp.event(5, "tool_result", tool_name="Bash", success="true", duration_ms=250),
        otlp.event(6, "api_error", model=MODEL, status_code=529),
        otlp.event(7, "api_request", request_id="req_2", model=MODEL, cost_usd=0.5, **named[1]),
        otlp.event(8, "subagent_completed", agent_type="dev", total_tokens=900, duration_ms=5000),
        service_name="claude-code",
    )
    spans = otlp.traces(
        *(
            otlp.span(number, name="claude_code.llm_request",
                      attrs={"session.id": otlp.SESSION, "model": MODEL, **tokens})
            for number, tokens in enumerate(named, start=1)
        ),
        service_name="claude-code",
    )  # fmt: skip
    first = metric_points(1, {"input": 10, "output": 200, "cacheRead": 5000, "cacheCreation": 300})
    second = metric_points(2, {"input": 20, "output": 52, "cacheRead": 6000})
    return otlp.lines(events, spans, first, second, second, cost_points())


def metric_points(minute: int, amounts: dict[str, int]) -> dict[str, Any]:
    """A request of delta points of the counter of tokens."""
    points = [point(minute, {"type": name, "model": MODEL}, asInt=str(amount))
              for name, amount in amounts.items()]  # fmt: skip
    data = {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": points}
    return otlp.metrics({"name": "claude_code.token.usage", "unit": "tokens", "sum": data},
                        service_name="claude-code")  # fmt: skip


def cost_points() -> dict[str, Any]:
    """Cumulative points of the counter of cost: 0.25, 0.5, then anew from another start, 0.25."""
    points = [
        point(1, {"model": MODEL}, asDouble=0.25),
        point(2, {"model": MODEL}, asDouble=0.5),
        point(4, {"model": MODEL}, asDouble=0.25,
              startTimeUnixNano=str(otlp.BEGIN + 180 * otlp.SECOND)),
    ]  # fmt: skip
    data = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": points}
    return otlp.metrics({"name": "claude_code.cost.usage", "unit": "USD", "sum": data},
                        service_name="claude-code")  # fmt: skip


def point(minute: int, values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "startTimeUnixNano": str(otlp.BEGIN),
        "timeUnixNano": str(otlp.BEGIN + minute * 60 * otlp.SECOND),
        "attributes": otlp.attributes({"session.id": otlp.SESSION} | values),
    } | changes


def langfuse() -> str:
    """The same as a trace of Langfuse: only the trace names the session."""

    def observation(number: int, kind: str, **values: Any) -> dict[str, Any]:
        return {
            "id": f"ob-{number}", "traceId": "tr-1", "type": kind, "name": f"thing-{number}",
            "startTime": f"2026-06-12T20:20:0{number}.000Z",
            "endTime": f"2026-06-12T20:20:1{number}.000Z", "level": "DEFAULT",
            "parentObservationId": None if number == 1 else "ob-1",
        } | values  # fmt: skip

    observations = [observation(1, "AGENT", name="dev")]
    for number, call in enumerate(CALLS, start=2):
        cached = call["cache_read_input_tokens"] + call["cache_creation_input_tokens"]
        observations.append(observation(number, "GENERATION", model=MODEL, usageDetails={
            "input": call["input_tokens"], "output": call["output_tokens"],
            "input_cache_read": call["cache_read_input_tokens"],
            "input_cache_creation": call["cache_creation_input_tokens"],
            "total": call["input_tokens"] + call["output_tokens"] + cached,
        }))  # fmt: skip
    observations.append(observation(4, "TOOL", name="Bash"))
    trace = {"id": "tr-1", "name": "session", "timestamp": "2026-06-12T20:20:00.000Z",
             "userId": None, "sessionId": otlp.SESSION}  # fmt: skip
    return json.dumps({"trace": trace, "observations": observations})
