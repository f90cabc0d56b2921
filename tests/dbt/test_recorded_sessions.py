"""Replays of sessions whose calls hold what was asked and answered: Langfuse, with a vault.

Belongs here: the order and the once-only of what is told. Does not belong here: the shapes of
requests and responses (`tests/unit/test_recorded_shapes.py`).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.query.replays import replay
from agentledger.settings import Settings
from tests.dbt.vaulted_ledger import collect_and_build

AS_OF = datetime(2026, 5, 5, tzinfo=UTC)


def langfuse_call(number: int, given: list[dict[str, Any]], output: Any) -> dict[str, Any]:
    """A generation of one session, whose request repeats what stands before it."""
    return {
        "project_id": "pj-1", "type": "GENERATION", "provided_model_name": "model-a",
        "usage_details": {
            "input": 12, "input_cache_creation": 5, "input_cache_read": 100, "output": 3,
        },
        "id": f"ob-talk-{number}", "trace_id": f"tr-talk-{number}", "session_id": "lf-talk",
        "start_time": f"2026-05-04 13:00:0{number}.000000",
        "end_time": f"2026-05-04 13:00:0{number}.500000", "input": given, "output": output,
    }  # fmt: skip


ASKED = {"role": "user", "content": "is the fuse long?"}
LOOKS = {
    "role": "assistant",
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "measure", "arguments": '{"it": 1}'}}
    ],
}
MEASURED = {"role": "tool", "tool_call_id": "c1", "name": "measure", "content": "4 m"}
RULE = {"role": "system", "content": "Be brief."}
TALK = [
    langfuse_call(1, [RULE, ASKED], LOOKS),
    langfuse_call(2, [RULE, ASKED, LOOKS, MEASURED], "It is 4 m."),
    langfuse_call(3, [RULE, ASKED, LOOKS, MEASURED, {"role": "assistant", "content": "It is 4 m."},
                      {"role": "user", "content": [{"type": "text", "text": "cut it"}]}], "Cut."),
]  # fmt: skip


@pytest.fixture(scope="module")
def settings(dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger of one session whose owner keeps its texts, built once."""
    base = tmp_path_factory.mktemp("recorded_sessions")
    settings = Settings(home=base / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    folder = base / "langfuse"
    folder.mkdir()
    lines = "".join(json.dumps(record) + "\n" for record in TALK)
    (folder / "observations.jsonl").write_text(lines, encoding="utf-8")
    registry.add_source(settings, "langfuse", str(folder), "UTC", content="vault")
    collect_and_build(settings, dbt, AS_OF)
    return settings


def test_calls_that_hold_their_texts_are_replayed_each_thing_once(settings: Settings) -> None:
    """Each request repeats the one before and its answer: told as written, it would grow."""
    found = replay("lf-talk", settings=settings)
    assert found["source_kind"] == "langfuse" and found["has_texts"]
    assert [(row["kind"], row["tool_name"], row["text"]) for row in found["messages"]] == [
        ("system", None, "Be brief."),
        ("user", None, "is the fuse long?"),
        ("tool_call", "measure", '{"it": 1}'),
        ("tool_result", "measure", "4 m"),
        ("answer", None, "It is 4 m."),
        ("user", None, "cut it"),
        ("answer", None, "Cut."),
    ]
    assert [(row["seq_in_turn"], row["tokens"]) for row in found["records"]] == [
        (1, 120), (2, 120), (3, 120),
    ]  # fmt: skip
    # The raw request stands nowhere beside it.
    assert all("texts" not in row and "record_key" not in row for row in found["records"])


def test_a_session_is_found_by_its_key_too(settings: Settings) -> None:
    key = replay("lf-talk", settings=settings)["session_key"]
    assert replay(key[:8], settings=settings)["messages"]


def test_without_texts_the_calls_are_told(settings: Settings) -> None:
    """What is kept of no text stands there all the same: times, models, tokens."""
    found = replay("lf-talk", texts=Nothing(), settings=settings)
    assert not found["has_texts"] and "keeps no texts" in found["note"]
    assert [row["model"] for row in found["records"]] == ["model-a"] * 3


class Nothing:
    """A vault of other sessions."""

    def texts_of(self, records: object) -> dict[tuple[str, str], dict[str, list[str]]]:
        return {}
