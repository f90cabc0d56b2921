"""Texts of coding agents in the vault: each once, with their rows, and gone with them."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agentledger import purge_requests, purge_targets, registry
from agentledger.ingest import plan
from tests.unit.conftest import AS_OF, Ledger, Run
from tests.unit.test_vault import finish, found_in, kept

SAID = ("Zq7PROMPT", "Zq7ANSWER", "Zq7THOUGHT", "Zq7INPUT", "Zq7RESULT")
NOT_KEPT = ("Zq7SIGNATURE", "Zq7IMAGE", "Zq7STDOUT")


def claude_code(day: str = "2026-05-04") -> list[dict[str, Any]]:
    """A prompt, an answer in three lines that repeat its usage, a result."""
    envelope = {"sessionId": "s-1", "cwd": "/w/app", "version": "2.1.42", "isSidechain": False}

    def line(number: int, kind: str, content: Any, **more: Any) -> dict[str, Any]:
        message = {"role": kind, "content": content}
        if kind == "assistant":
            message |= {"id": "m1", "model": "model-a", "usage": {"input_tokens": 1}}
        return envelope | {
            "type": kind, "uuid": f"u-{number}", "message": message,
            "timestamp": f"{day}T12:00:{number:02d}.000Z", **more,
        }  # fmt: skip

    return [
        line(1, "user", "Zq7PROMPT"),
        line(2, "assistant", [
            {"type": "thinking", "thinking": "Zq7THOUGHT", "signature": "Zq7SIGNATURE"}]),
        line(3, "assistant", [
            {"type": "text", "text": "Zq7ANSWER"},
            {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "Zq7INPUT"}}]),
        line(4, "user", [{"type": "tool_result", "tool_use_id": "t1", "content": [
            {"type": "text", "text": "Zq7RESULT"},
            {"type": "image", "source": {"data": "Zq7IMAGE"}}]}],
            toolUseResult={"stdout": "Zq7STDOUT"}),
    ]  # fmt: skip


def codex(day: str = "2026-05-04") -> list[dict[str, Any]]:
    def line(number: int, **payload: Any) -> dict[str, Any]:
        return {"timestamp": f"{day}T12:00:{number:02d}.000Z", "type": "response_item",
                "payload": payload}  # fmt: skip

    return [
        line(1, type="message", role="user",
             content=[{"type": "input_text", "text": "Zq7PROMPT"},
                      {"type": "input_image", "image_url": "Zq7IMAGE"}]),
        line(2, type="reasoning", encrypted_content="Zq7SIGNATURE",
             summary=[{"type": "summary_text", "text": "Zq7THOUGHT"}, {"type": "odd"}]),
        line(3, type="function_call", name="shell", call_id="c1", arguments='{"x": "Zq7INPUT"}'),
        line(4, type="function_call_output", call_id="c1", output="Zq7RESULT"),
        line(5, type="message", role="assistant",
             content=[{"type": "output_text", "text": "Zq7ANSWER"}]),
        line(6, type="custom_tool_call", name="patch", call_id="c2", action=None),
    ]  # fmt: skip


KINDS = {"claude-code": claude_code, "codex": codex}
TABLES = {"claude-code": "claude_code_lines", "codex": "codex_lines"}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def log(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "agent" / "sessions" / "rollout-1.jsonl"
    path.parent.mkdir(parents=True)
    return write(path, KINDS[kind]())


def write(path: Path, records: list[dict[str, Any]], mode: str = "w") -> Path:
    with path.open(mode) as stream:
        stream.writelines(json.dumps(record) + "\n" for record in records)
    return path


def add(ledger: Ledger, kind: str, log: Path, content: str = "vault") -> str:
    folder = str(log.parent.parent)
    registry.add_source(ledger.settings, kind, folder, "UTC", content=content)
    return folder


def test_what_was_said_is_kept_once_and_nothing_else(ledger: Ledger, kind: str, log: Path) -> None:
    add(ledger, kind, log)
    assert ledger.collect().totals()["rejected"] == 0
    assert {name for name, _ in found_in(ledger.settings.home, *SAID)} == {"vault.duckdb"}
    for said in SAID:
        found = kept(ledger, f"select count(*) from contents where contains(text, '{said}')")
        assert found == [(1,)], said
    assert found_in(ledger.settings.home, *NOT_KEPT) == []
    assert kept(ledger, "select distinct raw_table from call_contents") == [(TABLES[kind],)]


def test_copies_appended_lines_and_second_runs_change_nothing(
    ledger: Ledger, kind: str, log: Path
) -> None:
    add(ledger, kind, log)
    records = KINDS[kind]()
    write(log, records[:2])
    ledger.collect()
    write(log, records[2:], mode="a")
    ledger.collect()
    before = kept(ledger, "select * from call_contents order by all")
    write(log.with_name("rollout-2.jsonl"), records)
    ledger.collect()
    ledger.collect()
    assert kept(ledger, "select * from call_contents order by all") == before
    assert kept(ledger, "select count(*) = count(distinct text_hash) from contents") == [(True,)]


def test_strange_lines_keep_their_texts(ledger: Ledger, kind: str, log: Path) -> None:
    """Should hold for two objects on one line and for what DuckDB does not parse by itself."""
    one, two, *others = [json.dumps(record) for record in KINDS[kind]()]
    log.write_text(one + two + "\n" + "\n".join(others).replace("Zq7RESULT", "Zq7RESULT\\u0000"))
    add(ledger, kind, log)
    ledger.collect()
    assert {text for _, text in found_in(ledger.settings.home, *SAID)} == set(SAID)


def test_an_owner_who_changes_their_mind_keeps_the_rows(
    ledger: Ledger, kind: str, log: Path
) -> None:
    add(ledger, kind, log)
    ledger.collect()
    rows = ledger.rows(f"select count(*) from raw.{TABLES[kind]}")
    add(ledger, kind, log, content="drop")
    assert "texts of 1 source(s) are to be removed" in plan.new_work(ledger.settings).reasons
    ledger.collect()
    assert found_in(ledger.settings.home, *SAID) == []
    assert ledger.rows(f"select count(*) from raw.{TABLES[kind]}") == rows
    # What was read before is not read again for its texts.
    add(ledger, kind, log)
    ledger.collect()
    assert found_in(ledger.settings.home, *SAID) == []


def test_a_purge_removes_the_texts(ledger: Ledger, kind: str, log: Path) -> None:
    folder = add(ledger, kind, log)
    ledger.collect()
    target = purge_targets.source_target(ledger.settings, kind, folder)
    request = purge_requests.write_request(ledger.settings, target.request)
    registry.remove_source(ledger.settings, kind, folder)
    purge_requests.mark_unregistered(ledger.settings, request)
    ledger.collect()
    finish(ledger)
    assert found_in(ledger.settings.home, *SAID) == []


def test_retention_removes_the_texts(ledger: Ledger, kind: str, log: Path) -> None:
    add(ledger, kind, log)
    new = json.loads(
        json.dumps(KINDS[kind]((AS_OF - timedelta(days=2)).date().isoformat()))
        .replace("Zq7", "Zq7NEW").replace("u-", "n-")
    )  # fmt: skip
    # In a file of its own: a rollout, whose totals count on, stays whole while a line of it is new.
    write(log.with_name("rollout-2.jsonl"), new)
    ledger.collect()
    config = ledger.settings.config_path
    config.write_text("retention_days = 7\n" + config.read_text())
    ledger.collect()
    finish(ledger)
    assert found_in(ledger.settings.home, *SAID) == []
    assert kept(ledger, "select count(*) from contents where contains(text, 'Zq7NEWPROMPT')") == [
        (1,)
    ]


def test_the_command_says_what_it_will_keep(run: Run, kind: str, log: Path) -> None:
    arguments = ("source", "add", kind, str(log.parent.parent), "--content", "vault")
    code, _, err = run(*arguments)
    assert code == 2
    for word in ("secrets included", "vault.duckdb", "not registered", "Images", "--yes"):
        assert word in err
    assert run(*arguments, "--yes")[0] == 0
    assert "vault" in run("source", "list")[1]
