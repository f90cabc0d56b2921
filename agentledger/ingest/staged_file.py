"""What staging learns of one file, whatever its format.

Belongs here: the record that the readers fill and `load.py` writes into the ledger. Does not belong
here: reading (`stage.py`, `event_stage.py`).
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from agentledger.ingest.plan import Load


@dataclass(slots=True)
class StagedFile:
    """What staging learnt of one file."""

    load: Load
    file_id: int
    format: str
    """Name of the format, for the ledger; for an event log the raw table its rows go to."""
    state: str = "loaded"
    message: str | None = None
    variant: str | None = None
    fast_path: bool = True
    fingerprint: str | None = None
    byte_offset: int | None = None
    """How far an append-only file was read; None for a file that is read whole each time."""
    line_count: int | None = None
    is_resumed: bool = False
    """Whether only what was appended was read."""
    rejected: list[dict[str, Any]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)


def refuse(file: StagedFile, error: OSError) -> None:
    """Note that a file could not be opened or read."""
    file.state = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
    file.message = error.strerror or str(error)
    file.fast_path = False
