"""One event per utterance on every path, with every column and no private text."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentledger import privacy
from agentledger.emit import ChatRecorder, EventWriter, IntentRecorder, IntentTrace
from agentledger.emit.columns import COLUMNS

TEXT = "Please  CREATE the Fund\tfor Zanzibar"


def events(home: Path, kind: str = "intent_events") -> list[dict[str, Any]]:
    files = sorted((home / "spool").glob(f"{kind}-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[IntentRecorder]:
    writer = EventWriter(tmp_path)
    yield IntentRecorder(writer=writer)
    writer.close()


def outcomes(recorder: IntentRecorder, home: Path) -> list[tuple[str, str | None]]:
    assert recorder.flush()
    return [(event["outcome"], event["error_code"]) for event in events(home)]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("end", ("ready", None)),
        ("return", ("no_match", None)),
        ("raise", ("error", "ZeroDivisionError")),
        ("exit", ("error", "SystemExit")),
        ("recorded inside", ("ready", None)),
        ("nothing noted", ("unknown", None)),
    ],
)
def test_every_way_out_emits_one_event(
    recorder: IntentRecorder, tmp_path: Path, how: str, expected: tuple[str, str | None]
) -> None:
    """The tempting change is to record at each return: one is always forgotten."""

    def handle() -> None:
        with recorder.utterance(TEXT, entrypoint="chat") as trace:
            if how == "nothing noted":
                return
            trace.outcome = "no_match"
            if how == "return":
                return
            if how == "raise":
                raise ZeroDivisionError(TEXT)
            if how == "exit":
                raise SystemExit(3)
            trace.outcome = "ready"
            if how == "recorded inside":
                recorder.record(trace)

    try:
        handle()
    except (ZeroDivisionError, SystemExit):
        assert how in ("raise", "exit")
    assert outcomes(recorder, tmp_path) == [expected]


def test_cancellation_emits_one_event(recorder: IntentRecorder, tmp_path: Path) -> None:
    """Should record a task that is cancelled while it waits, and one that times out."""

    @recorder.utterance(entrypoint="chat")
    async def handle(text: str, *, trace: IntentTrace) -> None:
        trace.utterance = text
        await asyncio.sleep(60)

    async def scoped() -> None:
        async with recorder.utterance(TEXT):
            await asyncio.sleep(60)

    async def main() -> None:
        tasks = [asyncio.create_task(handle(TEXT)), asyncio.create_task(scoped())]  # type: ignore[call-arg]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert outcomes(recorder, tmp_path) == [("error", "CancelledError")] * 2


def test_decorators_open_a_trace_per_call(recorder: IntentRecorder, tmp_path: Path) -> None:
    """Should keep nested utterances, generators and asynchronous generators apart."""

    @recorder.utterance(outcome="ready")
    def inner(*, trace: Any = None) -> str:
        return trace.event_id

    @recorder.utterance(outcome="macro_expanded")
    def outer(*, trace: Any = None) -> set[str]:
        return {trace.event_id, inner()}

    @recorder.utterance(outcome="ready")
    def tokens(*, trace: Any = None) -> Iterator[int]:
        yield from range(3)

    @recorder.utterance(outcome="ready")
    async def streamed(*, trace: Any = None) -> AsyncIterator[int]:
        for number in range(3):
            yield number

    async def read() -> list[int]:
        return [number async for number in streamed()]

    assert len(outer()) == 2
    assert list(tokens()) == [0, 1, 2]
    stopped = tokens()
    next(stopped)
    stopped.close()  # type: ignore[attr-defined]
    assert asyncio.run(read()) == [0, 1, 2]
    assert (
        sorted(outcomes(recorder, tmp_path)) == [("macro_expanded", None)] + [("ready", None)] * 4
    )
    assert len({event["event_id"] for event in events(tmp_path)}) == 5


def test_a_full_trace_fills_every_column(recorder: IntentRecorder, tmp_path: Path) -> None:
    """Should write all 38 columns by name, each in its class."""
    session = uuid.uuid4()
    trace = IntentTrace(
        TEXT,
        session_id=session,
        actor_id="ann@example.com",
        entrypoint="chat",
        scope="Scope { client: Zanzibar }",
        subject_ref_type="none",
        subject_ref_id=uuid.UUID(int=0),
        semreg_mode="strict",
        semreg_denied_verbs=[],
        verb_candidates_pre=[("cbu.create", 0.5)] * 12,
        verb_candidates_post=[{"verb": "cbu.create", "score": float("nan")}],
        outcome="needs_user_input",
        error_code="Zanzibar is not allowed",
        pruned_verbs_count=3,
        soft_stage_flow={"total": 2, "by_tier": {"hot": 2}},
        state_observer=[{"verb": "v.w", "state_reachable": False, "failing_predicate": "Zanzibar"}],
        entity_confidence=0.9,
        missing_args=["role"],
    )
    noted = list(trace.verb_candidates_pre or [])
    event_id = recorder.record(trace)
    trace.missing_args = None
    assert trace.utterance is None
    recorder.flush()
    assert trace.telemetry_persisted is True
    (row,) = events(tmp_path)
    assert list(row)[:38] == list(COLUMNS)
    assert len(COLUMNS) == 38
    assert row["event_id"] == event_id == str(uuid.UUID(event_id))
    assert row["session_id"] == str(session)
    assert row["subject_ref_id"] is None
    assert row["subject_ref_type"] is None
    assert row["semreg_denied_verbs"] == []
    assert row["macro_denied_verbs"] is None
    assert row["verb_candidates_pre"] == [list(pair) for pair in noted[:10]]
    assert row["verb_candidates_post"] == [["cbu.create", None]]
    assert row["error_code"] == "other"
    assert row["missing_args"] == ["role"]
    assert row["scope"] is None
    assert row["scope_length"] == 26
    assert row["state_observer"][0]["failing_predicate_length"] == 8
    key = bytes.fromhex((tmp_path / "key").read_text())
    assert row["utterance_hash"] == privacy.keyed_hash(key, "please create the fund for zanzibar")
    stored = b"".join(f.read_bytes() for f in (tmp_path / "spool").iterdir()).lower()
    assert b"zanzibar" not in stored
    assert b"ann@" not in stored


def test_executions_and_answers_link_to_their_intent(tmp_path: Path) -> None:
    """Should write results and messages as events of their own."""
    recorder, chat = IntentRecorder(tmp_path), ChatRecorder(tmp_path)
    with recorder.utterance(TEXT) as trace:
        pass
    recorder.executed(trace.event_id, False, ValueError("Zanzibar"))
    recorder.executed(trace.event_id, None, "it broke badly")
    chat.message("Zanzibar is done", session_id="s-1", turn_id=14, intent_event_id=trace.event_id)
    recorder.flush()
    failed, unknown = events(tmp_path, "intent_executions")
    assert (failed["success"], failed["error_class"]) == (False, "ValueError")
    assert (unknown["success"], unknown["error_class"]) == (None, "other")
    (message,) = events(tmp_path, "chat_events")
    assert message["intent_event_id"] == failed["intent_event_id"] == trace.event_id
    assert message["turn_id"] == "14"
    assert len(message["assistant_message_hash"]) == 64
    assert "Zanzibar" not in json.dumps([failed, unknown, message])


def test_previews_are_off_unless_asked_for_and_never_strict(tmp_path: Path) -> None:
    """Should refuse the contradiction at construction, before anything is written."""
    with pytest.raises(ValueError, match="strict"):
        IntentRecorder(tmp_path, preview=True, strict=True)
    writer = EventWriter(tmp_path)
    for recorder in (IntentRecorder(writer=writer), IntentRecorder(writer=writer, preview=True)):
        with recorder.utterance("mail ann@example.com"):
            pass
    writer.close()
    assert [e["utterance_preview"] for e in events(tmp_path)] == [None, "mail [email]"]


@pytest.mark.parametrize("odd", [{"semreg_denied_verbs": 3}, {"missing_args": 7}])
def test_nonsense_is_counted_and_never_raised(
    recorder: IntentRecorder, odd: dict[str, Any]
) -> None:
    """The tempting change is to validate in the caller: its users would see our errors."""
    with recorder.utterance(TEXT, no_such_field=1, **odd) as trace:
        pass
    recorder.record(None)  # type: ignore[arg-type]
    recorder.flush()
    assert trace.telemetry_persisted is False
    assert recorder.stats()["failed"] == 2
    assert recorder.stats()["last_error"] is not None


def test_ids_differ_between_threads_forks_and_processes() -> None:
    """The tempting change is a counter alone: a forked child would repeat its parent's ids."""
    code = """
import os, sys, threading
from agentledger.emit.trace import new_event_id
def draw():
    for _ in range(500):
        sys.stdout.write(new_event_id() + chr(10))
draw()
sys.stdout.flush()
child = os.fork()
threads = [threading.Thread(target=draw) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.stdout.flush()
if child:
    os.waitpid(child, 0)
"""
    root = Path(privacy.__file__).parents[1]
    found: list[str] = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
        )
        found += done.stdout.split()
    assert len(found) == len(set(found)) == 2 * (500 + 2 * 2000)
    assert {uuid.UUID(text).version for text in found} == {7}
    assert {str(uuid.UUID(text)) for text in found} == set(found)


