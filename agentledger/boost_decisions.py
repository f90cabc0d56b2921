"""Accepting and rejecting proposed boosts: the reviewed file and its history.

Belongs here: one decision, written under a lock, whole or not at all; what a proposal's state is.
Does not belong here: what an orchestrator reads (`boost_rules.py`), the evidence (`models/`).

Nothing is ever deleted: a new decision ends the one before it (`valid_to`) and is added.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from agentledger import files
from agentledger.boost_rules import (
    MAX_WEIGHT,
    BoostRule,
    boosts_path,
    decisions_text,
    read_decisions,
)
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.settings import Settings

LOCK_WAIT_SECONDS = 10.0
"""Edits take milliseconds; whoever holds the lock longer is stuck."""

KEY_COLUMNS = ("scope_bucket", "subject_kind", "phase", "verb_fqn")
EVIDENCE_COLUMNS = ("accepted_count", "rejected_count", "session_count")

Decision = Literal["accepted", "rejected"]


def decide(
    settings: Settings,
    proposal: Mapping[str, Any],
    decision: Decision,
    *,
    by: str | None = None,
    note: str | None = None,
    build_id: str | None = None,
    at: datetime | None = None,
) -> BoostRule:
    """Write a decision on a proposal; the standing decision on the same key ends.

    Args:
        settings: Names the data home.
        proposal: A row of `verb_boost_rules`.
        decision: 'accepted' or 'rejected'; rejecting what was accepted withdraws it.
        by: Who decided.
        note: Why, in the words of whoever decided.
        build_id: Build that the proposal was read from.
        at: Instant of the decision; now by default.

    Raises:
        UsageError: When the proposal has too little evidence to be accepted.
        AgentLedgerError: When the file cannot be read or another edit holds its lock.
    """
    weight = float(proposal["boost_weight"])
    if decision == "accepted" and proposal["reason"] == "insufficient_data":
        raise UsageError(
            f"There is not enough evidence for {proposal['verb_fqn']}: its weight is 0. "
            "Wait for more uses, or reject it."
        )
    at = datetime.now(UTC) if at is None else at.astimezone(UTC)
    with _editing(settings) as decisions:
        key = tuple(str(proposal[name]) for name in KEY_COLUMNS)
        standing = _standing(decisions, at).get(key)
        # Two decisions within a clock's step, or a clock set back: time still goes forward.
        if standing is not None and at <= datetime.fromisoformat(standing.valid_from):
            at = datetime.fromisoformat(standing.valid_from).replace(tzinfo=UTC)
        instant = at.isoformat().replace("+00:00", "Z")
        if standing is not None:
            ended = dataclasses.replace(standing, valid_to=instant)
            decisions[decisions.index(standing)] = ended
        rule = BoostRule(
            rule_version=max((known.rule_version for known in decisions), default=0) + 1,
            decision=decision,
            scope_bucket=key[0],
            subject_kind=key[1],
            phase=key[2],
            verb_fqn=key[3],
            boost_weight=min(MAX_WEIGHT, max(-MAX_WEIGHT, weight)),
            accepted_count=int(proposal["accepted_count"]),
            rejected_count=int(proposal["rejected_count"]),
            session_count=int(proposal["session_count"]),
            reason=proposal["reason"],
            valid_from=instant,
            valid_to=None,
            approved_by=by,
            note=note,
            build_id=build_id,
        )
        decisions.append(rule)
    return rule


def reviewed(
    proposals: Sequence[Mapping[str, Any]], decisions: Sequence[BoostRule]
) -> list[dict[str, Any]]:
    """Lay the standing decisions beside the proposals; decided ones without a proposal follow.

    `review_state` is 'open', 'accepted' or 'rejected'. A rejected proposal is open again when its
    evidence has changed (`evidence_changed`); an accepted one stays in force as it was accepted.
    """
    standing = _standing(decisions, datetime.now(UTC))
    rows = []
    for proposal in proposals:
        rule = standing.pop(tuple(str(proposal[name]) for name in KEY_COLUMNS), None)
        rows.append({**proposal, **_review(rule, proposal)})
    for rule in standing.values():
        if rule.decision == "accepted":
            empty = dict.fromkeys(proposals[0]) if proposals else {}
            known = {name: getattr(rule, name) for name in KEY_COLUMNS}
            rows.append({**empty, **known, **_review(rule, None)})
    return rows


def _review(rule: BoostRule | None, proposal: Mapping[str, Any] | None) -> dict[str, Any]:
    if rule is None:
        return {
            "review_state": "open",
            "evidence_changed": None,
            "rule_version": None,
            "rule_weight": None,
            "decided_at": None,
            "decided_by": None,
        }
    changed = proposal is None or any(
        proposal[name] != getattr(rule, name) for name in EVIDENCE_COLUMNS
    )
    is_open_again = rule.decision == "rejected" and changed
    return {
        "review_state": "open" if is_open_again else rule.decision,
        "evidence_changed": changed,
        "rule_version": rule.rule_version,
        "rule_weight": rule.boost_weight if rule.decision == "accepted" else None,
        "decided_at": rule.valid_from,
        "decided_by": rule.approved_by,
    }


def _standing(decisions: Sequence[BoostRule], at: datetime) -> dict[tuple[str, ...], BoostRule]:
    """The decision on each key that has not ended."""
    return {
        rule.key: rule
        for rule in decisions
        if rule.valid_to is None or datetime.fromisoformat(rule.valid_to) > at
    }


@contextlib.contextmanager
def _editing(settings: Settings) -> Iterator[list[BoostRule]]:
    """Hold the lock, hand out the decisions, and swap in the changed file."""
    import filelock

    path = boosts_path(settings)
    files.make_private_folder(settings.home)
    lock = filelock.FileLock(str(path) + ".lock", timeout=LOCK_WAIT_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise AgentLedgerError(f"Another process is editing {path}. Try again.") from error
    try:
        decisions = read_decisions(path)
        yield decisions
        files.replace_text(path, decisions_text(decisions))
    finally:
        lock.release()
