"""What people think of patterns: `changes/pattern-judgements.jsonl` in the data home.

Belongs here: writing a judgement. Does not belong here: which judgement counts (`models/`,
validated_patterns), reading the file into the ledger (`ingest/`, like any other
source).

Success tells that tasks ended well, not that what they did is worth repeating: that is for a person
or a reviewer to say. The file only grows, and the latest judgement counts. The note never leaves
it.
"""

import math
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agentledger import files
from agentledger.errors import UsageError
from agentledger.instants import floor_to_step, iso
from agentledger.privacy import PLAIN_NAME_PATTERN
from agentledger.settings import Settings

WITHHELD_NAME: Final = "other"
"""What ingest puts for every name that is no plain one: no pattern by itself."""


def judge(
    settings: Settings,
    pattern: str,
    quality: float,
    *,
    at: datetime | None = None,
    note: str = "",
    now: datetime | None = None,
) -> dict[str, Any]:
    """Write down what a pattern is worth.

    Args:
        settings: Names the data home.
        pattern: The pattern, as the tasks name it.
        quality: 0 (useless) to 1 (as good as it gets).
        at: From when on the judgement holds, aware; by default now, floored to the five minutes in
            which the ledger tells time, so that the next run counts it.
        note: Why; stays in the file.
        now: The clock.

    Returns:
        The judgement as it was written.

    Raises:
        UsageError: When the pattern is no plain name, the quality none, or the instant is to come.
    """
    now = datetime.now(UTC) if now is None else now.astimezone(UTC)
    pattern = pattern.strip()
    if re.fullmatch(PLAIN_NAME_PATTERN, pattern) is None or pattern == WITHHELD_NAME:
        raise UsageError(
            f"{pattern[:80]!r} is no name of a pattern: 1 to 128 letters, digits and _ . : / @ -, "
            f"no blanks, and not {WITHHELD_NAME!r}, which stands for names that are not kept."
        )
    if math.isnan(quality) or not 0 <= quality <= 1:
        raise UsageError(f"A quality of {quality:g} is none. Give a number from 0 to 1.")
    instant = floor_to_step(now) if at is None else at.astimezone(UTC)
    if instant > now:
        raise UsageError(f"{iso(instant)} is still to come. A judgement holds once it is made.")
    record = {
        "judgement_id": str(uuid.uuid4()),
        "pattern": pattern,
        "quality": quality,
        "judged_at": iso(instant),
        "declared_at": iso(now),
        "note": note,
    }
    files.append_record(judgements_path(settings), record)
    return record


def judgements_path(settings: Settings) -> Path:
    """The file of judgements."""
    return settings.changes_dir / "pattern-judgements.jsonl"
