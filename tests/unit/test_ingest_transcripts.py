"""Claude Code transcripts from file to raw: what lands, what never does, how files go on."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry
from agentledger.ingest import plan, working_directories
from agentledger.ingest.working_directories import Folder
from tests.unit.conftest import AS_OF, Ledger

SESSION = "5e000000-0000-4000-8000-000000000001"


def line(number: int, kind: str = "assistant", **changes: Any) -> dict[str, Any]:
    """The envelope as formats.md 6.10 writes it."""
    return {
        "parentUuid": None, "isSidechain": False, "userType": "external", "cwd": "/home/u/app",
        "sessionId": SESSION, "version": "2.1.42", "gitBranch": "main", "type": kind,
        "uuid": f"aa000000-0000-4000-8000-{number:012d}",
        "timestamp": f"2026-02-01T10:00:{number:02d}.100Z",
    } | changes  # fmt: skip


def response(number: int, message: str, output: int, *blocks: Any, **changes: Any) -> Any:
    """One content block of a response, with its usage."""
    usage = {
        "input_tokens": 3, "cache_creation_input_tokens": 500, "cache_read_input_tokens": 12000,
        "output_tokens": output, "service_tier": "standard",
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 500},
    }  # fmt: skip
    inside = {
        "id": message, "type": "message", "role": "assistant", "model": "model-a",
        "content": list(blocks) or [{"type": "text", "text": "SECRET answer"}],
        "stop_reason": None, "usage": usage,
    }  # fmt: skip
    return line(number, message=inside, requestId="req_01", **changes)


def tool_use(identity: str, name: str, **inputs: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": name, "input": inputs}


def tool_result(number: int, identity: str, content: Any, is_error: bool | None = None) -> Any:
    block = {"type": "tool_result", "tool_use_id": identity, "content": content}
    if is_error is not None:
        block["is_error"] = is_error
    return line(number, "user", message={"role": "user", "content": [block]})


class Transcripts:
    """A folder of transcripts that is registered as a source."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        folder.mkdir()
        registry.add_source(ledger.settings, "claude-code", str(folder), zone="UTC")

    def write(self, name: str, *records: Any, end: str = "\n", mode: str = "w") -> Path:
        path = self.folder / name
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
            f"select {columns} from raw.claude_code_lines order by file_id, line_no, ordinal"
        )

    def blocks(self, columns: str) -> list[Any]:
        return self.ledger.rows(
            f"select {columns} from raw.claude_code_blocks order by line_no, position"
        )


@pytest.fixture
def transcripts(ledger: Ledger, tmp_path: Path) -> Transcripts:
    return Transcripts(ledger, tmp_path / "transcripts")


def test_a_response_lands_with_its_usage_and_without_its_text(transcripts: Transcripts) -> None:
    transcripts.write(
        "-home-u-app/s.jsonl",
        line(1, "user", message={"role": "user", "content": "SECRET question of Alice"}),
        response(2, "msg_1", 5, {"type": "thinking", "thinking": "SECRET thought"}),
        {"type": "summary", "summary": "SECRET summary", "leafUuid": "x"},
        {"type": "file-history-snapshot", "messageId": "m", "snapshot": {"SECRET": "SECRET"}},
        line(5, "attachment", attachment={"type": "skill_listing", "content": "SECRET"}),
    )
    assert transcripts.counts() == (5, 0, 0)
    assert transcripts.lines(
        "line_no, line_type, prompt_kind, has_usage, message_id, request_id, model, input_tokens, "
        "output_tokens, cache_creation_input_tokens, cache_read_input_tokens, "
        "ephemeral_5m_input_tokens, ephemeral_1h_input_tokens"
    ) == [
        (1, "user", "text", False, *(None,) * 9),
        (2, "assistant", None, True, "msg_1", "req_01", "model-a", "3", "5", "500", "12000",
         "0", "500"),
        (3, "summary", None, False, *(None,) * 9),
        (4, "file-history-snapshot", None, False, "m", *(None,) * 8),
        (5, "attachment", None, False, *(None,) * 9),
    ]  # fmt: skip
    for table in ("claude_code_lines", "claude_code_blocks", "unknown_fields", "rejects"):
        assert "SECRET" not in str(transcripts.ledger.rows(f"select * from raw.{table}"))


