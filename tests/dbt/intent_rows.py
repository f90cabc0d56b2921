"""Sixty events of intents that tests of their marts are made on.

Belongs here: the rows. Does not belong here: what the marts make of them.

15 outcomes × denied or not × overridden or not, event n at n o'clock counted from 2026-03-01 00:00.
"""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from tests.factories import Row
from tests.factories_events import make_execution, make_intent

START = datetime(2026, 3, 1, tzinfo=UTC)
NIL = "00000000-0000-0000-0000-000000000000"
OUTCOMES = (
    "ready", "matched", "scope_resolved", "macro_expanded", "needs_clarification", "clarify_verb",
    "needs_user_input", "clarify_args", "scope_candidates", "no_match", "no_allowed_verbs",
    "direct_dsl_denied", "semantic_not_ready", "error", "strange",
)  # fmt: skip
WITH_A_VERB = {"ready", "matched", "macro_expanded", "needs_user_input", "clarify_args", "error"}


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def sixty_events() -> list[Row]:
    """Every outcome, denied or not, overridden or not.

    cbu.create (0.70) comes first and cbu.delete (0.66) second; a denial takes cbu.delete off the
    list after policy; an override forces cbu.assign-role. Session k asks for outcome k; the last
    one is the nil UUID. `no_match` is asked four times in the same words.
    """
    events = []
    for n, (outcome, denied, overridden) in enumerate(product(OUTCOMES, (0, 1), (0, 1))):
        forced = "cbu.assign-role" if overridden else None
        pre = [["cbu.create", 0.70], ["cbu.delete", 0.66]]
        fields: dict[str, Any] = {
            "ts": at(n).isoformat(),
            "session_id": NIL if outcome == "strange" else f"s{n // 4}",
            "utterance_hash": "same words" if outcome == "no_match" else f"words {n}",
            "outcome": outcome,
            "verb_candidates_pre": pre,
            "verb_candidates_post": pre[:1] if denied else pre,
            "semreg_denied_verbs": ["cbu.delete", "cbu.delete"] if denied else [],
            "forced_verb_fqn": forced,
            "chosen_verb_fqn": (forced or "cbu.create") if outcome in WITH_A_VERB else None,
            "prompt_version": "v2" if n // 4 % 2 else None,
        }
        if outcome == "needs_user_input":
            fields["missing_args"] = ["name", "kind"]
        if outcome == "clarify_args":
            fields["missing_args"] = [] if overridden else None
        if outcome in ("macro_expanded", "error"):
            fields["macro_semreg_checked"] = "t"
        if outcome == "macro_expanded" and denied:
            fields["macro_denied_verbs"] = ["cbu.rename", "cbu.rename"]
        if outcome == "no_allowed_verbs" and denied:
            fields["error_code"] = "blocked"
        if outcome == "error":
            fields["error_code"] = "timeout"
        events.append(make_intent(f"e{n}", **fields))
    return events


def executions() -> list[Row]:
    """The four `ready` events, 0..3, ran: those that were overridden failed."""
    return [
        make_execution(
            f"x{n}", intent_event_id=f"e{n}", success="false" if n % 2 else "true", file_id=9
        )
        for n in range(4)
    ]
