"""Sessions of coding agents with their words: replays and data sets from a built warehouse."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.query.replays import replay
from agentledger.settings import Settings
from agentledger.training import export
from tests.dbt.vaulted_ledger import collect_and_build

AS_OF = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SECRET = "AKIAIOSFODNN7EXAMPLE"  # noqa: S105  # of the documentation of its maker
SESSION, FORK, THREAD = "s-main", "s-fork", "th-main"


def line(number: int, kind: str, parent: int | None = -1, **more: Any) -> dict[str, Any]:
    """A line of Claude Code, below the one before it unless it says otherwise."""
    above = number - 1 if parent == -1 else parent
    return {
        "type": kind, "uuid": f"u-{number}", "parentUuid": above and f"u-{above}",
        "isSidechain": False, "sessionId": SESSION, "cwd": "/w/app", "version": "2.1.42",
        "timestamp": f"2026-05-04T10:00:{number:02d}.000Z",
    } | more  # fmt: skip


def answer(number: int, message: str, *blocks: Any, **more: Any) -> dict[str, Any]:
    inside = {
        "id": message, "role": "assistant", "model": "model-a", "content": list(blocks),
        "stop_reason": "end_turn", "usage": {"input_tokens": 10, "output_tokens": number},
    }  # fmt: skip
    return line(number, "assistant", message=inside, requestId=f"req-{message}", **more)


def asked(number: int, said: Any, **more: Any) -> dict[str, Any]:
    return line(number, "user", message={"role": "user", "content": said}, **more)


def given(identity: str, said: str) -> list[dict[str, Any]]:
    return [{"type": "tool_result", "tool_use_id": identity, "content": said}]


def use(identity: str, name: str, **inputs: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": name, "input": inputs}


MAIN = [
    asked(1, "read both", parent=None),
    answer(2, "m1", {"type": "thinking", "thinking": "two files", "signature": "x"}),
    answer(3, "m1", {"type": "text", "text": "I lo"}),
    answer(4, "m1", {"type": "text", "text": "I look."}),
    answer(5, "m1", use("t1", "Read", path="a")),
    answer(6, "m1", use("t2", "Read", path="b")),
    asked(7, given("t1", f"the key is {SECRET}"), parent=5),
    asked(8, given("t2", "B"), parent=6),
    answer(9, "m2", use("t3", "Task", prompt="look closer", subagent_type="scout")),
    asked(10, "look closer", parent=None, isSidechain=True, agentId="a1"),
    answer(11, "sub1", {"type": "text", "text": "seen"}, isSidechain=True, agentId="a1"),
    asked(12, given("t3", "seen"), parent=9),
    answer(13, "m3", {"type": "text", "text": "Done."}),
]  # fmt: skip

FORKED = [
    *(record | {"sessionId": FORK} for record in MAIN if not record["isSidechain"]),
    asked(14, "another way", parent=13, sessionId=FORK),
    answer(15, "m4", {"type": "text", "text": "Another way."}, sessionId=FORK),
]


def item(number: int, kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-05-04T11:00:{number:02d}.000Z", "type": kind, "payload": payload}


def spoken(number: int, role: str, said: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": said}]
    return item(number, "response_item", type="message", role=role, content=content)


ROLLOUT = [
    item(1, "session_meta", id=THREAD, cwd="/w/app", instructions="Be brief."),
    spoken(2, "user", "run the tests"),
    item(3, "response_item", type="function_call", name="shell", call_id="c1",
         arguments='{"command": "make test"}'),
    item(4, "response_item", type="function_call_output", call_id="c1", output="2 passed"),
    spoken(5, "assistant", "Both pass."),
    item(6, "event_msg", type="agent_message", message="Both pass."),
    item(7, "event_msg", type="task_complete"),
]  # fmt: skip


OBSERVATION = {
    "id": "ob-1", "trace_id": "tr-1", "project_id": "pj-1", "type": "GENERATION",
    "start_time": "2026-05-04 12:00:00.000000", "end_time": "2026-05-04 12:00:01.000000",
    "provided_model_name": "model-a", "usage_details": {"input": 12, "output": 3, "total": 15},
    "input": [{"role": "user", "content": "what of the fuse?"}], "output": "It is long.",
}  # fmt: skip

SPANS = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [{
    "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "chat",
    "startTimeUnixNano": "1777896000000000000", "endTimeUnixNano": "1777896001000000000",
    "attributes": [
        {"key": name, "value": {"stringValue": value}}
        for name, value in {
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "model-a",
            "gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": "3",
            "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", '
            '"content": "what of the span?"}]}]',
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "It is wide.",
        }.items()
    ],
}]}]}]}  # fmt: skip


def write(path: Path, records: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.fixture(scope="module")
def settings(dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger of two coding agents whose owner keeps their texts, built once."""
    base = tmp_path_factory.mktemp("transcript_texts")
    settings = Settings(home=base / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    folder = base / "claude" / "-w-app"
    main = [record for record in MAIN if not record["isSidechain"]]
    write(folder / f"{SESSION}.jsonl", main)
    write(folder / SESSION / "subagents" / "agent-a1.jsonl",
          [record for record in MAIN if record["isSidechain"]])  # fmt: skip
    write(folder / f"{FORK}.jsonl", FORKED)
    # A growing copy of the same session, as checkpoint tools make them.
    write(folder / "full.jsonl", main[:6])
    rollouts = base / "codex" / "sessions" / "2026"
    write(rollouts / "rollout-1.jsonl", ROLLOUT)
    write(rollouts / "rollout-2.jsonl", [
        item(8, "session_meta", id="th-fork", cwd="/w/app", forked_from_id=THREAD,
             instructions="Be brief."),
        *ROLLOUT[1:], spoken(9, "user", "and lint"), spoken(10, "assistant", "Clean."),
    ])  # fmt: skip
    write(base / "langfuse" / "observations.jsonl", [OBSERVATION])
    write(base / "otlp" / "spans.jsonl", [SPANS])
    for kind in ("claude-code", "codex"):
        place = str(base / kind.partition("-")[0])
        registry.add_source(settings, kind, place, "UTC", projects="all", content="vault")
    for kind in ("langfuse", "otlp"):
        registry.add_source(settings, kind, str(base / kind), "UTC", content="vault")
    collect_and_build(settings, dbt, AS_OF)
    return settings


def told(settings: Settings, session: str) -> list[tuple[str | None, str, str | None, str]]:
    found = replay(session, settings=settings)
    assert found["has_texts"]
    return [
        (row["conversation"], row["kind"], row["tool_name"], row["text"])
        for row in found["messages"]
    ]


def test_a_session_is_replayed_in_order_each_thing_once(settings: Settings) -> None:
    assert told(settings, SESSION) == [
        (None, "user", None, "read both"),
        (None, "thoughts", None, "two files"),
        (None, "answer", None, "I look."),
        (None, "tool_call", "Read", '{"path": "a"}'),
        (None, "tool_call", "Read", '{"path": "b"}'),
        (None, "tool_result", None, f"the key is {SECRET}"),
        (None, "tool_result", None, "B"),
        (None, "tool_call", "Task", '{"prompt": "look closer", "subagent_type": "scout"}'),
        (None, "tool_result", None, "seen"),
        (None, "answer", None, "Done."),
        ("a1", "user", None, "look closer"),
        ("a1", "answer", None, "seen"),
    ]


def test_what_two_sessions_tell_is_marked_in_one_of_them(settings: Settings) -> None:
    """Should be the session that the models count it in: a fork repeats times and ids."""
    marks = [
        {row["text"]: row["is_copy"] for row in replay(name, settings=settings)["messages"]}
        for name in (SESSION, FORK)
    ]
    assert marks[1]["Another way."] is False
    assert marks[0]["Done."] is not marks[1]["Done."]


def test_a_fork_of_codex_marks_what_it_repeats(settings: Settings) -> None:
    found = replay("th-fork", settings=settings)["messages"]
    assert [row["text"] for row in found if not row["is_copy"]] == ["and lint", "Clean."]


def test_a_thread_of_codex_is_replayed(settings: Settings) -> None:
    assert [row[1:] for row in told(settings, THREAD)] == [
        ("system", None, "Be brief."),
        ("user", None, "run the tests"),
        ("tool_call", "shell", '{"command": "make test"}'),
        ("tool_result", None, "2 passed"),
        ("answer", None, "Both pass."),
    ]


def examples(settings: Settings, out: Path, **changes: Any) -> list[dict[str, Any]]:
    options = {"format": "openai", "validation_share": 0.0} | changes
    card = export.export_training(export.Options(out=out, **options), settings=settings)
    assert card["counts"]["considered"] == card["counts"]["kept"] + sum(
        card["counts"]["dropped"].values()
    )
    return [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]


def test_each_answer_is_an_example_with_its_history_and_tools(
    settings: Settings, tmp_path: Path
) -> None:
    found = examples(settings, tmp_path / "f.jsonl")
    ends = {line["messages"][-1]["content"]: line["messages"] for line in found}
    assert [m["role"] for m in ends["Done."]] == [
        "user", "assistant", "tool", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert [m["role"] for m in ends["Another way."]][-2:] == ["user", "assistant"]
    assert [m["content"] for m in ends["seen"]] == ["look closer", "seen"]
    assert ends["Done."][2]["content"] == "the key is [secret]"
    assert [m["role"] for m in ends["Both pass."]] == [
        "system", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    # Once each: a fork repeats what its parent answered.
    assert [m["content"] for m in ends["It is long."]][:-1] == ["what of the fuse?"]
    assert [m["content"] for m in ends["It is wide."]][:-1] == ["what of the span?"]
    assert len(found) == 4 + 1 + 2 + 1 + 1 + 1
    assert SECRET not in (tmp_path / "f.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["openai", "anthropic", "sharegpt"])
def test_every_format_has_every_example(settings: Settings, tmp_path: Path, name: str) -> None:
    found = examples(settings, tmp_path / "f.jsonl", format=name)
    assert len(found) == 10
    assert "make test" in json.dumps(found)


def test_answers_are_filtered_by_what_is_known_of_them(settings: Settings, tmp_path: Path) -> None:
    completed = examples(settings, tmp_path / "f.jsonl", only_completed=True)
    assert "Both pass." in str(completed)
    assert "Clean." not in str(completed)
    long = examples(settings, tmp_path / "f.jsonl", min_response_chars=8)
    assert {line["messages"][-1]["content"] for line in long} == {
        "Another way.",
        "Both pass.",
        "It is long.",
        "It is wide.",
    }
    assert examples(settings, tmp_path / "f.jsonl", since="2026-05-05") == []


def test_thoughts_stand_before_the_answer_when_asked_for(
    settings: Settings, tmp_path: Path
) -> None:
    found = examples(settings, tmp_path / "f.jsonl", with_thoughts=True)
    assert any(
        (line["messages"][-1]["content"] or "").startswith("<think>\ntwo files") for line in found
    )


def test_nothing_of_the_texts_is_outside_the_vault(settings: Settings) -> None:
    for path in settings.home.rglob("*"):
        if path.is_file() and path.name != "vault.duckdb":
            data = path.read_bytes()
            for said in (
                SECRET,
                "look closer",
                "Another way.",
                "2 passed",
                "of the fuse",
                "It is wide.",
            ):
                assert said.encode() not in data, path.name
