"""The example orchestrator: every utterance leaves exactly one event, whatever becomes of it."""

import contextlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from agentledger.boost_rules import BoostRule, BoostRules
from agentledger.emit import ChatRecorder, IntentRecorder, guard
from examples.intent_router.__main__ import SCRIPT
from examples.intent_router.router import IntentRouter

ROOT = Path(__file__).parents[2]

# Worked out by hand from what is said, who says it and what policy denies.
OUTCOMES = {
    "ready": 6,
    "needs_clarification": 1,
    "needs_user_input": 1,
    "scope_candidates": 1,
    "scope_resolved": 1,
    "macro_expanded": 1,
    "no_allowed_verbs": 3,
    "direct_dsl_denied": 1,
    "no_match": 2,
    "error": 1,
}


def events(home: Path, kind: str) -> list[dict[str, Any]]:
    files = sorted((home / "spool").glob(f"{kind}-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def rule(verb: str, weight: float) -> BoostRule:
    return BoostRule(
        1, "accepted", "(any)", "(any)", "(any)", verb, weight, 40, 10, 9, None,
        "2026-01-01T00:00:00Z", None, "ann", None, None,
    )  # fmt: skip


def play(router: IntentRouter, times: int) -> None:
    for number in range(times):
        for text, role, choice in SCRIPT:
            with contextlib.suppress(ValueError):
                router.handle(text, session_id=f"s-{number}", role=role, choice=choice)


def test_every_utterance_leaves_one_event_by_outcome(tmp_path: Path) -> None:
    """Should count each path, a failed command and a registry that is down included."""
    recorder, chat = IntentRecorder(tmp_path), ChatRecorder(tmp_path)
    play(IntentRouter(recorder, chat), times=10)
    down = IntentRouter(recorder, chat, registry_is_up=False)
    down.handle("create order", session_id="s-0")
    recorder.flush()
    found = events(tmp_path, "intent_events")
    assert len(found) == 10 * len(SCRIPT) + 1 == 181
    assert Counter(event["outcome"] for event in found) == {
        **{outcome: 10 * count for outcome, count in OUTCOMES.items()},
        "semantic_not_ready": 1,
    }
    assert len({event["event_id"] for event in found}) == 181
    # Every answer but the ten that an exception took away; every command that was ready.
    assert len(events(tmp_path, "chat_events")) == 171
    executions = events(tmp_path, "intent_executions")
    assert Counter((e["success"], e["error_class"]) for e in executions) == {
        (True, None): 50,
        (False, "LookupError"): 10,
    }
    assert {e["intent_event_id"] for e in executions} == {
        event["event_id"] for event in found if event["outcome"] == "ready"
    }


def test_what_was_denied_forced_and_missing_is_told(tmp_path: Path) -> None:
    """Should keep policy of the search and of macros apart, and a forced verb beside the chosen."""
    recorder = IntentRecorder(tmp_path)
    play(IntentRouter(recorder, ChatRecorder(tmp_path)), times=1)
    recorder.flush()
    found = events(tmp_path, "intent_events")
    forced = [e for e in found if e["forced_verb_fqn"]]
    assert [(e["chosen_verb_fqn"], e["forced_verb_fqn"]) for e in forced] == [
        ("order.create", "order.show")
    ]
    assert [e["macro_denied_verbs"] for e in found if e["macro_semreg_checked"]] == [
        [],
        ["customer.delete"],
    ]
    assert ["item", "quantity"] in [e["missing_args"] for e in found]
    assert [e["error_code"] for e in found if e["outcome"] == "error"] == ["ValueError"]
    stored = b"".join(file.read_bytes() for file in (tmp_path / "spool").iterdir())
    assert b"lamp" not in stored


def test_a_boost_settles_a_close_call_and_revives_nothing(tmp_path: Path) -> None:
    """Should order what policy left; a denied verb stays denied however it is boosted."""
    recorder = IntentRecorder(tmp_path)
    rules = BoostRules((rule("order.show", 0.10), rule("order.refund", 0.10)), 1)
    router = IntentRouter(recorder, ChatRecorder(tmp_path), rules)
    session = next(f"s-{n}" for n in range(99) if not rules.is_control(f"s-{n}"))
    # Four commands share the word `order` with a score of 2/3; boosted, one is clear.
    assert router.handle("order order=1", session_id=session).outcome == "ready"
    assert router.handle("refund order order=1", session_id=session).outcome == "no_allowed_verbs"


def test_the_command_plays_the_script(tmp_path: Path) -> None:
    """Should run as the documentation says, and name where the events are."""
    command = [sys.executable, "-m", "examples.intent_router", "--home", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{len(SCRIPT)} utterances" in done.stdout
    assert len(events(tmp_path, "intent_events")) == len(SCRIPT)
    one = subprocess.run([*command, "sing"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "no_match 1" in one.stdout


def test_only_the_router_emits() -> None:
    """The example keeps the rule that it teaches."""
    assert guard.scan(ROOT / "examples", "examples.intent_router.router") == []
