"""Training data from a log to files that each format's own types accept, with nothing planted."""

import json
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.errors import UsageError
from agentledger.privacy import normalise_text
from agentledger.query.replays import replay
from agentledger.settings import Settings
from agentledger.training import export
from agentledger.training.card import REASONS
from tests.dbt.vaulted_ledger import collect_and_build
from tests.unit import telemetry_logs
from tests.unit.telemetry_logs import call, summary

AS_OF = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SESSIONS = 40
PLANTED = {
    "key by prefix": "sk-Zq7abcdEFGH1234ijklMNOP5678",
    "cloud key": "AKIAZQ7ABCDEFGH2IJKL",
    "password": "Zq7-correct-horse",
    "named in JSON": "Zq7plainvalue",
    "mail": "zq7.person@example.org",
    "mail as a key": "zq7.key@example.org",
    "phone": "+49 151 23456789",
    "national phone": "(415) 555-2671",
    "account": "DE89370400440532013000",
    "card": "4111 1111 1111 1111",
    "block": "Zq7MIIEvQIBADANBg",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJacTcifQ.Zq7JV_adQssw5c",
    "without consent": "Zq7SECRETOFBETA",
}
KEY_BLOCK = f"-----BEGIN PRIVATE KEY-----\n{PLANTED['block']}\nabc\n-----END PRIVATE KEY-----"


def tool_round(number: int) -> list[dict[str, Any]]:
    """What a history holds after one round of tools: two calls at once, in another shape each."""
    return [
        {"role": "user", "content": f"read both files of {number}"},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "x1", "type": "function", "function": {
                    "name": "read_file", "arguments": json.dumps({"path": f"a{number}.py"})}},
                {"id": "x2", "name": "db.query", "args": {
                    "password": PLANTED["named in JSON"], PLANTED["mail as a key"]: number}},
            ],
        },
        {"role": "tool", "tool_call_id": "x2", "content": f"phone {PLANTED['phone']}"},
        {"role": "tool", "tool_call_id": "x1", "content": KEY_BLOCK},
    ]  # fmt: skip


def session(number: int) -> list[dict[str, Any]]:
    """One turn of two calls, a turn of one, and a turn that nobody ended in each fifth session."""
    name, first = f"t-{number}", number * 20
    asked = f"read both files of {number}"
    history = tool_round(number)
    records = [
        call(
            first, name, user_message=asked, chat_history=[], response_text=None,
            response_thoughts=f"thinking of {PLANTED['key by prefix']}",
            tool_calls=[{"name": "read_file", "args": {"path": f"a{number}.py"}}],
        ),
        call(
            first + 1, name, user_message=asked, chat_history=history,
            response_text=f"Both say {PLANTED['cloud key']} of {number}", tool_calls=[],
        ),
        summary(first + 2, name, user_message=asked),
        call(
            first + 3, name, total_tokens=40, prompt_tokens=30, completion_tokens=10,
            user_message=f"{number}: mail {PLANTED['mail']}, call {PLANTED['national phone']}, "
            f"IBAN {PLANTED['account']}, card {PLANTED['card']}",
            system_prompt=f"Key {PLANTED['token']}.\nThe password is {PLANTED['password']}",
            response_text=f"done {number}",
        ),
        summary(first + 4, name, stop_reason="user_aborted"),
    ]  # fmt: skip
    if number % 5 == 0:
        records.append(call(first + 5, name, user_message="never ended"))
    return records


