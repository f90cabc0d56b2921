"""Model calls and turns from file to raw, in each form in which a table of them is exported."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger.ingest import copy_text
from tests.unit.event_logs import Logs

CALL: dict[str, Any] = {
    "id": "0b0e7c1a-0000-4000-8000-000000000001", "created_at": "2026-05-04T12:00:01.120Z",
    "record_type": "llm_call", "project_id": "p1", "session_id": "t-77",
    "user_message": "SECRET\tquestion \\ one", "model_used": "model-a",
    "system_prompt": "SECRET prompt", "chat_history": [{"role": "user", "content": "SECRET"}],
    "response_text": None, "response_thoughts": "SECRET\nthoughts",
    "tool_calls": [{"name": "write_file", "args": {"path": "SECRET.ts"}}], "tool_results": None,
    "stop_reason": None, "rounds": None, "tool_call_count": None, "turn_intent": None,
    "chat_mode": "vibe", "prompt_tokens": 5120, "completion_tokens": 310, "total_tokens": 5430,
    "duration_ms": 4120,
}  # fmt: skip
SUMMARY: dict[str, Any] = CALL | {
    "id": "0b0e7c1a-0000-4000-8000-000000000002", "created_at": "2026-05-04 12:00:09.05+00",
    "record_type": "turn_summary", "system_prompt": "x", "stop_reason": "loop_detected:same_tool",
    "rounds": 2, "tool_call_count": 5, "total_tokens": None, "duration_ms": 9050,
}  # fmt: skip
KEPT = (
    "event_id, ts, record_type, session_id, model, stop_reason, stop_detail, rounds, tool_names, "
    "user_message_length, history_messages, prompt_tokens, total_tokens, duration_ms"
)
EXPECTED = [
    (CALL["id"], CALL["created_at"], "llm_call", "t-77", "model-a", None, None, None,
     '["write_file"]', 21, 1, "5120", "5430", "4120"),
    (SUMMARY["id"], SUMMARY["created_at"], "turn_summary", "t-77", "model-a", "loop_detected",
     "same_tool", "2", '["write_file"]', 21, 1, "5120", None, "9050"),
]  # fmt: skip


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _encoded(record: dict[str, Any]) -> dict[str, Any]:
    """Lists as text, as some exports write a jsonb column."""
    return {
        name: _text(value) if isinstance(value, list) else value for name, value in record.items()
    }


def _as_csv(records: list[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(CALL))
    writer.writeheader()
    writer.writerows([{name: _text(value) for name, value in r.items()} for r in records])
    return stream.getvalue()


def _copied(value: Any) -> str:
    text = _text(value)
    if text is None:
        return copy_text.NULL
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return text


def _as_copy_text(records: list[dict[str, Any]]) -> str:
    lines = ["\t".join(CALL), *("\t".join(map(_copied, record.values())) for record in records)]
    return "\n".join([*lines, "\\.", ""])


FORMS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "t.jsonl": lambda records: "".join(json.dumps(r) + "\n" for r in records),
    "twice-encoded.jsonl": lambda records: "".join(json.dumps(_encoded(r)) + "\n" for r in records),
    "list.json": lambda records: json.dumps(records, indent=1),
    "wrapped.json": lambda records: json.dumps({"agent_telemetry": records}),
    "t.csv": _as_csv,
    "t.tsv": _as_copy_text,
    "t.copy": _as_copy_text,
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_an_export_gives_the_same_rows_without_texts(logs: Logs, name: str) -> None:
    (logs.folder / name).write_text(FORMS[name]([CALL, SUMMARY]), encoding="utf-8", newline="")
    counts = logs.counts()
    assert (counts["accepted"], counts["rejected"]) == (2, 0)
    rows = logs.ledger.rows(f"select {KEPT} from raw.agent_telemetry order by event_id")
    assert rows == EXPECTED
    assert "SECRET" not in str(logs.ledger.rows("select * from raw.agent_telemetry"))
    assert logs.counts()["accepted"] == 0, "twice is once"


def test_unknown_kinds_and_reasons_land_and_sentences_do_not(logs: Logs) -> None:
    logs.write(
        "t.jsonl",
        CALL | {"record_type": "tool_run", "stop_reason": "gave_up:Because of SECRET things"},
        SUMMARY | {"stop_reason": "I stopped at SECRET", "prompt_tokens": -5, "duration_ms": 1e99},
    )
    assert logs.counts()["accepted"] == 2
    found = logs.ledger.rows(
        "select record_type, stop_reason, stop_detail, prompt_tokens from raw.agent_telemetry "
        "order by event_id"
    )
    assert found == [
        ("tool_run", "gave_up", "other", "5120"),
        ("turn_summary", "other", None, "-5"),
    ]


def test_a_torn_row_costs_itself_alone(logs: Logs) -> None:
    lines = _as_copy_text([CALL, SUMMARY]).split("\n")
    lines.insert(2, "0b0e7c1a\tonly two cells")
    (logs.folder / "t.tsv").write_text("\n".join(lines), encoding="utf-8", newline="")
    counts = logs.counts()
    assert (counts["records_read"], counts["accepted"], counts["rejected"]) == (3, 2, 1)
    assert logs.ledger.rows("select reason, line_no from raw.rejects") == [("malformed_record", 3)]


@given(st.lists(st.lists(st.one_of(st.none(), st.text()), min_size=2, max_size=2), max_size=5))
def test_what_postgres_escapes_comes_back(cells: list[list[str | None]]) -> None:
    text = "\n".join(["id\tname", *("\t".join(map(_copied, row)) for row in cells)])
    expected = [
        {name: cell for name, cell in zip(("id", "name"), row, strict=True) if cell is not None}
        for row in cells
    ]
    assert copy_text.is_copy_text(text)
    assert [row for _, _, row in copy_text.rows(text)] == expected
