"""Requests of OTLP as exporters write them, for tests.

Belongs here: one span, log record or point, requests around them, a session of Claude Code and a
trace of OpenInference. Does not belong here: expectations.

Whatever people or models wrote says SECRET, so that a test can look for it.
"""

import json
from typing import Any

BEGIN = 1_781_295_600_000_000_000
"""2026-06-12T20:20:00Z."""

SECOND = 1_000_000_000
SESSION = "5e000000-0000-4000-8000-0000000000aa"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of attributes; integers are texts, as the encoding has it."""

    def encoded(value: Any) -> dict[str, Any]:
        if isinstance(value, bool):
            return {"boolValue": value}
        if isinstance(value, int):
            return {"intValue": str(value)}
        if isinstance(value, float):
            return {"doubleValue": value}
        if isinstance(value, list):
            return {"arrayValue": {"values": [encoded(item) for item in value]}}
        return {"stringValue": value}

    return [{"key": name, "value": encoded(value)} for name, value in values.items()]


def span(number: int, parent: int | None = None, **changes: Any) -> dict[str, Any]:
    """A finished span of one second; `attrs` are its attributes."""
    values = changes.pop("attrs", {})
    return {
        "traceId": TRACE,
        "spanId": f"b7ad6b71692{number:05x}",
        "parentSpanId": "" if parent is None else f"b7ad6b71692{parent:05x}",
        "name": "chat model-a",
        "kind": 3,
        "startTimeUnixNano": str(BEGIN + number * SECOND),
        "endTimeUnixNano": str(BEGIN + (number + 1) * SECOND),
        "attributes": attributes(values),
        "status": {},
        "events": [{"name": "gen_ai.user.message", "attributes": attributes({"c": "SECRET"})}],
        "links": [{"attributes": attributes({"c": "SECRET"})}],
    } | changes


def chat(number: int, parent: int | None = None, **changes: Any) -> dict[str, Any]:
    """A call of a model with the newest names: 1,200 tokens in, of these 200 cached, 80 out."""
    values = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "model-a", "gen_ai.response.model": "model-a-2026",
        "gen_ai.usage.input_tokens": 1200, "gen_ai.usage.output_tokens": 80,
        "gen_ai.usage.cache_read.input_tokens": 200, "gen_ai.conversation.id": "conv-1",
        "gen_ai.response.finish_reasons": ["stop"], "gen_ai.input.messages": "SECRET question",
        "gen_ai.completion.0.content": "SECRET answer", "gen_ai.system_instructions": "SECRET",
    }  # fmt: skip
    return span(number, parent, **({"attrs": values | changes.pop("attrs", {})} | changes))


def traces(*spans: dict[str, Any], **resource: Any) -> dict[str, Any]:
    """A request of spans."""
    return _request("resourceSpans", "scopeSpans", "spans", list(spans), resource)


def logs(*records: Any, **resource: Any) -> dict[str, Any]:
    """A request of log records."""
    return _request("resourceLogs", "scopeLogs", "logRecords", list(records), resource)


def metrics(*items: dict[str, Any], **resource: Any) -> dict[str, Any]:
    """A request of metrics."""
    return _request("resourceMetrics", "scopeMetrics", "metrics", list(items), resource)


def _request(
    root: str, scopes: str, members: str, items: list[Any], resource: dict[str, Any]
) -> dict[str, Any]:
    named = {"service.name": "demo", "host.name": "SECRET-host"} | {
        name.replace("_", "."): value for name, value in resource.items()
    }
    scope = {"scope": {"name": "demo.scope"}, members: items}
    return {root: [{"resource": {"attributes": attributes(named)}, scopes: [scope]}]}


def lines(*requests: Any) -> str:
    """A file as a collector writes it."""
    return "".join(json.dumps(request) + "\n" for request in requests)


def event(sequence: int, name: str, **values: Any) -> dict[str, Any]:
    """A log event of Claude Code; its numbers are texts, as they were before 2.1.122."""
    named = {
        "event.name": name, "event.sequence": sequence, "session.id": SESSION,
        "prompt.id": "b0000000-0000-4000-8000-000000000001", "user.email": "secret@example.com",
        "user.id": "SECRET", "organization.id": "SECRET",
    }  # fmt: skip
    values = {
        key: value if isinstance(value, bool) else str(value) for key, value in values.items()
    }
    return {
        "timeUnixNano": str(BEGIN + sequence * SECOND),
        "observedTimeUnixNano": str(BEGIN + sequence * SECOND + 5),
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": attributes(named | values),
    }


def claude_code_session() -> dict[str, Any]:
    """A prompt, two calls of a model, an error of the API, two tools, a skill."""
    call = {
        "model": "claude-opus-4-6", "input_tokens": 10, "output_tokens": 200,
        "cache_read_tokens": 5000, "cache_creation_tokens": 300, "cost_usd": 0.0125,
        "duration_ms": 1500,
    }  # fmt: skip
    return logs(
        event(1, "user_prompt", prompt="SECRET prompt", prompt_length=13),
        event(2, "api_request", request_id="req_1", query_source="main", **call),
        event(3, "tool_result", tool_name="Bash", success="true", duration_ms="250",
              tool_parameters='{"command": "SECRET"}'),
        event(4, "skill_activated", **{"skill.name": "custom_skill",
              "invocation_trigger": "claude-proactive", "skill.source": "userSettings"}),
        event(5, "api_error", model="claude-opus-4-6", error="SECRET overloaded", status_code=529),
        event(6, "tool_result", tool_name="Edit", success="false", duration_ms="40",
              error="SECRET failed"),
        event(7, "api_request", request_id="req_2", query_source="subagent",
              **{**call, "output_tokens": 50, "cost_usd": 0.005, "skill.name": "review"}),
        service_name="claude-code", service_version="2.1.121",
    )  # fmt: skip


def openinference_trace() -> dict[str, Any]:
    """A chain over an agent over two model calls and a tool: sums above, figures below."""

    def named(kind: str, **values: Any) -> dict[str, Any]:
        dotted = {name.replace("__", "."): value for name, value in values.items()}
        private = {"input.value": "SECRET", "output.value": "SECRET", "metadata": '{"a": "SECRET"}'}
        return {"openinference.span.kind": kind, "session.id": "conv-2"} | private | dotted

    def tokens(prompt: int, completion: int, cost: float) -> dict[str, Any]:
        return {
            "llm.token_count.prompt": prompt, "llm.token_count.completion": completion,
            "llm.token_count.total": prompt + completion, "llm.cost.total": cost,
        }  # fmt: skip

    model = {"llm.model_name": "model-b", "llm.provider": "gemini",
             "llm.input_messages.0.message.content": "SECRET",
             "llm.invocation_parameters": '{"user": "SECRET"}'}  # fmt: skip
    return traces(
        span(1, name="RunnableSequence", attrs=named("CHAIN") | tokens(300, 30, 0.03)),
        span(2, 1, name="agent",
             attrs=named("AGENT", agent__name="planner") | tokens(300, 30, 0.03)),
        span(3, 2, name="ChatModel", attrs=named("LLM") | model | tokens(100, 10, 0.01)),
        span(4, 2, name="search", attrs=named("TOOL", tool__name="search",
             tool__parameters='{"q": "SECRET"}'), status={"code": 2, "message": "SECRET"}),
        span(5, 2, name="ChatModel", attrs=named("LLM") | model | tokens(200, 20, 0.02)
             | {"llm.token_count.prompt_details.cache_read": 50},
             status={"code": "STATUS_CODE_OK"}),
        openinference_project_name="shop bot",
    )  # fmt: skip