def test_tools_land_by_name_and_errors_by_class(transcripts: Transcripts) -> None:
    rejected = "The user doesn't want to proceed with this tool use. SECRET"
    transcripts.write(
        "-home-u-app/s.jsonl",
        response(
            1, "msg_1", 5, {"type": "text", "text": "x"},
            tool_use("t1", "Skill", skill="plugin:commit", args="SECRET"),
            tool_use("t2", "Bash", command="rm SECRET"),
            tool_use("t3", "Task", subagent_type="reviewer", prompt="SECRET"),
        ),
        tool_result(2, "t1", "Launching skill: SECRET"),
        tool_result(3, "t2", "Exit code 127\nSECRET", is_error=True),
        tool_result(4, "t3", [{"type": "text", "text": rejected}], is_error=True),
        tool_result(5, "t4", "[Request interrupted by user for tool use]", is_error=True),
        tool_result(6, "t5", "<tool_use_error>Sibling tool call errored</tool_use_error>", True),
        tool_result(7, "t6", "something SECRET happened", is_error=True),
        tool_result(8, "t7", 'a text that says "is_error":true', is_error=False),
    )  # fmt: skip
    assert transcripts.counts() == (8, 0, 0)
    assert transcripts.blocks(
        "line_no, position, block_type, tool_use_id, tool_name, skill_name, subagent_type, "
        "is_error, error_class"
    ) == [
        (1, 1, "tool_use", "t1", "Skill", "plugin:commit", None, None, None),
        (1, 2, "tool_use", "t2", "Bash", None, None, None, None),
        (1, 3, "tool_use", "t3", "Task", None, "reviewer", None, None),
        (2, 0, "tool_result", "t1", None, None, None, None, None),
        (3, 0, "tool_result", "t2", None, None, None, "true", "exit_code"),
        (4, 0, "tool_result", "t3", None, None, None, "true", "user_rejected"),
        (5, 0, "tool_result", "t4", None, None, None, "true", "interrupted"),
        (6, 0, "tool_result", "t5", None, None, None, "true", "sibling_error"),
        (7, 0, "tool_result", "t6", None, None, None, "true", "other"),
        (8, 0, "tool_result", "t7", None, None, None, "false", None),
    ]
    assert "SECRET" not in str(transcripts.ledger.rows("select * from raw.claude_code_blocks"))


def test_kinds_of_prompts_are_told_without_their_text(transcripts: Transcripts) -> None:
    def prompt(number: int, content: Any, **changes: Any) -> Any:
        return line(number, "user", message={"role": "user", "content": content}, **changes)

    transcripts.write(
        "-home-u-app/s.jsonl",
        prompt(1, "please"),
        prompt(2, "<command-message>x</command-message>\n<command-name>/ns:plan</command-name>"),
        prompt(3, "<local-command-stdout>SECRET</local-command-stdout>"),
        prompt(4, "This session is continued", isCompactSummary=True),
        prompt(5, [{"type": "text", "text": "x"}]),
        line(6, "user", message="a damaged line"),
        prompt(7, [{"type": "text", "text": "[Request interrupted by user for tool use]"}]),
        prompt(8, [{"type": "image", "source": "SECRET"}]),
    )
    transcripts.counts()
    assert transcripts.lines("prompt_kind, command_name") == [
        ("text", None), ("command", "ns:plan"), ("command_output", None),
        ("compact_summary", None), ("text", None), ("blocks", None),
        ("interruption", None), ("blocks", None),
    ]  # fmt: skip