def test_importing_needs_the_standard_library_alone_and_little_time() -> None:
    """The tempting change is a convenient import at the top: hosts would pay for it."""
    code = (
        "import sys, time; t = time.process_time(); import agentledger.emit;"
        "t = time.process_time() - t; names = {n.split('.')[0] for n in sys.modules};"
        "print(t, names - set(sys.stdlib_module_names) - {'agentledger', '__main__'})"
    )
    best = 1.0
    for _ in range(20):  # processor time, and the best of several: other work shares the cores
        out = subprocess.run(
            [sys.executable, "-S", "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(privacy.__file__).parents[1],
        ).stdout.split(" ", 1)
        assert out[1].strip() == "set()"
        best = min(best, float(out[0]))
        if best < 0.05:
            break
    assert best < 0.05


@pytest.mark.parametrize(
    ("candidates", "written"),
    [
        ([None], None),
        ([("a.b",)], [["a.b", None]]),
        (["cbu.create"], [["cbu.create", None]]),
        ({"a.b": 0.5}, [["a.b", 0.5]]),
        ('[["a.b",0.5]]', [["a.b", 0.5]]),
        ("a.b", [["a.b", None]]),
        ([7, ["a.b", "0.5"]], [["a.b", 0.5]]),
    ],
)
def test_candidates_of_any_shape_cost_no_event(
    tmp_path: Path, candidates: Any, written: list[Any] | None
) -> None:
    """The tempting change is to unpack whatever comes: a name would give its first letter."""
    recorder = IntentRecorder(tmp_path)
    trace = IntentTrace()
    trace.verb_candidates_pre = candidates
    trace.state_observer = "x"  # type: ignore[assignment]
    recorder.record(trace)
    assert recorder.flush()
    [path] = (tmp_path / "spool").iterdir()
    row = json.loads(path.read_text())
    assert row["verb_candidates_pre"] == written
    assert row["state_observer"] is None


def test_a_trace_without_an_id_gets_one(recorder: IntentRecorder, tmp_path: Path) -> None:
    """The text "None" would be the id of every such event."""
    event_id = recorder.record(IntentTrace(event_id=None, outcome="ready"))  # type: ignore[arg-type]
    recorder.flush()
    (row,) = events(tmp_path)
    assert row["event_id"] == event_id == str(uuid.UUID(event_id))
