"""What an orchestrator notes about one utterance on its way.

Belongs here: the fields of an intent event, named as formats.md section 5 names its columns. Does
not belong here: how they are checked and written (`columns.py`).
"""

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID  # a host that uses it has loaded it

Candidates = Sequence[tuple[str, float] | Sequence[Any] | Mapping[str, Any]]
"""Verbs with their scores, best first: `[("cbu.create", 0.66), …]`."""


_sources: list[tuple[str, Iterator[int]]] = []
"""Random part and counter of this process; empty again in a forked child."""


def new_event_id() -> str:
    """A UUID (version 7) as text: milliseconds, 40 random bits of the process, a counter.

    The counter keeps ids of one process apart, the random bits those of two processes, the clock
    those of two copies of one process image. `uuid.uuid4()` asks the kernel each time, which takes
    five times as long.
    """
    middle, numbers = (_sources or _new_source())[0]
    milliseconds = time.time_ns() // 1_000_000
    return (
        f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-{middle}"
        f"{next(numbers) & 0xFFFFFFFF:08x}"
    )


def _new_source() -> list[tuple[str, Iterator[int]]]:
    """Draw the random part; a thread that loses the race draws one more, which harms nobody."""
    if not _fork_hooks and hasattr(os, "register_at_fork"):
        _fork_hooks.append(True)
        os.register_at_fork(after_in_child=_sources.clear)
    digits = os.urandom(6).hex()
    # Version 7 and variant "a" stand where RFC 9562, section 5.7, has them.
    source = (f"7{digits[:3]}-a{digits[3:6]}-{digits[6:10]}", itertools.count())
    _sources.insert(0, source)
    return [source]


_fork_hooks: list[bool] = []


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
