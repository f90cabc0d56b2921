"""What was said in calls that hold their texts: results of tools, shapes that nobody knows."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agentledger.query.recorded_sessions import utterances

USER = {"role": "user", "content": "add"}


class Kept:
    """A vault of calls, each under its number."""

    def __init__(self, *calls: dict[str, list[Any]]) -> None:
        self.calls = calls

    def texts_of(
        self, records: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], dict[str, list[str]]]:
        return {
            (key, version): {
                field: [json.dumps(value) for value in values]
                for field, values in self.calls[int(key)].items()
            }
            for key, version in records
            if self.calls[int(key)]
        }


def said(*calls: dict[str, list[Any]]) -> list[tuple[str, str]]:
    """Kind and text of what was said in some calls, one after the other."""
    rows = [
        {"record_key": str(number), "content_hash": "v", "occurred_at": None}
        for number in range(len(calls))
    ]
    return [(item.kind, item.text) for item in utterances(rows, Kept(*calls))]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "3"}]},
        {"role": "user", "content": [
            {"type": "tool_result", "content": [{"type": "text", "text": "3"}]}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "a", "response": "3"}]},
        {"role": "tool", "tool_call_id": "a", "content": "3"},
    ],
    ids=["anthropic", "anthropic parts", "genai conventions", "openai"],
)  # fmt: skip
def test_results_of_tools_are_told_as_such(message: dict[str, Any]) -> None:
    """Some libraries say that the user said them."""
    first = {"input": [USER], "output": ["I add."]}
    second = {"input": [USER, {"role": "assistant", "content": "I add."}, message], "output": ["3"]}
    assert said(first, second) == [
        ("user", "add"), ("answer", "I add."), ("tool_result", "3"), ("answer", "3"),
    ]  # fmt: skip


def test_another_conversation_in_the_session_is_told_from_its_beginning() -> None:
    """Its request does not go on from the call before: an agent asked another one."""
    inner = {"input": [{"role": "user", "content": "check"}], "output": ["fine"]}
    assert said({"input": [USER], "output": ["3"]}, inner) == [
        ("user", "add"), ("answer", "3"), ("user", "check"), ("answer", "fine"),
    ]  # fmt: skip


def test_a_shape_that_nobody_knows_is_shown_as_written() -> None:
    """Refused where a data set would have to guess, but nothing is hidden from who replays."""
    assert said({"input": [[1]], "output": ["x"]}) == [("user", "[1]"), ("answer", '"x"')]


def test_a_call_without_texts_says_nothing() -> None:
    assert said({}, {"input": [USER], "output": ["3"]}) == [("user", "add"), ("answer", "3")]
