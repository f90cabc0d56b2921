"""Ranking boosts that a person accepted, as an orchestrator applies them.

Belongs here: reading `<home>/boosts.json`, which rule is for a verb, the rule of the final score.
Needs the standard library alone. Does not belong here: proposals (`models/`, verb_boost_rules),
deciding on them (`boost_decisions.py`).

The final score (analyses.md F2) is `score + boost_weight`, clamped to 0..1, after the registry has
filtered: a boost orders what is allowed, it brings no verb back.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings, load_settings

FILE_FORMAT: Final = 1

ANY: Final = "(any)"
"""Stands where a part of the key is unknown, and fits every value."""

MAX_WEIGHT: Final = 0.10
"""Two margins: settles a close call, lifts no 0.45 to acceptance. A file edited by hand is held to
it as well."""

CONTROL_SHARE: Final = 0.05
"""Share of sessions that stay unboosted, so that the effect can be measured."""


@dataclass(frozen=True, slots=True)
class BoostRule:
    """A decision on one proposal, with the evidence that was looked at."""

    rule_version: int
    """Grows by one with each decision on any verb."""
    decision: Literal["accepted", "rejected"]
    scope_bucket: str
    subject_kind: str
    phase: str
    verb_fqn: str
    boost_weight: float
    accepted_count: int
    rejected_count: int
    session_count: int
    reason: str | None
    valid_from: str
    """ISO instant, UTC, inclusive."""
    valid_to: str | None
    """ISO instant, UTC, exclusive; None while it stands."""
    approved_by: str | None
    note: str | None
    build_id: str | None
    """Build whose proposal it was."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the decision is about."""
        return self.scope_bucket, self.subject_kind, self.phase, self.verb_fqn

    def stands_at(self, at: datetime) -> bool:
        """Whether the decision is in force at an instant."""
        begins = datetime.fromisoformat(self.valid_from) <= at
        return begins and (self.valid_to is None or at < datetime.fromisoformat(self.valid_to))


class Ranked(NamedTuple):
    """A candidate with its boost."""

    verb: str
    final_score: float | None
    score: float | None
    boost_weight: float


@dataclass(frozen=True, slots=True)
class BoostRules:
    """The accepted rules in force at one instant."""

    rules: tuple[BoostRule, ...]
    version: int
    """`rule_version` of the newest decision in the file; 0 without any."""

    def weight(
        self,
        verb: str,
        *,
        scope_bucket: str | None = None,
        subject_kind: str | None = None,
        phase: str | None = None,
    ) -> float:
        """The boost of a verb in a situation, 0.0 without a rule.

        A rule fits when each part of its key is the one given or `(any)`; of several the one with
        more exact parts wins, a scope before a subject kind before a phase.
        """
        asked = (scope_bucket or ANY, subject_kind or ANY, phase or ANY)
        best: tuple[tuple[int, tuple[bool, ...]], float] | None = None
        for rule in self.rules:
            if rule.verb_fqn != verb:
                continue
            parts = rule.key[:3]
            if all(part in (ANY, given) for part, given in zip(parts, asked, strict=True)):
                exact = tuple(part != ANY for part in parts)
                rank = (sum(exact), exact)
                if best is None or rank > best[0]:
                    best = (rank, rule.boost_weight)
        return 0.0 if best is None else best[1]

    def rerank(
        self,
        candidates: Iterable[tuple[str, float | None]],
        *,
        scope_bucket: str | None = None,
        subject_kind: str | None = None,
        phase: str | None = None,
    ) -> list[Ranked]:
        """Order the candidates that the registry left, best final score first.

        Args:
            candidates: Verbs with their scores, already filtered by policy; what is not among them
                is never added. A verb without a score keeps none and comes last.
            scope_bucket: Where the user is, as in the rules.
            subject_kind: What it is about, as in the rules.
            phase: Phase of the work, as in the rules.
        """
        ranked = []
        for verb, score in candidates:
            boost = self.weight(
                verb, scope_bucket=scope_bucket, subject_kind=subject_kind, phase=phase
            )
            final = None if score is None else min(1.0, max(0.0, score + boost))
            ranked.append(Ranked(verb, final, score, boost))
        # Stable: equal scores keep the order in which the search gave them.
        return sorted(ranked, key=lambda item: _last_if_unknown(item.final_score))

    def is_control(self, session_id: object) -> bool:
        """Whether a session belongs to the 5 % that stay unboosted; the same answer each time."""
        digest = hashlib.blake2b(str(session_id).encode("utf-8", "replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") < CONTROL_SHARE * 2**64


def _last_if_unknown(score: float | None) -> tuple[bool, float]:
    return (score is None, 0.0 if score is None else -score)


def boosts(*, settings: Settings | None = None, at: datetime | None = None) -> BoostRules:
    """Load the accepted boosts; no snapshot is needed, and without a file there are none.

    Args:
        settings: Names the data home; read from the environment by default.
        at: Instant at which rules must be in force; now by default.

    Raises:
        AgentLedgerError: When the file is there and cannot be read.
    """
    settings = load_settings() if settings is None else settings
    at = datetime.now(UTC) if at is None else at
    decisions = read_decisions(boosts_path(settings))
    accepted = [rule for rule in decisions if rule.decision == "accepted" and rule.stands_at(at)]
    newest = max((rule.rule_version for rule in decisions), default=0)
    return BoostRules(tuple(accepted), newest)


def boosts_path(settings: Settings) -> Path:
    """The reviewed file of a data home."""
    return settings.home / "boosts.json"


def read_decisions(path: Path) -> list[BoostRule]:
    """Every decision ever made, oldest first.

    Raises:
        AgentLedgerError: When the file cannot be read, or a rule in it is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise AgentLedgerError(_damaged(path, type(error).__name__)) from error
    try:
        document = json.loads(text)
        if document["format"] != FILE_FORMAT:
            raise ValueError(f"format {document['format']!r}, this program reads {FILE_FORMAT}")
        return [_rule(entry) for entry in document["rules"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AgentLedgerError(_damaged(path, str(error))) from error


def decisions_text(decisions: Iterable[BoostRule]) -> str:
    """The file's text, one rule per line, so that two versions of it compare well."""
    lines = ",\n".join("    " + json.dumps(asdict(rule), ensure_ascii=False) for rule in decisions)
    return f'{{\n  "format": {FILE_FORMAT},\n  "rules": [\n{lines}\n  ]\n}}\n'


def _rule(entry: dict[str, Any]) -> BoostRule:
    """Check one entry; unknown keys are refused, since a misspelt one would be without effect."""
    rule = BoostRule(**{field.name: entry[field.name] for field in fields(BoostRule)})
    if len(entry) != len(fields(BoostRule)):
        raise ValueError(f"a rule of {rule.verb_fqn!r} has unknown fields")
    if rule.decision not in ("accepted", "rejected"):
        raise ValueError(f"{rule.decision!r} is no decision")
    if not abs(float(rule.boost_weight)) <= MAX_WEIGHT:
        raise ValueError(f"the weight of {rule.verb_fqn!r} is beyond {MAX_WEIGHT:g}")
    for instant in (rule.valid_from, rule.valid_to):
        if instant is not None and datetime.fromisoformat(instant).tzinfo is None:
            raise ValueError(f"{instant!r} has no time zone")
    return rule


def _damaged(path: Path, why: str) -> str:
    return (
        f"Cannot read the reviewed boosts {path}: {why}. Mend the file or restore it; without it "
        "no boost is in force."
    )
