"""Conversations, masks and the split of training data, without a warehouse."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger.training.conversation import (
    Conversation,
    Message,
    UnreadableError,
    read_call,
)
from agentledger.training.formats import FORMATS, NotInFormatError, sharegpt
from agentledger.training.masking import is_clean, mask_conversation
from agentledger.training.split import SIDES, Seen, side_of, utterances

KEY = bytes(range(32))


def texts(history: list[Any] | None = None, **fields: Any) -> dict[str, list[str]]:
    """Texts of a call as the vault gives them."""
    given_ = {"user_message": "now?", "response_text": "yes"} | fields
    found = {
        name: [json.dumps(item) for item in value] if isinstance(value, list) else [value]
        for name, value in given_.items()
        if value is not None
    }
    return found | {"chat_history": [json.dumps(message) for message in history or []]}


def masked(text: str) -> str:
    talk = Conversation("", (Message("user", text), Message("assistant", "ok")))
    return mask_conversation(talk)[0].messages[0].text


OPENAI_SHAPE = [
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}]},
    {"role": "tool", "tool_call_id": "a", "content": "r"},
    {"role": "assistant", "content": "done"},
]  # fmt: skip
ANTHROPIC_SHAPE = [
    {"role": "user", "content": [{"type": "text", "text": "q"}]},
    {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]},
    {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "r"}]}]},
    {"role": "assistant", "content": "done"},
]  # fmt: skip
GEMINI_SHAPE = [
    {"role": "user", "parts": [{"text": "q"}]},
    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": "r"}}]},
    {"role": "model", "parts": [{"text": "done"}]},
]
SHAREGPT_SHAPE = [
    {"from": "human", "value": "q"},
    {"from": "function_call", "value": '{"name": "f", "arguments": {"x": 1}}'},
    {"from": "observation", "value": "r"},
    {"from": "gpt", "value": "done"},
]


@pytest.mark.parametrize(
    "history",
    [OPENAI_SHAPE, ANTHROPIC_SHAPE, GEMINI_SHAPE, SHAREGPT_SHAPE],
    ids=["openai", "anthropic", "gemini", "sharegpt"],
)
def test_every_shape_of_a_history_is_the_same_conversation(history: list[Any]) -> None:
    found = read_call(texts(history))
    assert [(m.role, m.text, m.call_id) for m in found.messages] == [
        ("user", "q", None), ("assistant", "", None), ("tool", "r", "call_1"),
        ("assistant", "done", None), ("user", "now?", None), ("assistant", "yes", None),
    ]  # fmt: skip
    [call] = found.messages[1].calls
    assert (call.call_id, call.name, call.arguments) == ("call_1", "f", {"x": 1})


def test_a_user_message_that_the_history_has_is_not_said_twice() -> None:
    found = read_call(texts(OPENAI_SHAPE[:3], user_message=" q "))
    assert [message.role for message in found.messages] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]


def test_system_prompts_of_the_history_are_told_once() -> None:
    history = [{"role": "system", "content": "S"}, {"role": "developer", "content": "T"}]
    found = read_call(texts(history, system_prompt="S"))
    assert found.system == "S\n\nT"


def test_thoughts_are_left_out_unless_they_are_asked_for() -> None:
    given_ = texts(response_thoughts="hm")
    assert read_call(given_).target.text == "yes"
    assert read_call(given_, with_thoughts=True).target.text == "<think>\nhm\n</think>\nyes"


@pytest.mark.parametrize(
    ("history", "fields"),
    [
        (OPENAI_SHAPE[:2], {}),
        (OPENAI_SHAPE[2:], {}),
        (OPENAI_SHAPE, {"user_message": None}),
        ([{"role": "assistant", "content": "Hello!"}], {}),
        ([{"role": "poet", "content": "x"}], {}),
        (["text"], {}),
        ([], {"user_message": None}),
        ([], {"response_text": None}),
        ([], {"tool_calls": [{"args": {}}]}),
        ([], {"tool_calls": [{"name": "f", "args": "{"}]}),
        ([], {"tool_calls": [{"name": "f", "args": "[1]"}]}),
    ],
    ids=["no result", "no call", "nothing asked", "assistant first", "unknown role",
         "no object", "empty", "no answer", "no name", "broken arguments", "arguments are a list"],
)  # fmt: skip
def test_what_would_have_to_be_guessed_is_refused(
    history: list[Any], fields: dict[str, Any]
) -> None:
    with pytest.raises(UnreadableError):
        read_call(texts(history, **fields))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to bob.smith@example.com today", "write to [email] today"),
        ("my password is hunter2 and more", "my password is [secret]"),
        ("password=hunter2\nnext line", "password=[secret]\nnext line"),
        ("api_key: 'abc'", "api_key: '[secret]'"),
        ("pin: 1234", "pin: [secret]"),
        ("call +1 415 555 0100", "call [phone]"),
        ("call (415) 555-2671", "call [number]"),
        ("card 4111 1111 1111 1111", "card [number]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[secret]"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [secret]"),
        ("see 8.8.8.8 and 10.0.0.1", "see [address] and 10.0.0.1"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx", "[secret]\nx"),
        ("-----BEGIN PRIVATE KEY-----\nMIIcut", "[secret]"),
    ],
)
def test_secrets_and_personal_data_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "at 2026-05-04T12:00:01Z",
        "id 0b0e7c1a-0000-4000-8000-000000000001",
        "src/very/long/path_to_some/file_name_2.test.tsx:12",
        "for (const token of tokens) {",
        "max_tokens: 4096, input_tokens: 12",
        "x = [1, 2, 3, 4, 5, 6, 7, 8]",
        "@property\ndef x(self): ...",
    ],
)
def test_code_dates_and_counts_stay(text: str) -> None:
    assert masked(text) == text


PIECES = st.sampled_from(
    ["a@b.example", "password: x", "+49 151 23456789", "AKIAZQ7ABCDEFGH2IJKL", "token=", "12345678",
     "key", ":", " ", "\n", '"', "DE89370400440532013000", "eyJhbGciOiJIUzI1NiJ9.eyJz.Zq", "secret"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=12))
def test_what_was_masked_gives_up_no_address_and_no_key(pieces: list[str]) -> None:
    """What a second look still finds is dropped; so a clean example holds none of these."""
    talk = Conversation("".join(pieces), (Message("user", "q"), Message("assistant", "a")))
    found, _ = mask_conversation(talk)
    if is_clean(found):
        assert "AKIAZQ7ABCDEFGH2IJKL" not in found.system
        assert "a@b.example" not in found.system


SESSIONS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.lists(st.sampled_from(["yes", "Yes ", "go on", "why?", "1", "2", "3"]), max_size=6),
    max_size=20,
)


@given(SESSIONS, st.floats(min_value=0, max_value=0.99))
def test_no_session_and_no_words_are_on_both_sides(
    sessions: dict[str, list[str]], share: float
) -> None:
    kept: dict[str, set[str]] = {"train": set(), "validation": set()}
    said: dict[str, set[str]] = {"train": set(), "validation": set()}
    seen = Seen(KEY)
    for side in SIDES:
        for session, messages in sessions.items():
            if side_of(KEY, session, share) != side:
                continue
            for number in range(len(messages)):
                # Each call repeats what was said before it.
                talk = Conversation(
                    "",
                    tuple(Message("user", text) for text in messages[: number + 1])
                    + (Message("assistant", f"{session}{number}"),),
                )
                if side == "validation" and seen.leaks(talk):
                    continue
                if side == "train":
                    seen.trains(talk)
                kept[side].add(session)
                said[side].update(utterances(talk))
    assert not kept["train"] & kept["validation"]
    assert not said["train"] & said["validation"]


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, min_size=1, max_size=30))
def test_a_session_never_changes_sides_because_others_come(sessions: list[str]) -> None:
    before = [side_of(KEY, session, 0.3) for session in sessions]
    assert [side_of(KEY, session, 0.3) for session in reversed(sessions)] == before[::-1]
    assert all(side_of(KEY, session, 0.0) == "train" for session in sessions)


def test_the_same_words_in_another_case_are_a_duplicate() -> None:
    seen = Seen(KEY)
    talk = Conversation("S", (Message("user", "Why?"), Message("assistant", "So")))
    other = Conversation("s", (Message("user", " why? "), Message("assistant", "so")))
    assert [seen.is_new(talk), seen.is_new(other)] == [True, False]


def test_results_of_several_calls_stand_in_the_order_of_the_calls() -> None:
    """Should not depend on which tool was ready first: a list of results has no ids."""
    history = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "tool_calls": [{"id": "a", "name": "f"}, {"id": "b", "name": "g"}]},
        {"role": "tool", "tool_call_id": "b", "content": "of g"},
        {"role": "tool", "tool_call_id": "a", "content": "of f"},
    ]
    line = sharegpt(read_call(texts(history, user_message="q")))
    assert json.loads(line["conversations"][2]["value"]) == ["of f", "of g"]


def test_sharegpt_refuses_what_would_break_its_turns() -> None:
    history = [*OPENAI_SHAPE[:3], {"role": "user", "content": "wait"}]
    found = read_call(texts(history, user_message="wait"))
    with pytest.raises(NotInFormatError):
        sharegpt(found)
    assert FORMATS["openai"](found)["messages"][-2] == {"role": "user", "content": "wait"}
    merged = FORMATS["anthropic"](found)["messages"][2]
    assert [block["type"] for block in merged["content"]] == ["tool_result", "text"]