def test_strange_lines_cost_themselves_alone(transcripts: Transcripts) -> None:
    two = json.dumps(response(2, "msg_2", 5)) + json.dumps(response(3, "msg_2", 7))
    transcripts.write(
        "-home-u-app/s.jsonl",
        "42",
        json.dumps(response(1, "msg_1", 5), separators=(", ", " : ")),
        two,
        '["a list"]',
        "",
        '{"silly": 1}',
        '{"type": "never-seen", "sessionId": "s", "body": "x"}',
        '{"type": "user", "uuid": "u-9", "message": {"content": "nul \\u0000 inside"}}',
        '{"type": "assistant", "broken',
    )
    assert transcripts.counts() == (6, 3, 0)
    assert transcripts.lines("line_no, ordinal, line_type, output_tokens") == [
        (2, 0, "assistant", "5"), (3, 0, "assistant", "5"), (3, 1, "assistant", "7"),
        (6, 0, None, None), (7, 0, "never-seen", None), (8, 0, "user", None),
    ]  # fmt: skip
    assert transcripts.ledger.rows(
        "select field_name, occurrences from raw.unknown_fields order by 1"
    ) == [("body", 1), ("silly", 1)]
    assert transcripts.ledger.rows("select line_no, reason from raw.rejects order by 1") == [
        (1, "not_an_object"),
        (4, "not_an_object"),
        (9, "malformed_record"),
    ]


def test_unknown_usage_keys_are_counted_by_name(transcripts: Transcripts) -> None:
    record = response(1, "msg_1", 5)
    record["message"]["usage"]["tokens_of_tomorrow"] = 7
    transcripts.write("-home-u-app/s.jsonl", record)
    transcripts.counts()
    assert transcripts.ledger.rows("select field_name from raw.unknown_fields") == [
        ("message.usage.tokens_of_tomorrow",)
    ]


def test_a_growing_file_goes_on_where_it_ended(transcripts: Transcripts) -> None:
    """A half-written last line waits; what was appended is read alone; blocks come with lines."""
    whole = json.dumps(response(2, "msg_1", 9, tool_use("t1", "Bash")))
    name = "-home-u-app/s.jsonl"
    path = transcripts.write(name, response(1, "msg_1", 5, tool_use("t0", "Bash")), whole[:60])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    os.utime(path, (AS_OF.timestamp(), AS_OF.timestamp()))  # nobody has gone away yet
    assert transcripts.counts() == (1, 0, 0)
    transcripts.write(name, whole[60:], mode="a")
    assert transcripts.counts() == (1, 0, 0)
    assert transcripts.blocks("tool_use_id") == [("t0",), ("t1",)]
    # Rewritten with one more line: what is known is recognised, its blocks do not land again.
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(response(0, "msg_0", 1)), *lines]) + "\n")
    assert transcripts.counts() == (1, 0, 2)
    assert transcripts.blocks("tool_use_id") == [("t0",), ("t1",)]


def test_subagents_lie_deep_and_other_files_are_left_alone(transcripts: Transcripts) -> None:
    deep = f"-home-u-app/{SESSION}/subagents/workflows/wf_1/agent-a1.jsonl"
    transcripts.write(deep, response(1, "msg_1", 5, isSidechain=True, agentId="a1"))
    transcripts.write("-home-u-app/sessions-index.json", {"type": "x", "sessionId": "s"})
    gemini = {"sessionId": "s", "projectHash": "h", "messages": [{"tokens": {}}]}
    (transcripts.folder / "g.jsonl").write_text(json.dumps(gemini, indent=2))
    assert transcripts.counts()[0] == 1
    assert transcripts.lines("is_sidechain, agent_id") == [("true", "a1")]
    assert transcripts.ledger.rows("select state from raw.files where state <> 'loaded'") == [
        ("unrecognised_format",)
    ]


def test_any_order_of_lines_and_files_lands_the_same(ledger: Ledger, tmp_path: Path) -> None:
    records = [response(number, f"msg_{number % 4}", number) for number in range(12)]
    found = []
    for seed in (1, 2):
        folder = tmp_path / f"home-{seed}"
        here = Transcripts(ledger, folder)
        random.Random(seed).shuffle(records)  # noqa: S311 - test data
        for number in range(3):
            here.write(f"p/{number}.jsonl", *records[number::3])
        here.counts()
        found.append(
            ledger.rows(
                "select record_key, content_hash from raw.claude_code_lines l join raw.sources s "
                f"using (source_id) where s.location = '{folder}' order by all"
            )
        )
    assert found[0] == found[1]


