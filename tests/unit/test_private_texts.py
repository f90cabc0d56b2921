"""Private texts of every reader: nowhere unless their owner wants them, then in the vault alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from agentledger import registry
from agentledger.cli.sources import KINDS_WITH_TEXTS
from tests.unit.conftest import Ledger

MARK: Final = "Zq7MARK"
TIME: Final = "2026-05-04T12:00:00.000Z"
SENTENCE: Final = f"{MARK} said to nobody else"

_ENVELOPE: Final = {
    "parentUuid": None, "isSidechain": False, "cwd": "/home/u/app", "sessionId": "s-1",
    "version": "2.1.42", "timestamp": TIME,
}  # fmt: skip


def _claude(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {**_ENVELOPE, "type": kind, "uuid": f"u-{number}", **more}


def _codex(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": TIME, "type": kind, "payload": payload}


def _attribute(name: str, value: Any = SENTENCE) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": value}}


_PRIVATE_ATTRIBUTES: Final = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
    "gen_ai.prompt", "gen_ai.completion", "gen_ai.prompt.0.content", "gen_ai.completion.0.content",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.definitions",
    "gen_ai.evaluation.explanation", "input.value", "output.value",
    "llm.input_messages.0.message.content", "llm.output_messages.0.message.content",
    "llm.invocation_parameters", "tool.parameters", "metadata", "user.email", "unheard.of",
    "prompt", "response", "tool_input", "error",
)  # fmt: skip

_SPAN: Final = {
    "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
    "name": SENTENCE, "startTimeUnixNano": "1781295600000000000",
    "endTimeUnixNano": "1781295601500000000",
    "attributes": [
        _attribute("gen_ai.operation.name", "chat"), *map(_attribute, _PRIVATE_ATTRIBUTES),
    ],
    "events": [{"name": "gen_ai.user.message", "attributes": [_attribute("content")]}],
    "links": [{"attributes": [_attribute("content")]}],
    "status": {"code": 2, "message": SENTENCE},
}  # fmt: skip
_LOG: Final = {
    "timeUnixNano": "1781295600000000000", "body": {"stringValue": SENTENCE},
    "eventName": "gen_ai.user.message",
    "attributes": [_attribute("event.name", "user_prompt"), *map(_attribute, _PRIVATE_ATTRIBUTES)],
}  # fmt: skip

RECORDS: Final[dict[str, list[dict[str, Any]]]] = {
    "claude-code": [
        _claude(1, "user", message={"role": "user", "content": SENTENCE}),
        _claude(2, "assistant", requestId="r", message={
            "id": "m1", "model": "model-a", "usage": {"input_tokens": 1, "output_tokens": 1},
            "content": [
                {"type": "thinking", "thinking": SENTENCE, "signature": SENTENCE},
                {"type": "text", "text": SENTENCE},
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": SENTENCE}},
                {"type": "image", "source": {"data": SENTENCE}},
            ]}),
        _claude(3, "user", toolUseResult={"stdout": SENTENCE}, message={"content": [
            {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": [
                {"type": "text", "text": SENTENCE},
                {"type": "image", "source": {"data": SENTENCE}}]}]}),
        _claude(4, "system", content=SENTENCE, error=SENTENCE),
        _claude(5, "attachment", attachment={"type": "queued_command", "prompt": SENTENCE}),
        _claude(6, "progress", data={"type": "hook_progress", "output": SENTENCE}),
        {"type": "summary", "summary": SENTENCE, "leafUuid": "x"},
        {"type": "queue-operation", "operation": "enqueue", "content": SENTENCE, "sessionId": "s"},
        {"type": "last-prompt", "lastPrompt": SENTENCE, "sessionId": "s-1"},
        {"type": "file-history-snapshot", "messageId": "m", "snapshot": {SENTENCE: SENTENCE}},
    ],
    "codex": [
        _codex("session_meta", id="th-1", cwd="/home/u/app", instructions=SENTENCE),
        _codex("session_meta", id="th-1", base_instructions={"text": SENTENCE}),
        _codex("response_item", type="message", role="user",
               content=[{"type": "input_text", "text": SENTENCE},
                        {"type": "input_image", "image_url": SENTENCE}]),
        _codex("response_item", type="reasoning", encrypted_content=SENTENCE,
               summary=[{"type": "summary_text", "text": SENTENCE}]),
        _codex("response_item", type="function_call", name="shell", call_id="c1",
               arguments=json.dumps({"command": SENTENCE})),
        _codex("response_item", type="function_call_output", call_id="c1", output=SENTENCE),
        _codex("response_item", type="function_call_output", call_id="c2",
               output={"content": SENTENCE, "success": False}),
        _codex("response_item", type="custom_tool_call", name="p", call_id="c3", input=SENTENCE),
        _codex("response_item", type="web_search_call", action={"query": SENTENCE}),
        _codex("event_msg", type="user_message", message=SENTENCE),
        _codex("event_msg", type="agent_message", message=SENTENCE),
        _codex("compacted", message=SENTENCE, replacement_history=[{"content": SENTENCE}]),
    ],
    "langfuse": [
        {"id": "ob-1", "trace_id": "tr-1", "type": "GENERATION",
         "start_time": "2026-05-01 10:00:00.000000", "name": SENTENCE, "status_message": SENTENCE,
         "input": [{"role": "user", "content": SENTENCE}], "output": SENTENCE,
         "metadata": {"note": SENTENCE}, "tool_calls": [SENTENCE], "tags": [SENTENCE],
         "provided_model_name": "model-a", "usage_details": {"input": 3}},
    ],
    "otlp": [
        {"resourceSpans": [{"resource": {"attributes": [_attribute("host.note")]},
                            "scopeSpans": [{"spans": [_SPAN]}]}]},
        {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [_LOG]}]}]},
    ],
    "events": [
        {"id": "1", "created_at": TIME, "record_type": "llm_call", "model_used": "model-a",
         "duration_ms": 5, "session_id": "s", "user_message": SENTENCE, "system_prompt": SENTENCE,
         "chat_history": [{"role": "user", "content": SENTENCE}], "response_text": SENTENCE,
         "response_thoughts": SENTENCE, "tool_calls": [{"name": "x", "args": SENTENCE}],
         "tool_results": [{"output": SENTENCE}], "stop_reason": f"error:{SENTENCE}"},
    ],
}  # fmt: skip

OTHER_EVENTS: Final[dict[str, dict[str, Any]]] = {
    "intents": {
        "event_id": "e1", "ts": TIME, "session_id": "s", "entrypoint": "chat", "outcome": SENTENCE,
        "utterance_hash": "0" * 64, "utterance": SENTENCE, "utterance_preview": SENTENCE,
        "scope": SENTENCE, "state_observer": [{"verb": "x", "failing_predicate": SENTENCE}],
    },
    "chat": {
        "event_id": "c1", "ts": TIME, "session_id": "s", "turn_id": "1",
        "assistant_message_hash": "0" * 64, "assistant_message": SENTENCE,
        "assistant_message_preview": SENTENCE,
    },
}  # fmt: skip

CASES: Final = [
    *((kind, kind, records) for kind, records in RECORDS.items()),
    *((name, "events", [record]) for name, record in OTHER_EVENTS.items()),
]


def _where(home: Path) -> Iterator[str]:
    """Files of the data home that hold the mark, by their bytes and by what DuckDB reads there."""
    for path in sorted(home.rglob("*")):
        if not path.is_file():
            continue
        if MARK.encode() in path.read_bytes():
            yield path.name
        elif path.suffix == ".duckdb":
            # A column may be compressed.
            with duckdb.connect(str(path), read_only=True) as connection:
                tables = connection.execute(
                    "select schema_name, table_name from duckdb_tables() where not internal"
                ).fetchall()
                for schema, table in tables:
                    found = connection.execute(
                        f'select count(*) from "{schema}"."{table}" as t '
                        f"where contains(cast(t as varchar), '{MARK}')"
                    ).fetchall()
                    if found != [(0,)]:
                        yield f"{path.name}: {table}"


def _collect(ledger: Ledger, folder: Path, case: tuple[str, str, Any], content: str | None) -> int:
    _, kind, records = case
    path = folder / "sessions" / "rollout-1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    registry.add_source(ledger.settings, kind, str(folder), "UTC", content=content)
    return ledger.collect().totals()["accepted"]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_without_its_owners_word_nothing_private_is_kept_anywhere(
    ledger: Ledger, tmp_path: Path, case: Any
) -> None:
    assert _collect(ledger, tmp_path / "in", case, None) >= len(case[2])
    assert list(_where(ledger.settings.home)) == []
    assert not ledger.settings.vault_path.exists()


@pytest.mark.parametrize("case", [case for case in CASES if case[1] in KINDS_WITH_TEXTS],
                         ids=lambda case: case[0])  # fmt: skip
def test_with_its_owners_word_private_texts_are_in_the_vault_alone(
    ledger: Ledger, tmp_path: Path, case: Any
) -> None:
    assert _collect(ledger, tmp_path / "in", case, "vault") >= len(case[2])
    assert {name.split(":")[0] for name in _where(ledger.settings.home)} == {"vault.duckdb"}
