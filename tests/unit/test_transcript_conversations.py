"""Conversations of coding agents: what an answer had been given, from lines and texts alone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agentledger.training.conversation import read_parts
from agentledger.transcripts import claude_code, codex
from agentledger.transcripts.parts import NOT_IN_VAULT, UNREADABLE, CallParts, Utterance


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def use(identity: str, name: str = "Read", **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": name, "input": given}


def result(identity: str, said: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": identity, "is_error": None, "content": said}


class Log:
    """Lines of one session of Claude Code, each below the one before unless it says otherwise."""

    def __init__(self) -> None:
        self.lines: list[claude_code.Line] = []
        self.texts: dict[tuple[str, str], dict[str, list[str]]] = {}
        self.calls: dict[str, str] = {}

    def add(
        self,
        kind: str,
        *blocks: dict[str, Any],
        call: str | None = None,
        parent: int | None = -1,
        agent: str | None = None,
        keep: bool = True,
        inserted: bool = False,
    ) -> int:
        number = len(self.lines)
        above = None if parent is None or number == 0 else self.lines[parent].uuid
        self.lines.append(
            claude_code.Line(
                record_key=f"r{number}", content_hash="h", uuid=f"u{number}", parent_uuid=above,
                line_type=kind, message_id=call, is_synthetic=False,
                is_sidechain=agent is not None, agent_id=agent, is_inserted=inserted,
                at=f"2026-02-01T10:00:{number:02d}.000Z", content_blocks=len(blocks),
            )
        )  # fmt: skip
        if keep and kind in ("user", "assistant"):
            self.texts[f"r{number}", "h"] = {"blocks": [json.dumps(block) for block in blocks]}
        if call is not None:
            self.calls[f"r{number}"] = call
        return number

    def session(self) -> claude_code.Session:
        return claude_code.Session(self.lines, self.texts, self.calls)

    def parts(self, call: str) -> CallParts:
        found = self.session().parts_of(call)
        assert isinstance(found, CallParts)
        return found


def roles(parts: CallParts) -> list[str]:
    return [message.role for message in read_parts(parts).messages]


def test_an_answer_was_given_all_that_stands_above_it() -> None:
    log = Log()
    log.add("user", text("one"))
    log.add("assistant", text("first"), call="m1")
    log.add("progress")
    log.add("user", text("two"))
    log.add("assistant", {"type": "thinking", "thinking": "hm"}, call="m2")
    log.add("assistant", text("second"), call="m2")
    found = read_parts(log.parts("m2"), with_thoughts=True)
    assert [message.text for message in found.messages] == [
        "one", "first", "two", "<think>\nhm\n</think>\nsecond",
    ]  # fmt: skip
    assert roles(log.parts("m1")) == ["user", "assistant"]


def test_tools_called_at_once_give_their_results_on_paths_of_their_own() -> None:
    """The path of the next answer passes one of the two results alone."""
    log = Log()
    log.add("user", text("read both"))
    log.add("assistant", text("I look."), call="m1")
    first = log.add("assistant", use("t1", path="a"), call="m1")
    second = log.add("assistant", use("t2", path="b"), call="m1")
    log.add("user", result("t1", "A"), parent=first)
    log.add("user", result("t2", "B"), parent=second)
    log.add("assistant", text("Both."), call="m2")
    found = read_parts(log.parts("m2"))
    assert [m.role for m in found.messages] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [m.text for m in found.messages] == ["read both", "I look.", "A", "B", "Both."]
    assert [call.arguments for call in found.messages[1].calls] == [{"path": "a"}, {"path": "b"}]


def test_what_a_tool_inserts_behind_its_result_belongs_to_it() -> None:
    """A format in which sides take turns has no place for it elsewhere."""
    log = Log()
    log.add("user", text("commit"))
    log.add("assistant", use("t1", "Skill", skill="commit"), call="m1")
    log.add("user", result("t1", "Launching skill: commit"))
    log.add("user", text("Base directory for this skill: /x"), inserted=True)
    log.add("assistant", text("Committed."), call="m2")
    log.add("user", text("thanks"))
    log.add("assistant", text("Welcome."), call="m3")
    for call, number in (("m2", 4), ("m3", 6)):
        messages = read_parts(log.parts(call)).messages
        assert len(messages) == number
        assert messages[2].text == ("Launching skill: commit\n\nBase directory for this skill: /x")


def test_words_that_were_taken_back_are_no_history() -> None:
    log = Log()
    start = log.add("user", text("one"))
    log.add("assistant", text("first"), call="m1")
    log.add("user", text("mistake"))
    log.add("assistant", text("wrong"), call="m2")
    log.add("user", text("better"), parent=start + 1)
    log.add("assistant", text("right"), call="m3")
    said = [message.text for message in read_parts(log.parts("m3")).messages]
    assert said == ["one", "first", "better", "right"]


def test_a_subagent_has_a_conversation_of_its_own() -> None:
    log = Log()
    log.add("user", text("ask somebody"))
    called = log.add("assistant", use("t1", "Task", prompt="look"), call="m1")
    log.add("user", text("look"), agent="a1")
    log.add("assistant", text("seen"), call="s1", agent="a1")
    log.add("user", result("t1", "seen"), parent=called)
    log.add("assistant", text("It was seen."), call="m2")
    assert [m.text for m in read_parts(log.parts("s1")).messages] == ["look", "seen"]
    assert roles(log.parts("m2")) == ["user", "assistant", "tool", "assistant"]
    said = [(item.conversation, item.kind, item.text) for item in log.session().utterances()]
    assert said == [
        (None, "user", "ask somebody"), (None, "tool_call", '{"prompt": "look"}'),
        (None, "tool_result", "seen"), (None, "answer", "It was seen."),
        ("a1", "user", "look"), ("a1", "answer", "seen"),
    ]  # fmt: skip


def test_an_answer_that_grows_is_told_once() -> None:
    log = Log()
    log.add("user", text("tell"))
    log.add("assistant", text("It"), call="m1")
    log.add("assistant", text("It grows."), call="m1")
    log.add("assistant", text("It grows."), call="m1")
    log.add("assistant", use("t1"), call="m1")
    log.add("assistant", use("t1"), call="m1")
    parts = log.parts("m1")
    assert (parts.answer, len(parts.calls)) == ("It grows.", 1)
    assert [item.text for item in log.session().utterances()] == ["tell", "It grows.", "{}"]


def test_a_compaction_begins_anew_with_its_summary() -> None:
    log = Log()
    log.add("user", text("one"))
    log.add("assistant", text("first"), call="m1")
    log.add("system", parent=None)
    log.add("user", text("In short: one, first."))
    log.add("assistant", text("second"), call="m2")
    said = [message.text for message in read_parts(log.parts("m2")).messages]
    assert said == ["In short: one, first.", "second"]


def test_a_history_with_a_hole_is_not_guessed_at() -> None:
    log = Log()
    log.add("user", text("one"))
    log.add("assistant", text("first"), call="m1", keep=False)
    log.add("user", text("two"))
    log.add("assistant", text("second"), call="m2")
    assert log.session().parts_of("m2") == NOT_IN_VAULT
    del log.lines[1]
    assert log.session().parts_of("m2") == UNREADABLE
    assert log.session().parts_of("m1") == UNREADABLE


def test_a_line_that_is_its_own_ancestor_ends_the_walk() -> None:
    log = Log()
    log.add("user", text("one"))
    log.add("assistant", text("first"), call="m1")
    loop = [replace(log.lines[0], parent_uuid="u1"), log.lines[1]]
    assert claude_code.Session(loop, log.texts, log.calls).parts_of("m1") is not None


# ---- Codex


class Items:
    """Lines of one thread of Codex."""

    def __init__(self) -> None:
        self.lines: list[codex.Line] = []
        self.texts: dict[tuple[str, str], dict[str, list[str]]] = {}

    def add(
        self,
        payload_type: str | None,
        line_type: str = "response_item",
        role: str | None = None,
        call: str | None = None,
        tool: str | None = None,
        **texts: str,
    ) -> None:
        key = f"r{len(self.lines)}"
        self.lines.append(
            codex.Line(key, "h", line_type, payload_type, role, call, tool, None, None)
        )
        self.texts[key, "h"] = {name: [said] for name, said in texts.items()}

    def say(self, role: str, said: str, payload_type: str | None = "message") -> None:
        self.add(payload_type, role=role, message=json.dumps(text(said)))

    def thread(self, unclear: Sequence[int] = ()) -> codex.Thread:
        marked = frozenset((f"r{number}", "h") for number in unclear)
        return codex.Thread(self.lines, self.texts, marked)

    def conversations(self) -> list[list[tuple[str, str]]]:
        found = []
        for answer in self.thread().answers():
            assert isinstance(answer.parts, CallParts)
            messages = read_parts(answer.parts).messages
            found.append([(message.role, message.text) for message in messages])
        return found


def round_of_tools() -> Items:
    items = Items()
    items.add(None, "session_meta", system_prompt="Be brief.")
    items.say("user", "read both", payload_type=None)
    items.add("reasoning", thoughts="hm")
    items.add("function_call", call="c1", tool="shell", arguments='{"cmd": "a"}')
    items.add("custom_tool_call", call="c2", tool="apply_patch", arguments="*** Begin")
    items.add("token_count", "event_msg")
    items.add("function_call_output", call="c1", output="A")
    items.add("custom_tool_call_output", call="c2", output="B")
    items.say("assistant", "Both.")
    items.add("agent_message", "event_msg")
    return items


def test_an_answer_of_codex_lies_between_two_things_that_were_given() -> None:
    items = round_of_tools()
    first, second = items.thread().answers()
    assert isinstance(first.parts, CallParts)
    assert isinstance(second.parts, CallParts)
    found = read_parts(second.parts)
    assert found.system == "Be brief."
    assert [(m.role, m.text) for m in found.messages] == [
        ("user", "read both"), ("assistant", ""), ("tool", "A"), ("tool", "B"),
        ("assistant", "Both."),
    ]  # fmt: skip
    assert [(c.name, c.arguments) for c in found.messages[1].calls] == [
        ("shell", {"cmd": "a"}), ("apply_patch", {"input": "*** Begin"}),
    ]  # fmt: skip
    assert (first.parts.thoughts, second.parts.thoughts) == ("hm", "")


def test_a_turn_that_was_stopped_says_so() -> None:
    items = round_of_tools()
    items.add("task_complete", "event_msg")
    items.say("user", "go on")
    items.say("assistant", "no")
    items.add("turn_aborted", "event_msg")
    reasons = [answer.stop_reason for answer in items.thread().answers()]
    assert reasons == ["completed", "completed", "user_aborted"]


def test_what_codex_forgot_or_looked_up_is_not_guessed_at() -> None:
    items = round_of_tools()
    items.add(None, "compacted", summary="In short")
    items.say("user", "go on")
    items.say("assistant", "yes")
    assert [answer.parts for answer in items.thread().answers()][2:] == [UNREADABLE]
    searched = Items()
    searched.say("user", "search")
    searched.add("web_search_call", tool="web_search", arguments='{"query": "x"}')
    searched.say("assistant", "found")
    assert [answer.parts for answer in searched.thread().answers()] == [UNREADABLE]


def test_records_that_raw_cannot_tell_apart_are_neither_learnt_nor_shown() -> None:
    """Should hold for two texts of one length at one time: either could be the one."""
    items = Items()
    items.say("user", "aaa")
    items.say("assistant", "bbb")
    thread = items.thread(unclear=[0])
    assert [answer.parts for answer in thread.answers()] == [UNREADABLE]
    assert "aaa" not in str(list(thread.utterances()))


def test_lines_that_were_read_before_the_vault_are_no_silence() -> None:
    items = round_of_tools()
    del items.texts["r1", "h"]
    assert {answer.parts for answer in items.thread().answers()} == {NOT_IN_VAULT}


def test_of_a_fork_the_beginning_is_marked_as_a_copy() -> None:
    parent = list(round_of_tools().thread().utterances())
    fork = round_of_tools()
    fork.say("user", "other way")
    own = codex.marked_copies(list(fork.thread().utterances()), parent)
    assert [item for item in own if not item.is_copy] == [Utterance(None, "user", "other way")]
    assert len(own) == len(parent) + 1
