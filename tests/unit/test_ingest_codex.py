"""Rollouts of Codex: what lands of them, what never does, and what a broken one costs."""

import gzip
import json
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from agentledger import registry, settings
from agentledger.ingest import documents
from tests.unit.conftest import AS_OF, Ledger

TIME = "2026-05-12T08:{:02d}:00.000Z"


def line(number: int, kind: str, **payload: Any) -> dict[str, Any]:
    """The envelope as formats.md 7 writes it."""
    return {"timestamp": TIME.format(number), "type": kind, "payload": payload}


def meta(number: int = 0, thread: str = "th-1", **more: Any) -> dict[str, Any]:
    return line(
        number, "session_meta", id=thread, timestamp=TIME.format(number), cwd="/home/u/app",
        originator="codex_cli", cli_version="0.128.0", source="cli", model_provider="openai",
        instructions="SECRET instructions", **more,
    )  # fmt: skip


def tokens(number: int, total: int, **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": total, "cached_input_tokens": 10, "output_tokens": 20,
        "reasoning_output_tokens": 2, "total_tokens": total + 20,
    }  # fmt: skip
    return line(number, "event_msg", type="token_count", info={"total_token_usage": usage | more})


class Rollouts:
    """A folder like `~/.codex` that is registered as a source."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        (folder / "sessions").mkdir(parents=True)
        registry.add_source(ledger.settings, "codex", str(folder), zone="UTC")

    def write(self, name: str, *records: Any, end: str = "\n", mode: str = "w") -> Path:
        path = self.folder / "sessions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [item if isinstance(item, str) else json.dumps(item) for item in records]
        with path.open(mode, encoding="utf-8") as stream:
            stream.write("\n".join(texts) + end)
        return path

    def counts(self) -> tuple[int, int, int]:
        totals = self.ledger.collect().totals()
        return totals["accepted"], totals["rejected"], totals["already_known"]

    def lines(self, columns: str) -> list[Any]:
        return self.ledger.rows(
            f"select {columns} from raw.codex_lines order by file_id, line_no, ordinal"
        )


@pytest.fixture
def rollouts(ledger: Ledger, tmp_path: Path) -> Rollouts:
    return Rollouts(ledger, tmp_path / "codex")


def everything_in(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_totals_and_tools_land_and_no_text_does(rollouts: Rollouts) -> None:
    """Should find no byte of a text anywhere in the data home."""
    failed = json.dumps({"output": "SECRET x", "metadata": {"exit_code": 2, "duration_seconds": 1}})
    rollouts.write(
        "2026/05/12/rollout-1.jsonl",
        meta(git={"branch": "SECRET-branch", "repository_url": "SECRET"}),
        line(1, "turn_context", turn_id="t1", model="model-c", effort="high", cwd="/home/u/app"),
        line(2, "event_msg", type="user_message", message="SECRET question"),
        line(3, "response_item", role="user", content=[{"text": "SECRET", "type": "input_text"}]),
        line(4, "response_item", type="function_call", name="shell", call_id="c1",
             arguments='{"cmd":"SECRET"}'),
        line(5, "response_item", type="function_call_output", call_id="c1", output=failed),
        line(6, "response_item", type="custom_tool_call", name="apply_patch", call_id="c2",
             input="SECRET patch"),
        line(7, "response_item", type="custom_tool_call_output", call_id="c2",
             output="Exit code: 0\nWall time: 1 s\nSECRET"),
        line(8, "response_item", type="function_call_output", call_id="c3",
             output="aborted by user after 1.2s SECRET"),
        line(9, "event_msg", type="mcp_tool_call_end", call_id="c4", result={"Err": "SECRET"}),
        tokens(10, 1000),
        line(11, "event_msg", type="token_count", info=None),
        line(12, "response_item", type="reasoning", summary=["SECRET"], encrypted_content="SECRET"),
    )  # fmt: skip
    assert rollouts.counts() == (13, 0, 0)
    assert rollouts.lines("line_no, payload_type, call_id, tool_name, exit_code, error_class")[
        4:10
    ] == [
        (5, "function_call", "c1", "shell", None, None),
        (6, "function_call_output", "c1", None, "2", "exit_code"),
        (7, "custom_tool_call", "c2", "apply_patch", None, None),
        (8, "custom_tool_call_output", "c2", None, "0", None),
        (9, "function_call_output", "c3", None, None, "interrupted"),
        (10, "mcp_tool_call_end", "c4", None, None, "other"),
    ]
    assert rollouts.lines(
        "thread_id, turn_id, model, effort, cwd, has_usage, total_input_tokens, "
        "total_cached_input_tokens, total_output_tokens, total_reasoning_output_tokens"
    )[::10] == [
        ("th-1", None, None, None, "/home/u/app", False, *(None,) * 4),
        (None, None, None, None, None, True, "1000", "10", "20", "2"),
    ]
    assert b"SECRET" not in everything_in(rollouts.ledger.settings.home)


def test_strange_lines_cost_themselves_alone(rollouts: Rollouts) -> None:
    """Two objects on a line are two; what is no line of a rollout is refused."""
    rollouts.write(
        "a.jsonl",
        json.dumps(meta()),
        json.dumps(tokens(1, 5)) + json.dumps(tokens(1, 6)),
        "42", "[1]", "", '{"type":"item.completed","thread_id":"x"}',
        json.dumps(tokens(2, 9), separators=(" , ", " : ")),
        '{"sessionId":"s","type":"user","message":{}}',
        '{"timestamp":"x","type":"never-seen","payload":"text where an object stands"}',
        json.dumps(tokens(3, 12, tokens_of_tomorrow=3)),
        '{"timestamp":"2026-05-12T08:04:00Z","type":"event_msg","payl',
    )  # fmt: skip
    assert rollouts.counts() == (6, 5, 0)
    assert rollouts.lines("line_no, ordinal, line_type, total_input_tokens, ts") == [
        (1, 0, "session_meta", None, TIME.format(0)), (2, 0, "event_msg", "5", TIME.format(1)),
        (2, 1, "event_msg", "6", TIME.format(1)), (7, 0, "event_msg", "9", TIME.format(2)),
        (9, 0, "never-seen", None, None), (10, 0, "event_msg", "12", TIME.format(3)),
    ]  # fmt: skip
    assert rollouts.ledger.rows("select field_name from raw.unknown_fields order by 1") == [
        ("payload.info.total_token_usage.tokens_of_tomorrow",), ("type=never-seen",),
    ]  # fmt: skip


def test_a_pretty_printed_rollout_and_foreign_documents(rollouts: Rollouts) -> None:
    pretty = json.dumps(meta(), indent=2) + "\n" + json.dumps(tokens(1, 5), indent=2)
    rollouts.write("pretty.jsonl", pretty)
    rollouts.write("gemini.jsonl", json.dumps({"sessionId": "s", "projectHash": "h"}, indent=1))
    rollouts.write("exec.jsonl", {"type": "thread.started", "thread_id": "x"})
    (rollouts.folder / "sessions" / "empty.jsonl").write_text("")
    (rollouts.folder / "history.jsonl").write_text('{"session_id":"s","ts":1,"text":"SECRET"}\n')
    assert rollouts.counts()[0] == 2
    assert rollouts.lines("line_type, thread_id, total_input_tokens") == [
        ("session_meta", "th-1", None), ("event_msg", None, "5")
    ]  # fmt: skip
    states = rollouts.ledger.rows(
        "select regexp_extract(path, '[^/]*$'), state from raw.files order by 1"
    )
    assert states == [
        ("empty.jsonl", "empty"), ("exec.jsonl", "unrecognised_format"),
        ("gemini.jsonl", "unrecognised_format"), ("pretty.jsonl", "loaded"),
    ]  # fmt: skip


def test_a_growing_rollout_goes_on_where_it_ended_and_a_shrunk_one_loses_nothing(
    rollouts: Rollouts,
) -> None:
    whole = json.dumps(tokens(1, 5))
    path = rollouts.write("a.jsonl", meta(), whole[:70], end="")
    os.utime(path, (AS_OF.timestamp(), AS_OF.timestamp()))  # nobody has gone away yet
    assert rollouts.counts() == (1, 0, 0)
    rollouts.write("a.jsonl", whole[70:], tokens(2, 9), mode="a")
    assert rollouts.counts() == (2, 0, 0)
    rollouts.write("a.jsonl", meta())
    assert rollouts.counts() == (0, 0, 1)
    rollouts.write("a.jsonl", meta(thread="th-2"), tokens(1, 5), tokens(3, 30))
    assert rollouts.counts() == (2, 0, 1)
    assert len(rollouts.lines("1")) == 5


@pytest.mark.parametrize("ending", [".jsonl.gz", ".jsonl.zst", ".jsonl"])
def test_compressed_rollouts_are_told_by_their_first_bytes(ending: str, rollouts: Rollouts) -> None:
    text = "\n".join(json.dumps(item) for item in (meta(), tokens(1, 5))).encode() + b"\n"
    zstd = pa.compress(text, codec="zstd", asbytes=True)
    data = gzip.compress(text) if ending == ".jsonl.gz" else zstd
    (rollouts.folder / "sessions" / f"a{ending}").write_bytes(data)
    (rollouts.folder / "sessions" / f"cut{ending}").write_bytes(data[: len(data) // 2])
    assert rollouts.counts() == (2, 0, 0)
    assert rollouts.lines("line_no, line_type") == [(1, "session_meta"), (2, "event_msg")]
    assert rollouts.ledger.rows("select state from raw.files order by 1") == [
        ("decompression_failed",), ("loaded",)
    ]  # fmt: skip


def test_a_small_archive_may_not_become_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_DECOMPRESSED_BYTES", 1000)
    for data in (
        pa.compress(b" " * 5000, codec="zstd", asbytes=True), gzip.compress(b" " * 5000)
    ):  # fmt: skip
        with pytest.raises(documents.DocumentError) as raised:
            documents.decode(data)
        assert raised.value.reason == "too_large"


def test_a_rollout_cut_anywhere_gives_no_wrong_row(ledger: Ledger, tmp_path: Path) -> None:
    """Should find, of each beginning of a file, the whole lines in it."""
    text = "\n".join(json.dumps(item) for item in (meta(), tokens(1, 5), tokens(2, 9))) + "\n"
    rollouts = Rollouts(ledger, tmp_path / "codex")
    cuts = random.Random(3).sample(range(1, len(text)), 25)  # noqa: S311 - test data
    for cut in cuts:
        rollouts.write(f"{cut}.jsonl", text[:cut], end="")
    rollouts.counts()
    found = dict(
        ledger.rows(
            "select regexp_extract(path, '([0-9]+).jsonl', 1), count(l.file_id) "
            "from raw.files f left join raw.codex_lines l using (file_id) group by 1"
        )
    )
    ends = [place for place, letter in enumerate(text) if letter == "\n"]
    assert found == {str(cut): sum(end <= cut for end in ends) for cut in cuts}


def test_a_rollout_ages_as_a_whole(rollouts: Rollouts) -> None:
    """Counters mean something only after those before them: a file stays or goes whole."""

    def days_ago(days: int, record: dict[str, Any]) -> dict[str, Any]:
        return record | {"timestamp": (AS_OF - timedelta(days=days)).isoformat()}

    old = [days_ago(40, meta()), days_ago(40, tokens(0, 5))]
    rollouts.write("old.jsonl", *old)
    rollouts.write("spans.jsonl", *old, days_ago(5, tokens(0, 9)))
    config = rollouts.ledger.settings.config_path
    config.write_text("retention_days = 30\n" + config.read_text())
    assert rollouts.counts() == (3, 0, 2)
    assert len(rollouts.lines("1")) == 3


def test_the_folder_of_the_tool_is_known(tmp_path: Path) -> None:
    assert settings.codex_folder({"CODEX_HOME": str(tmp_path)}) == tmp_path
    assert settings.codex_folder({"HOME": str(tmp_path)}) == tmp_path / ".codex"


def test_sessions_belong_to_the_project_of_their_folder(rollouts: Rollouts) -> None:
    shop = rollouts.ledger.project("shop")
    head = meta()
    head["payload"]["cwd"] = str(shop / "api")
    rollouts.write("a.jsonl", head, tokens(1, 5))
    rollouts.counts()
    assert rollouts.ledger.rows("select rule, is_session_root from raw.working_directories") == [
        ("registered", True)
    ]
