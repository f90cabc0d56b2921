"""From a trace to the row of formats.md section 5: each field in its class, nothing private.

Belongs here: which column is a name, an id, a count or free text, and what a bad value becomes.
Does not belong here: when and where the row is written. Runs on the writer's thread.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agentledger.privacy import CLASS_NAME_PATTERN, PLAIN_NAME_PATTERN

HASH_SCHEME = "hmac-sha256"
"""Tells readers that hashes are keyed with this ledger's key already and must not be re-keyed."""

MAX_CANDIDATES = 10

COLUMNS = (
    "event_id",
    "ts",
    "session_id",
    "actor_id",
    "entrypoint",
    "utterance_hash",
    "utterance_preview",
    "scope",
    "subject_ref_type",
    "subject_ref_id",
    "semreg_mode",
    "semreg_denied_verbs",
    "verb_candidates_pre",
    "verb_candidates_post",
    "chosen_verb_fqn",
    "selection_source",
    "forced_verb_fqn",
    "outcome",
    "dsl_hash",
    "run_sheet_entry_id",
    "macro_semreg_checked",
    "macro_denied_verbs",
    "error_code",
    "prompt_version",
    "dominant_entity_id",
    "dominant_entity_kind",
    "entity_kind_filtered",
    "allowed_verbs_fingerprint",
    "pruned_verbs_count",
    "toctou_recheck_performed",
    "toctou_result",
    "toctou_new_fingerprint",
    "surface_full_count",
    "surface_pack_scoped_count",
    "soft_stage_flow",
    "state_observer",
    "entity_confidence",
    "missing_args",
)
"""The 37 columns of formats.md section 5 and `missing_args`, in their order."""

_NIL_UUID = "00000000-0000-0000-0000-000000000000"
_is_plain_name = re.compile(PLAIN_NAME_PATTERN).fullmatch
_is_class_name = re.compile(CLASS_NAME_PATTERN).fullmatch

HashText = Callable[[str], str]


def intent_row(fields: Mapping[str, Any], at_ns: int, hash_text: HashText) -> dict[str, Any]:
    """Build the event of an utterance, without `utterance_hash` and `utterance_preview` filled.

    Args:
        fields: Attributes of the trace by name.
        at_ns: When it was recorded, nanoseconds since 1970.
        hash_text: Keyed hash of a normalised text.
    """
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row["event_id"] = identifier(fields["event_id"], hash_text)
    row["ts"] = instant(at_ns)
    for column, clean in _CLEANERS.items():
        row[column] = clean(fields[column])
    for column in ("session_id", "subject_ref_id", "run_sheet_entry_id", "dominant_entity_id"):
        row[column] = identifier(fields[column], hash_text)
    row["actor_id"] = _actor(fields["actor_id"], hash_text)
    row["outcome"] = row["outcome"] or "unknown"
    row["state_observer"] = _observations(fields["state_observer"], hash_text)
    row["scope_length"], row["scope_hash"] = _withheld(fields["scope"], hash_text)
    row["hash_scheme"] = HASH_SCHEME
    return row


