"""Requests and responses as libraries record them: one conversation, or a refusal."""

import json
from typing import Any

import pytest

from agentledger.ingest.otlp_texts import texts_of_span
from agentledger.training.conversation import UnreadableError, read_parts
from agentledger.transcripts.parts import UNREADABLE, CallParts
from agentledger.transcripts.recorded import parts_of_record

USER = {"role": "user", "content": "add"}
ARGUMENTS = {"a": 1}


def conversation(asked: list[Any], answered: list[Any]) -> list[tuple[str, str, list[str]]]:
    parts = parts_of_record(
        {"input": [json.dumps(item) for item in asked],
         "output": [json.dumps(item) for item in answered]}
    )  # fmt: skip
    assert isinstance(parts, CallParts)
    messages = read_parts(parts).messages
    for message in messages:
        assert all(call.arguments == ARGUMENTS for call in message.calls)
    return [(m.role, m.text, [call.name for call in m.calls]) for m in messages]


@pytest.mark.parametrize(
    "asked",
    [
        ["add"],
        [USER],
        [{"messages": [USER], "model": "m", "tools": []}],
        [{"contents": "add", "model": "m"}],
        [{"prompt": "add"}],
        [{"role": "user", "parts": [{"type": "text", "content": "add"}]}],
        [{"role": "user", "parts": [{"text": "add"}]}],
    ],
)
@pytest.mark.parametrize(
    "answered",
    [
        ["done"],
        [{"role": "assistant", "content": "done"}],
        [{"content": [{"type": "text", "text": "done"}], "role": "assistant", "id": "x"}],
        [{"choices": [{"message": {"role": "assistant", "content": "done"}}]}],
        [{"candidates": [{"content": {"parts": [{"text": "done"}], "role": "model"}}]}],
        [{"output": [{"type": "message", "content": [{"type": "output_text", "text": "done"}]}]}],
        [{"role": "assistant", "parts": [{"type": "text", "content": "done"}]}],
    ],
)
def test_a_request_and_its_response_become_a_conversation(
    asked: list[Any], answered: list[Any]
) -> None:
    assert conversation(asked, answered) == [("user", "add", []), ("assistant", "done", [])]


@pytest.mark.parametrize(
    "answered",
    [
        [{"role": "assistant", "content": None, "tool_calls": [
            {"id": "c", "function": {"name": "add", "arguments": json.dumps(ARGUMENTS)}}]}],
        [{"toolCallId": "c", "toolName": "add", "input": ARGUMENTS}],
        [{"role": "model", "parts": [{"functionCall": {"name": "add", "args": ARGUMENTS}}]}],
        [{"output": [{"type": "function_call", "call_id": "c", "name": "add",
                      "arguments": json.dumps(ARGUMENTS)}]}],
        [{"role": "assistant", "parts": [
            {"type": "tool_call", "id": "c", "name": "add", "arguments": ARGUMENTS}]}],
    ],
)  # fmt: skip
def test_tools_that_a_response_calls_survive(answered: list[Any]) -> None:
    assert conversation([USER], answered) == [("user", "add", []), ("assistant", "", ["add"])]


def test_earlier_rounds_of_tools_survive_in_two_more_spellings() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "add", "arguments": '{"a": 1}'}
    given = {"type": "function_call_output", "call_id": "c", "output": "2"}
    wanted = [("user", "add", []), ("assistant", "", ["add"]), ("tool", "2", []),
              ("assistant", "done", [])]  # fmt: skip
    assert conversation([USER, call, given], ["done"]) == wanted
    otel = [
        USER,
        {"role": "assistant", "parts": [
            {"type": "tool_call", "id": "c", "name": "add", "arguments": ARGUMENTS}]},
        {"role": "tool", "content": "2", "tool_call_id": "c"},
    ]  # fmt: skip
    assert conversation(otel, ["done"]) == wanted


@pytest.mark.parametrize(
    "answered",
    [
        [],
        [1],
        ["one", "two"],
        [{"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}]}],
        [{"role": "user", "content": "x"}],
        [{"score": 1}],
        [{"role": "assistant", "content": [{"type": "image"}]}],
    ],
)
def test_a_response_of_an_unknown_shape_is_refused(answered: list[Any]) -> None:
    texts = {"input": ['"add"'], "output": [json.dumps(item) for item in answered]}
    assert parts_of_record(texts) == UNREADABLE


def test_a_request_of_an_unknown_shape_is_refused() -> None:
    assert parts_of_record({"input": ["[1]"], "output": ['"x"']}) == UNREADABLE
    empty = parts_of_record({"input": ['{"temperature": 1}'], "output": ['"x"']})
    if isinstance(empty, CallParts):
        with pytest.raises(UnreadableError):
            read_parts(empty)


# ---- spans


def attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": value}}


def listed(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [attribute(name, value) for name, value in values.items()]


def event(name: str, **values: str) -> dict[str, Any]:
    return {"name": name, "attributes": listed(values)}


ANSWER = {"role": "assistant", "content": "done"}
SPANS = {
    "whole": {"attributes": listed({
        "gen_ai.input.messages": json.dumps([USER]),
        "gen_ai.output.messages": json.dumps([ANSWER])})},
    "indexed": {"attributes": listed({
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "add",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "done"})},
    "openinference": {"attributes": listed({
        "llm.input_messages.3.message.role": "user",
        "llm.input_messages.3.message.content": "add",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.contents.0.message_content.type": "text",
        "llm.output_messages.0.message.contents.0.message_content.text": "done",
        "input.value": "not this"})},
    "events": {"events": [
        event("gen_ai.user.message", content="add"), event("exception", message="no"),
        event("gen_ai.choice", message=json.dumps(ANSWER))]},
    "older events": {"events": [
        event("gen_ai.content.prompt", **{"gen_ai.prompt": json.dumps([USER])}),
        event("gen_ai.content.completion", **{"gen_ai.completion": json.dumps([ANSWER])})]},
    "values": {"attributes": listed({"input.value": "add", "output.value": "done"})},
}  # fmt: skip


@pytest.mark.parametrize("name", SPANS)
def test_each_convention_of_spans_gives_the_same_conversation(name: str) -> None:
    texts = texts_of_span(SPANS[name])
    assert conversation(texts["input"], texts["output"]) == [
        ("user", "add", []), ("assistant", "done", []),
    ]  # fmt: skip


def test_numbered_tool_calls_of_a_span_are_put_in_order() -> None:
    prefix = "llm.output_messages.0.message."
    texts = texts_of_span({"attributes": listed({
        "input.value": "add",
        prefix + "role": "assistant",
        prefix + "tool_calls.0.tool_call.id": "c",
        prefix + "tool_calls.0.tool_call.function.name": "add",
        prefix + "tool_calls.0.tool_call.function.arguments": json.dumps(ARGUMENTS),
    })})  # fmt: skip
    assert conversation(texts["input"], texts["output"])[-1] == ("assistant", "", ["add"])


@pytest.mark.parametrize("span", [{}, {"attributes": 3, "events": "x"}, {"events": [None, 1]}])
def test_a_span_without_texts_has_none(span: Any) -> None:
    assert texts_of_span(span) == {}
