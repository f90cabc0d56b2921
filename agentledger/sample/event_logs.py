"""Made-up logs of events beside the skill metrics: what users asked, and runs of workflows.

Belongs here: a small world of verbs, prompt versions and workflows with something to find in it (an
ambiguous pair of verbs, a denied one, a better prompt, a step that only slows down). Does not
belong here: the formats (formats.md 2 and 5), skill metrics (`history.py`).
"""

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from agentledger.sample.agent_tasks import agent_tasks

VERBS = (
    "order.create", "order.cancel", "order.refund", "order.track", "customer.find",
    "customer.merge", "invoice.send", "report.monthly", "stock.adjust", "price.update",
)  # fmt: skip
CLOSE_PAIRS = {"order.cancel": "order.refund", "customer.find": "customer.merge"}
"""Verbs that users' words do not tell apart."""

DENIED = ("customer.merge", "price.update")
ARGUMENTS = {"order.refund": "amount", "stock.adjust": "quantity", "report.monthly": "month"}
PROMPT_VERSIONS = ("2026-07-01", "2026-08-01")
"""The second one fills arguments better."""

WORKFLOWS = {
    "feature-dev": ("refactor-plan", "code-review", "pytest-run", "commit-message"),
    "release": ("dependency-audit", "pytest-run", "deploy-preview"),
    "hotfix": ("flaky-test-triage", "pytest-run", "commit-message"),
}
DAYS = 60


def write_event_logs(folder: Path, rng: random.Random, events: int, until: date) -> dict[str, int]:
    """Write the logs of one project into its tracker folder.

    Args:
        folder: `.session-buddy` of the project.
        rng: Decides everything.
        events: Utterances to invent; there is a run of a workflow to every four of them, and a task
            of an agent to every two.
        until: First day without events.

    Returns:
        Events per format, as a reader must find them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    intents, executions = [], []
    for intent in _intents(rng, events, until):
        intents.append(intent)
        if intent["outcome"] == "ready" and rng.random() < 0.9:
            executions.append(_execution(rng, intent))
    logs = {
        "intent_events": intents,
        "intent_executions": executions,
        "workflow_executions": list(_runs(rng, events // 4, until)),
        "usage_events": list(agent_tasks(rng, events // 2, until)),
    }
    for name, records in logs.items():
        lines = (json.dumps(record, separators=(",", ":")) for record in records)
        (folder / f"{name}.jsonl").write_text(
            "".join(line + "\n" for line in lines), encoding="utf-8"
        )
    return {name: len(records) for name, records in logs.items()}


def _identity(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _moment(rng: random.Random, until: date) -> datetime:
    start = datetime.combine(until - timedelta(days=DAYS), time())
    return start + timedelta(microseconds=rng.randrange(DAYS * 86_400_000_000))


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds") + "Z"


def _intents(rng: random.Random, count: int, until: date) -> Iterator[dict[str, Any]]:
    left = count
    while left:
        session, at = _identity(rng), _moment(rng, until)
        for _ in range(min(left, 1 + rng.randrange(8))):
            wanted = rng.choice(VERBS)
            yield _intent(rng, session, at, wanted, until)
            at += timedelta(seconds=20 + rng.expovariate(1 / 60))
            left -= 1


def _intent(
    rng: random.Random, session: str, at: datetime, wanted: str, until: date
) -> dict[str, Any]:
    version = PROMPT_VERSIONS[at.date() >= until - timedelta(days=DAYS // 2)]
    first = round(rng.uniform(0.6, 0.9), 6)
    close = CLOSE_PAIRS.get(wanted)
    second = close or rng.choice([verb for verb in VERBS if verb != wanted])
    gap = rng.uniform(0.0, 0.08) if close else rng.uniform(0.08, 0.3)
    candidates = [[wanted, first], [second, round(first - gap, 6)]]
    denied = [verb for verb in DENIED if verb in (wanted, second) and rng.random() < 0.5]
    event: dict[str, Any] = {
        "event_id": _identity(rng),
        "ts": _instant(at),
        "session_id": session,
        "actor_id": f"user-{rng.randrange(20)}",
        "entrypoint": rng.choice(("chat", "chat", "repl", "mcp")),
        "utterance_hash": hashlib.sha256(f"{wanted} {rng.randrange(40)}".encode()).hexdigest(),
        "semreg_mode": "strict",
        "semreg_denied_verbs": denied,
        "verb_candidates_pre": candidates,
        "verb_candidates_post": [pair for pair in candidates if pair[0] not in denied],
        "chosen_verb_fqn": None if wanted in denied else wanted,
        "selection_source": "discovery",
        "forced_verb_fqn": None,
        "outcome": "no_allowed_verbs" if wanted in denied else "ready",
        "macro_semreg_checked": rng.random() < 0.1,
        "prompt_version": version,
        "missing_args": [],
    }
    if event["outcome"] == "ready":
        _complicate(rng, event, wanted, close, version)
    return event


def _complicate(
    rng: random.Random, event: dict[str, Any], wanted: str, close: str | None, version: str
) -> None:
    chance = rng.random()
    argument = ARGUMENTS.get(wanted)
    if close and chance < 0.35:
        event["outcome"] = "needs_clarification"
    elif close and chance < 0.5:
        event |= {"chosen_verb_fqn": close, "forced_verb_fqn": close,
                  "selection_source": "user_choice"}  # fmt: skip
    elif argument and chance < (0.45 if version == PROMPT_VERSIONS[0] else 0.2):
        event |= {"outcome": "needs_user_input", "missing_args": [argument]}
    elif chance > 0.97:
        event |= {"outcome": "no_match", "chosen_verb_fqn": None}
    elif event["macro_semreg_checked"] and chance > 0.7:
        event["macro_denied_verbs"] = ["price.update"]


def _execution(rng: random.Random, intent: dict[str, Any]) -> dict[str, Any]:
    failed = rng.random() < (0.2 if intent["chosen_verb_fqn"] == "stock.adjust" else 0.04)
    return {
        "event_id": _identity(rng),
        "ts": intent["ts"],
        "intent_event_id": intent["event_id"],
        "success": not failed,
        "error_class": "TimeoutError" if failed else None,
    }


def _runs(rng: random.Random, count: int, until: date) -> Iterator[dict[str, Any]]:
    for _ in range(count):
        name = rng.choice(list(WORKFLOWS))
        steps = [step for step in WORKFLOWS[name] if rng.random() < 0.85]
        started, minutes = _moment(rng, until), 2.0 + sum(rng.expovariate(0.2) for _ in steps)
        # Reviewing first makes a run succeed; the preview of a deployment makes it fail.
        odds = 0.75 + 0.15 * ("code-review" in steps) - 0.2 * ("deploy-preview" in steps)
        status = "completed" if rng.random() < odds else "failed"
        if rng.random() < 0.03:
            status = "running"
        ended = None if status == "running" else _instant(started + timedelta(minutes=minutes))
        yield {
            "workflow_id": _identity(rng),
            "workflow_name": name,
            "started_at": _instant(started),
            "completed_at": ended,
            "status": status,
            "skills_used": steps,
            "total_duration_ms": None if ended is None else round(minutes * 60_000, 3),
            "metadata": {},
        }
