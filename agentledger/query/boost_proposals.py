"""Proposed boosts with what was decided on them, and deciding.

Belongs here: proposals of the snapshot beside the reviewed file. Does not belong here: the file
(`agentledger/boost_decisions.py`), the weights (`models/`, verb_boost_rules).
"""

from typing import Any, Final

from agentledger.boost_decisions import decide, reviewed
from agentledger.boost_rules import BoostRule, boosts_path, read_decisions
from agentledger.errors import UsageError
from agentledger.query import intent_marts
from agentledger.query.answers import Answer
from agentledger.query.intent_periods import check_limits
from agentledger.query.scope import UnknownNameError, unknown_name
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.snapshot import open_snapshot

KEY_PARTS: Final = ("scope_bucket", "subject_kind", "phase")

_REVIEW_TYPES: Final = {
    "review_state": "VARCHAR",
    "evidence_changed": "BOOLEAN",
    "rule_version": "BIGINT",
    "rule_weight": "DOUBLE",
    "decided_at": "VARCHAR",
    "decided_by": "VARCHAR",
}


@recorded("intents boosts")
def verb_boosts(
    state: str | None = None, top: int = 1_000, *, settings: Settings | None = None
) -> Answer:
    """Proposed boosts with what was decided on them; decided ones without a proposal follow.

    Args:
        state: 'open', 'accepted' or 'rejected'; all by default.
        top: Rows at most.
        settings: Names the data home; read from the environment by default.

    Raises:
        UsageError: When the state is unknown.
        AgentLedgerError: When the reviewed file cannot be read.
        NothingPublishedError: When no run has published yet.
    """
    if state not in (None, "open", "accepted", "rejected"):
        raise UsageError(f"Unknown state {state!r}. Give open, accepted or rejected.")
    check_limits(1, top)
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        answer = intent_marts.read_boost_proposals(snapshot)
    columns = (*answer.columns, *_REVIEW_TYPES)
    rows = reviewed(_dicts(answer), read_decisions(boosts_path(settings)))
    wanted = [row for row in rows if state in (None, row["review_state"])]
    return Answer(
        columns,
        (*answer.types, *_REVIEW_TYPES.values()),
        [tuple(row.get(name) for name in columns) for row in wanted[:top]],
        answer.build,
    )


def decide_on_boost(
    verb: str,
    decision: str,
    *,
    scope_bucket: str | None = None,
    subject_kind: str | None = None,
    phase: str | None = None,
    by: str | None = None,
    note: str | None = None,
    settings: Settings | None = None,
) -> BoostRule:
    """Accept or reject the proposal of a verb; rejecting an accepted one withdraws it.

    Args:
        verb: The verb.
        decision: 'accepted' or 'rejected'.
        scope_bucket: Part of the key, needed where the verb has several proposals.
        subject_kind: The same.
        phase: The same.
        by: Who decides.
        note: Why.
        settings: Names the data home; read from the environment by default.

    Raises:
        UnknownNameError: When there is no such proposal and no such rule.
        UsageError: When several proposals fit, or there is too little evidence to accept.
        AgentLedgerError: When the reviewed file cannot be read or is being edited.
    """
    if decision not in ("accepted", "rejected"):
        raise UsageError(f"{decision!r} is no decision. Give accepted or rejected.")
    settings = load_settings() if settings is None else settings
    with open_snapshot(settings) as snapshot:
        answer = intent_marts.read_boost_proposals(snapshot)
    proposals = _dicts(answer)
    candidates = [*proposals]
    if decision == "rejected":
        # A rule whose proposal is gone can still be withdrawn, with the evidence it was given.
        keys = {_key(row) for row in proposals}
        standing = [r for r in read_decisions(boosts_path(settings)) if r.valid_to is None]
        candidates += [
            {name: getattr(rule, name) for name in BoostRule.__dataclass_fields__}
            for rule in standing
            if rule.decision == "accepted" and rule.key not in keys
        ]
    asked = {"scope_bucket": scope_bucket, "subject_kind": subject_kind, "phase": phase}
    fitting = [
        row
        for row in candidates
        if row["verb_fqn"] == verb
        and all(given is None or row[part] == given for part, given in asked.items())
    ]
    if not fitting:
        known = [str(row["verb_fqn"]) for row in candidates]
        raise UnknownNameError(
            unknown_name("proposal for", verb, known, "agentledger intents boosts")
        )
    if len(fitting) > 1:
        keys_text = "; ".join(
            " ".join(
                f"--{option} {row[part]!r}"
                for option, part in zip(("scope", "subject-kind", "phase"), KEY_PARTS, strict=True)
            )
            for row in fitting
        )
        raise UsageError(f"{verb} has {len(fitting)} proposals. Say which: {keys_text}")
    chosen: Any = decision
    return decide(settings, fitting[0], chosen, by=by, note=note, build_id=answer.build.build_id)


def _dicts(answer: Answer) -> list[dict[str, Any]]:
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return (*(str(row[part]) for part in KEY_PARTS), str(row["verb_fqn"]))