def odd_session() -> list[dict[str, Any]]:
    """What must be left out: a copy, nothing said, a call without result, words of many."""
    return [
        call(900, "odd", user_message="same", response_text="Same"),
        call(901, "odd", user_message="Same ", response_text="same"),
        call(902, "odd", user_message="silence", response_text=None),
        call(903, "odd", user_message="then?", chat_history=tool_round(1)[:2]),
        call(904, "odd", user_message="look", chat_history=[
            {"role": "user", "content": [{"type": "image", "source": "x"}]}]),
        summary(905, "odd"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def settings(dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger of one source that keeps texts and one that does not, built once."""
    base = tmp_path_factory.mktemp("training")
    settings = Settings(home=base / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    alpha = [record for number in range(SESSIONS) for record in session(number)]
    telemetry_logs.write(base / "alpha" / "log.jsonl", *alpha, *odd_session())
    telemetry_logs.write(
        base / "beta" / "log.jsonl",
        call(9000, "b", user_message=PLANTED["without consent"]), summary(9001, "b"),
    )  # fmt: skip
    registry.add_source(settings, "events", str(base / "alpha"), "UTC", content="vault")
    registry.add_source(settings, "events", str(base / "beta"), "UTC")
    collect_and_build(settings, dbt, AS_OF)
    return settings


def write(settings: Settings, out: Path, **changes: Any) -> dict[str, Any]:
    """Make a data set."""
    options = {"format": "openai", "validation_share": 0.3} | changes
    return export.export_training(export.Options(out=out, **options), settings=settings)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def both(out: Path) -> list[dict[str, Any]]:
    return lines(out) + lines(out.with_name(out.stem + ".validation.jsonl"))


@pytest.mark.parametrize("name", ["openai", "anthropic", "sharegpt"])
@pytest.mark.parametrize("with_thoughts", [False, True], ids=["plain", "thoughts"])
def test_nothing_planted_is_in_any_file_of_the_data_set(
    settings: Settings, tmp_path: Path, name: str, with_thoughts: bool
) -> None:
    told = write(settings, tmp_path / "f.jsonl", format=name, with_thoughts=with_thoughts)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["f.card.json", "f.card.md", "f.jsonl", "f.validation.jsonl"]
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text(encoding="utf-8")
        for kind, secret in PLANTED.items():
            assert secret not in text, (path.name, kind)
            assert secret.replace(" ", "") not in text, (path.name, kind)
        # Nor any part of one.
        assert "zq7" not in text.lower()
    assert told["masked"]["email"]["count"] > 0
    assert told["masked"]["phone"]["first_places"][0].keys() == {"split", "line", "message"}


def test_a_source_that_keeps_no_texts_leaves_none_in_the_data_home(settings: Settings) -> None:
    for path in settings.home.rglob("*"):
        if path.is_file():
            assert PLANTED["without consent"].encode() not in path.read_bytes(), path.name


def test_every_call_is_kept_or_has_one_reason(settings: Settings, tmp_path: Path) -> None:
    """Should count as the log was written: 40 sessions of three calls, eight more left open."""
    told = write(settings, tmp_path / "f.jsonl", validation_share=0.0)
    counts = told["counts"]
    assert counts["considered"] == counts["kept"] + sum(counts["dropped"].values())
    assert {name: count for name, count in counts["dropped"].items() if count} == {
        "no_consent": 1, "open_turn": 8, "no_response": 1, "unreadable": 2, "duplicate": 1,
    }  # fmt: skip
    assert counts["kept"] == 3 * SESSIONS + 1
    assert counts["dropped"].keys() == REASONS.keys()
    assert len(lines(tmp_path / "f.jsonl")) == counts["kept"]


def test_filters_leave_out_what_they_say(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "f.jsonl"
    only = write(settings, out, only_completed=True)["counts"]["dropped"]
    assert only["not_completed"] == SESSIONS
    assert write(settings, out, min_tokens=100)["counts"]["dropped"]["too_few_tokens"] == SESSIONS
    short = write(settings, out, min_response_chars=10)["counts"]["dropped"]
    assert short["short_response"] >= 2 * SESSIONS
    assert write(settings, out, include_open_turns=True)["counts"]["dropped"]["open_turn"] == 0
    assert write(settings, out, since="2026-08-05")["counts"]["considered"] == 0
    assert write(settings, out, project="alpha")["counts"]["dropped"]["no_consent"] == 0
    with pytest.raises(UsageError, match="There is no project"):
        write(settings, out, project="gamma")


def test_the_same_ledger_gives_the_same_bytes(settings: Settings, tmp_path: Path) -> None:
    written = []
    for _ in range(2):
        write(settings, tmp_path / "f.jsonl")
        written.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert written[0] == written[1]


def test_no_session_and_no_words_of_a_user_are_on_both_sides(
    settings: Settings, tmp_path: Path
) -> None:
    told = write(settings, tmp_path / "f.jsonl")
    sides = [tmp_path / "f.jsonl", tmp_path / "f.validation.jsonl"]
    said = [
        {
            normalise_text(message["content"])
            for line in lines(path)
            for message in line["messages"]
            if message["role"] == "user"
        }
        for path in sides
    ]
    numbers = [{n for text in texts for n in re.findall(r"\bof (\d+)$", text)} for texts in said]
    assert all(numbers)
    assert not said[0] & said[1]
    assert not numbers[0] & numbers[1]
    assert told["split"]["shared_sessions"] == 0


def test_openais_own_types_accept_every_line(settings: Settings, tmp_path: Path) -> None:
    from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam
    from pydantic import TypeAdapter

    write(settings, tmp_path / "f.jsonl")
    tools = TypeAdapter(list[ChatCompletionFunctionToolParam])
    kinds = TypeAdapter(ChatCompletionMessageParam)
    calls = 0
    for line in both(tmp_path / "f.jsonl"):
        tools.validate_python(line.get("tools", []))
        waiting: set[str] = set()
        for message in line["messages"]:
            checked: Any = kinds.validate_python(message)
            # Validated as it is walked through; a message has the keys of its role, no other.
            given = list(checked.get("tool_calls") or [])
            assert len(given) == len(message.get("tool_calls", []))
            if message["role"] == "tool":
                waiting.remove(message["tool_call_id"])
            else:
                assert not waiting
            waiting |= {item["id"] for item in given}
            for item in given:
                json.loads(item["function"]["arguments"])
                assert re.fullmatch("[A-Za-z0-9_-]{1,64}", item["function"]["name"])
            calls += len(given)
        assert line["messages"][-1]["role"] == "assistant"
    assert calls > 2 * SESSIONS


def test_anthropics_own_types_accept_every_line(settings: Settings, tmp_path: Path) -> None:
    from anthropic.types import (
        MessageParam,
        TextBlockParam,
        ToolParam,
        ToolResultBlockParam,
        ToolUseBlockParam,
    )
    from pydantic import TypeAdapter

    write(settings, tmp_path / "f.jsonl", format="anthropic")
    kinds = {
        "text": TypeAdapter(TextBlockParam),
        "tool_use": TypeAdapter(ToolUseBlockParam),
        "tool_result": TypeAdapter(ToolResultBlockParam),
    }
    tools, message_type = TypeAdapter(list[ToolParam]), TypeAdapter(MessageParam)
    for line in both(tmp_path / "f.jsonl"):
        tools.validate_python(line.get("tools", []))
        roles = [message["role"] for message in line["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        used: list[str] = []
        for message in line["messages"]:
            message_type.validate_python(message)
            results = [b["tool_use_id"] for b in message["content"] if b["type"] == "tool_result"]
            assert sorted(results) == sorted(used)
            for block in message["content"]:
                kinds[block["type"]].validate_python(block)
            used = [b["id"] for b in message["content"] if b["type"] == "tool_use"]


def test_sharegpt_lines_have_turns_that_alternate(settings: Settings, tmp_path: Path) -> None:
    """The rule is that of the trainers that read it: odd turns ask, even turns answer."""
    told = write(settings, tmp_path / "f.jsonl", format="sharegpt")
    for line in both(tmp_path / "f.jsonl"):
        assert line.keys() <= {"conversations", "system", "tools"}
        turns = line["conversations"]
        assert len(turns) % 2 == 0
        for position, turn in enumerate(turns):
            assert turn.keys() == {"from", "value"}
            asks = ("human", "observation")
            assert turn["from"] in (("gpt", "function_call") if position % 2 else asks)
            if turn["from"] == "function_call":
                found = json.loads(turn["value"])
                for item in found if isinstance(found, list) else [found]:
                    assert isinstance(item["arguments"], dict)
        for tool in json.loads(line.get("tools", "[]")):
            assert tool.keys() == {"name", "parameters"}
    assert told["counts"]["dropped"]["not_in_format"] == 0


def test_tools_and_earlier_turns_survive(settings: Settings, tmp_path: Path) -> None:
    write(settings, tmp_path / "f.jsonl", validation_share=0.0)
    [line] = [
        line
        for line in lines(tmp_path / "f.jsonl")
        if line["messages"][-1]["content"] == "Both say [secret] of 3"
    ]
    roles = [message["role"] for message in line["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "assistant"]
    first, second = line["messages"][2]["tool_calls"]
    assert json.loads(first["function"]["arguments"]) == {"path": "a3.py"}
    assert second["function"]["name"] == "db_query"
    assert json.loads(second["function"]["arguments"]) == {"[email]": 3, "password": "[secret]"}
    # Results keep their calls, in the order in which they came.
    assert [m["tool_call_id"] for m in line["messages"][3:5]] == ["call_2", "call_1"]
    assert [m["content"] for m in line["messages"][3:5]] == ["phone [phone]", "[secret]"]
    assert [tool["function"]["name"] for tool in line["tools"]] == ["db_query", "read_file"]


def test_the_card_tells_how_to_check_the_files(settings: Settings, tmp_path: Path) -> None:
    from hashlib import sha256

    told = write(settings, tmp_path / "f.jsonl")
    for file in told["files"].values():
        data = (tmp_path / file["name"]).read_bytes()
        assert file["sha256"] == sha256(data).hexdigest()
        assert file["examples"] == data.count(b"\n") > 0
    assert json.loads((tmp_path / "f.card.json").read_text()) == told
    assert told["files"]["train"]["sha256"] in (tmp_path / "f.card.md").read_text()
    assert str(tmp_path) not in (tmp_path / "f.card.json").read_text()


def test_a_whole_project_may_be_held_out(settings: Settings, tmp_path: Path) -> None:
    told = write(settings, tmp_path / "f.jsonl", split_by="project", validation_share=0.5)
    projects = {side: file["projects"] for side, file in told["files"].items()}
    assert sum(projects.values()) == 1


def test_a_session_is_replayed_with_its_texts(settings: Settings) -> None:
    """Replay is for the owner: what a producer wrote is shown as it is."""
    found = replay("t-3", settings=settings)
    assert found["has_texts"]
    assert found["note"] is None
    assert found["records"][0]["texts"]["user_message"] == ["read both files of 3"]
    assert len(found["records"][1]["texts"]["chat_history"]) == 4
    assert not replay("b", settings=settings)["has_texts"]


def test_a_failed_export_leaves_no_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(export.card, "describe", fail)
    with pytest.raises(RuntimeError):
        write(settings, tmp_path / "f.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_without_a_vault_it_refuses_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--content vault"):
        write(Settings(home=tmp_path / "home", host_zone="UTC"), tmp_path / "f.jsonl")
