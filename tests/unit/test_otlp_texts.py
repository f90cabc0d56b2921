"""Texts of log records: each convention, nothing else, and the vault alone."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agentledger import registry
from agentledger.ingest.otlp_texts import texts_of_log
from tests import otlp
from tests.unit.conftest import Ledger


def record(body: Any = None, **values: Any) -> dict[str, Any]:
    named = {name.replace("__", "."): value for name, value in values.items()}
    return {"attributes": otlp.attributes(named)} | ({} if body is None else {"body": body})


def tree(value: dict[str, Any]) -> dict[str, Any]:
    """A body that is an object."""
    members = [
        {"key": key, "value": tree(item) if isinstance(item, dict) else {"stringValue": item}}
        for key, item in value.items()
    ]
    return {"kvlistValue": {"values": members}}


OWN = [
    ("user_prompt", {"prompt": "fix it", "prompt_length": 6}, {"input": ["fix it"]}),
    ("assistant_response", {"response": "done"}, {"output": ["done"]}),
    ("tool_result", {"tool_name": "Bash", "tool_parameters": "{}", "tool_input": '{"command": 1}',
                     "tool_output": "ok"},
     {"arguments": ['{"command": 1}'], "result": ["ok"]}),
    ("user_prompt", {"prompt": "<REDACTED>"}, {}),
    ("api_request", {"prompt": "of no text", "model": "m"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "texts"), OWN)
def test_events_of_claude_code_tell_what_was_asked_answered_and_given(
    name: str, values: dict[str, Any], texts: dict[str, Any]
) -> None:
    log = {"body": {"stringValue": f"claude_code.{name}"}, "attributes": otlp.attributes(values)}
    assert texts_of_log(log, name, is_claude_code=True) == texts


CONVENTIONS = [
    ("gen_ai.user.message", record(tree({"content": "add"}), gen_ai__system="openai"),
     {"input": [{"role": "user", "content": "add"}]}),
    ("gen_ai.system.message", record({"stringValue": "be brief"}),
     {"input": [{"role": "system", "content": "be brief"}]}),
    ("gen_ai.user.message", record(content="add", user__email="who@example.com"),
     {"input": [{"role": "user", "content": "add"}]}),
    ("gen_ai.choice", record(tree({"finish_reason": "stop", "message": {"content": "3"}})),
     {"output": [{"content": "3"}]}),
    ("gen_ai.client.inference.operation.details",
     record(gen_ai__input__messages=json.dumps([{"role": "user", "parts": []}]),
            gen_ai__output__messages=json.dumps([{"role": "assistant"}]),
            gen_ai__system_instructions=json.dumps([{"type": "text", "content": "be brief"}])),
     {"input": [{"role": "user", "parts": []}], "output": [{"role": "assistant"}],
      "system_prompt": [{"type": "text", "content": "be brief"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "log", "texts"), CONVENTIONS)
def test_events_of_the_conventions_tell_messages(
    name: str, log: dict[str, Any], texts: dict[str, Any]
) -> None:
    assert texts_of_log(log, name, is_claude_code=False) == texts


@pytest.mark.parametrize(
    ("name", "log"),
    [(None, {}), (None, {"body": {"stringValue": "of a server"}}), ("a.b", record({"x": 1})),
     ("user_prompt", record({"stringValue": "x"}, prompt="x")), ("gen_ai.choice", {"body": 3})],
)  # fmt: skip
def test_other_records_have_no_texts(name: str | None, log: dict[str, Any]) -> None:
    assert texts_of_log(log, name, is_claude_code=False) == {}


@pytest.mark.parametrize("content", [None, "vault"])
def test_texts_of_log_records_lie_in_the_vault_alone_and_only_when_asked_for(
    ledger: Ledger, tmp_path: Path, content: str | None
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text(
        otlp.lines(
            otlp.claude_code_session(),
            otlp.logs({"eventName": "gen_ai.user.message", "body": tree({"content": "SECRET 2"})}),
            otlp.logs({"eventName": "boot", "body": {"stringValue": "SECRET 3"}}),
        )
    )
    registry.add_source(ledger.settings, "otlp", str(folder), "UTC", content=content)
    assert ledger.collect().totals()["rejected"] == 0
    assert ledger.collect().totals()["accepted"] == 0
    assert "SECRET" not in str(ledger.rows("select t from raw.otlp_logs as t"))
    if content is None:
        assert not ledger.settings.vault_path.exists()
        return
    with duckdb.connect(str(ledger.settings.vault_path), read_only=True) as vault:
        kept = vault.execute(
            "select raw_table, field, text from call_contents, unnest(text_hashes) as u(text_hash) "
            "join contents using (text_hash) order by all"
        ).fetchall()
    assert [(table, field, json.loads(text)) for table, field, text in kept] == [
        ("otlp_logs", "arguments", '{"command": "SECRET"}'),
        ("otlp_logs", "input", "SECRET prompt"),
        ("otlp_logs", "input", {"role": "user", "content": "SECRET 2"}),
    ]