KEY = b"k" * 32
REGISTERED = {"/w/shop": "shop-id"}
STARTS = ["/w/cli", "/"]


@pytest.mark.parametrize(
    ("cwd", "path", "rule"),
    [
        ("/w/shop", "/w/shop", "registered"),
        ("/w/shop/api/v1", "/w/shop", "registered"),
        ("/w/shop/.worktrees/fix", "/w/shop", "registered"),
        ("/w/shopping", "/w/shopping", "itself"),
        ("/w/cli/cmd/x", "/w/cli", "subdirectory"),
        ("/w/cli/.worktrees/soph/fix-it/cmd", "/w/cli", "worktree"),
        ("/w/tool/.claude/worktrees/a", "/w/tool", "worktree"),
        ("/elsewhere", "/elsewhere", "itself"),
    ],
)
def test_a_folder_folds_into_its_project(cwd: str, path: str, rule: str) -> None:
    """Of folders that do not exist here, the spelling decides."""
    folder = Folder("s", cwd, False, None)
    found = working_directories.resolve(folder, REGISTERED, STARTS, KEY)
    assert (found.project_path, found.rule) == (path, rule)


def test_a_worktree_of_this_machine_belongs_to_its_repository(tmp_path: Path) -> None:
    repository, worktree = tmp_path / "shop", tmp_path / "elsewhere"
    (repository / ".git" / "worktrees" / "fix").mkdir(parents=True)
    (worktree / "src").mkdir(parents=True)
    (worktree / ".git").write_text(f"gitdir: {repository}/.git/worktrees/fix\n")
    assert working_directories.git_root(str(worktree / "src")) == str(repository)
    folder = Folder("s", str(worktree / "src"), False, str(repository))
    found = working_directories.resolve(folder, {str(repository): "id"}, [], KEY)
    assert (found.rule, found.project_id) == ("registered", "id")


def test_sessions_outside_registered_projects_count_where_the_source_says_so(
    transcripts: Transcripts,
) -> None:
    ledger = transcripts.ledger
    shop = ledger.project("shop")
    transcripts.write(
        "p/s.jsonl", response(1, "m1", 5, cwd=str(shop / "api")), response(2, "m2", 5, cwd="/w/x")
    )
    active = (
        "select p.project_name, p.is_active from raw.working_directories w "
        "join raw.projects p using (project_id) order by 1"
    )
    transcripts.counts()
    assert ledger.rows(active) == [("shop", True)]
    registry.add_source(ledger.settings, "claude-code", str(transcripts.folder), projects="all")
    transcripts.counts()
    assert ledger.rows(active) == [("shop", True), ("x", True)]
    registry.add_source(
        ledger.settings, "claude-code", str(transcripts.folder), projects="registered"
    )
    transcripts.counts()
    assert ledger.rows(active) == [("shop", True), ("x", False)]


def test_a_renamed_folder_takes_its_old_sessions_along_at_the_next_run(
    transcripts: Transcripts,
) -> None:
    """And gives them back when the entry goes: the lines know where they were written."""
    ledger = transcripts.ledger
    shop = ledger.project("shop")
    transcripts.write(
        "p/s.jsonl", response(1, "m1", 5, cwd="/gone/store/api"), response(2, "m2", 5, cwd="/w/x")
    )
    known = (
        "select cwd, rule, project_path, load_seq from raw.working_directories "
        "where cwd like '/gone%'"
    )
    transcripts.counts()
    assert [row[:2] for row in ledger.rows(known)] == [("/gone/store/api", "itself")]
    path = ledger.settings.config_path
    before = path.read_text()
    path.write_text(f'{before}\n[[renames]]\nfrom = "/gone/store"\nto = "{shop}"\n')
    assert plan.new_work(ledger.settings).anything
    transcripts.counts()
    assert [row[:3] for row in ledger.rows(known)] == [("/gone/store/api", "registered", str(shop))]
    path.write_text(before)
    transcripts.counts()
    assert [row[:2] for row in ledger.rows(known)] == [("/gone/store/api", "itself")]
