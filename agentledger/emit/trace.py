"""What an orchestrator notes about one utterance on its way.

Belongs here: the fields of an intent event, named as formats.md section 5 names its columns. Does
not belong here: how they are checked and written (`columns.py`).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID  # a host that uses it has loaded it

Candidates = Sequence[tuple[str, float] | Sequence[Any] | Mapping[str, Any]]
"""Verbs with their scores, best first: `[("cbu.create", 0.66), …]`."""


def new_event_id() -> str:
    """A random UUID (version 4) as text; `uuid.uuid4()` takes four times as long."""
    digits = os.urandom(16).hex()
    # Version 4, variant "a": 120 random bits.
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@dataclass(slots=True, eq=False)
class IntentTrace:
    """One utterance. None means unknown; an empty list means known to be none.

    `utterance` is hashed and let go of when the trace is recorded; it is never written.
    """

    utterance: str | None = None
    event_id: str = field(default_factory=new_event_id)
    session_id: "UUID | str | None" = None
    actor_id: str | None = None
    entrypoint: str | None = None
    scope: str | None = None
    subject_ref_type: str | None = None
    subject_ref_id: "UUID | str | None" = None
    semreg_mode: str | None = None
    semreg_denied_verbs: Sequence[str] | None = None
    verb_candidates_pre: Candidates | None = None
    verb_candidates_post: Candidates | None = None
    chosen_verb_fqn: str | None = None
    selection_source: str | None = None
    forced_verb_fqn: str | None = None
    outcome: str | None = None
    dsl_hash: str | None = None
    run_sheet_entry_id: "UUID | str | None" = None
    macro_semreg_checked: bool = False
    macro_denied_verbs: Sequence[str] | None = None
    error_code: str | None = None
    prompt_version: str | None = None
    dominant_entity_id: "UUID | str | None" = None
    dominant_entity_kind: str | None = None
    entity_kind_filtered: bool = False
    allowed_verbs_fingerprint: str | None = None
    pruned_verbs_count: int | None = None
    toctou_recheck_performed: bool = False
    toctou_result: str | None = None
    toctou_new_fingerprint: str | None = None
    surface_full_count: int | None = None
    surface_pack_scoped_count: int | None = None
    soft_stage_flow: Mapping[str, Any] | None = None
    state_observer: Sequence[Mapping[str, Any]] | None = None
    entity_confidence: float | None = None
    missing_args: Sequence[str] | None = None
    telemetry_persisted: bool | None = None
    """None until decided; True when the line is with the operating system; False when lost."""
    recorded: list[bool] = field(default_factory=list, repr=False)
    """Filled by the recorder, so that a trace is emitted once whoever records it."""