def instant(at_ns: int) -> str:
    """An instant as text: UTC, microseconds, `Z`."""
    seconds, rest = divmod(at_ns, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def identifier(value: object, hash_text: HashText) -> str | None:
    """An id as text; the nil UUID means unknown, and a sentence in its place is hashed."""
    text = text_of(value)
    if text is None or text == _NIL_UUID:
        return None
    return text if _is_plain_name(text) else hash_text(text)


def class_name(value: object) -> str | None:
    """The bare name of an error class or code; a message becomes `other`."""
    if isinstance(value, BaseException):
        value = type(value)
    text = value.__name__ if isinstance(value, type) else text_of(value)
    return text if text is None or _is_class_name(text) else "other"


def _actor(value: object, hash_text: HashText) -> str | None:
    """An actor's id; an e-mail address or a person's name is hashed."""
    text = identifier(value, hash_text)
    return hash_text(text) if text is not None and "@" in text else text


def text_of(value: object) -> str | None:
    """A value as trimmed text; nothing and blanks are unknown."""
    text = None if value is None else str(value).strip()
    return text or None


_known_names: set[str] = set()
"""Names found plain before: a host repeats its verbs in every event."""

_KNOWN_NAMES_KEPT = 4096


def plain_name(value: object) -> str | None:
    """A name without spaces; a sentence in its place becomes `other`."""
    if value is None or (type(value) is str and value in _known_names):
        return value  # type: ignore[return-value]
    text = text_of(value)
    if text is None:
        return None
    if not _is_plain_name(text):
        return "other"
    if len(_known_names) < _KNOWN_NAMES_KEPT:
        _known_names.add(text)
    return text


def _subject_type(value: object) -> str | None:
    return None if value == "none" else plain_name(value)


def plain_names(value: Iterable[object] | None) -> list[str] | None:
    """Names as a list; None and `[]` stay different."""
    if isinstance(value, str):
        value = [value]
    return None if value is None else [name for item in value if (name := plain_name(item))]


def finite_number(value: Any) -> float | None:
    """A number; what is none, NaN and the infinities are unknown."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def whole_number(value: Any) -> int | None:
    """A count; decimals are cut off."""
    found = finite_number(value)
    return None if found is None else int(found)


def _candidates(value: Iterable[Any] | None) -> list[list[Any]] | None:
    """At most ten pairs of verb and score; none at all is null, as in the table's writer.

    A verb alone is a candidate without a score; what is neither is left out.
    """
    if isinstance(value, str):
        value = _parsed(value)
    elif isinstance(value, Mapping):
        value = list(value.items())  # verb to score
    pairs = []
    for item in value or ():
        if type(item) is tuple and len(item) == 2:  # the usual form, without asking the ABC
            verb, score = item
        elif isinstance(item, Mapping):
            verb, score = item.get("verb"), item.get("score")
        elif isinstance(item, str):
            verb, score = item, None
        elif isinstance(item, Sequence) and item:
            verb, score = item[0], item[1] if len(item) > 1 else None
        else:
            continue
        if verb is not None:
            pairs.append([plain_name(verb), finite_number(score)])
        if len(pairs) == MAX_CANDIDATES:
            break
    return pairs or None


def _parsed(text: str) -> list[Any]:
    """A list that a host stored as JSON text; any other text is one name."""
    try:
        value = json.loads(text)
    except ValueError:
        return [text]
    return value if isinstance(value, list) else [text]


def _stage_flow(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    flow: dict[str, Any] = {"total": whole_number(value.get("total"))}
    for part in ("by_source", "by_tier"):
        counts = value.get(part)
        if isinstance(counts, Mapping):
            flow[part] = {
                plain_name(name) or "other": whole_number(n) for name, n in counts.items()
            }
    return flow


def _observations(
    value: Iterable[Mapping[str, Any]] | None, hash_text: HashText
) -> list[dict[str, Any]] | None:
    if value is None or isinstance(value, str | Mapping):
        return None
    rows = []
    for item in value:
        if not isinstance(item, Mapping):
            continue
        reachable = item.get("state_reachable")
        row = {
            "verb": plain_name(item.get("verb")),
            "state_reachable": None if reachable is None else bool(reachable),
        }
        length, hashed = _withheld(item.get("failing_predicate"), hash_text)
        if length is not None:
            row |= {"failing_predicate_length": length, "failing_predicate_hash": hashed}
        rows.append(row)
    return rows


def _withheld(value: object, hash_text: HashText) -> tuple[int | None, str | None]:
    """What is kept of a free text: its length and keyed hash."""
    if value is None:
        return None, None
    text = str(value)
    return len(text), hash_text(text)


_CLEANERS: dict[str, Callable[[Any], Any]] = (
    dict.fromkeys(
        [
            "entrypoint",
            "semreg_mode",
            "chosen_verb_fqn",
            "selection_source",
            "forced_verb_fqn",
            "outcome",
            "dsl_hash",
            "prompt_version",
            "dominant_entity_kind",
            "allowed_verbs_fingerprint",
            "toctou_result",
            "toctou_new_fingerprint",
        ],
        plain_name,
    )
    | dict.fromkeys(("semreg_denied_verbs", "macro_denied_verbs", "missing_args"), plain_names)
    | dict.fromkeys(("verb_candidates_pre", "verb_candidates_post"), _candidates)
    | dict.fromkeys(
        ("macro_semreg_checked", "entity_kind_filtered", "toctou_recheck_performed"), bool
    )
    | dict.fromkeys(
        ("pruned_verbs_count", "surface_full_count", "surface_pack_scoped_count"), whole_number
    )
    | {
        "subject_ref_type": _subject_type,
        "error_code": class_name,
        "soft_stage_flow": _stage_flow,
        "entity_confidence": finite_number,
    }
)
