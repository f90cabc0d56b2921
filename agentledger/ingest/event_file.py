"""An append-only file: where reading it may go on, and how its beginning is recognised again.

Belongs here: the fingerprint of a prefix, the decision to resume or to begin anew. Does not belong
here: lines (`event_lines.py`), what stands in them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from agentledger.ingest import source_file
from agentledger.ingest.event_lines import Progress
from agentledger.ingest.plan import Load
from agentledger.ingest.staged_file import StagedFile

HEAD_BYTES = 1024 * 1024
"""Enough to see the first line of any log that we know."""

_EDGE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """Where to begin, and what stands there."""

    head: bytes
    progress: Progress
    is_resumed: bool


def open_log(load: Load) -> OpenedLog:
    """Decide where to begin: at the offset of the ledger, if the file still begins as it did.

    A file that shrank or whose beginning changed was rewritten; it is read from its start, and what
    is known of it is recognised by its keys.

    Raises:
        OSError: When the file cannot be read.
    """
    offset = load.byte_offset
    is_resumed = (
        offset is not None
        and offset > 0
        and load.file.size_bytes >= offset
        and load.fingerprint == prefix_fingerprint(load.file.path, offset)
    )
    progress = Progress(offset or 0, load.line_count or 0) if is_resumed else Progress(0, 0)
    with Path(load.file.path).open("rb") as stream:
        stream.seek(progress.byte_offset)
        head = stream.read(min(HEAD_BYTES, load.file.size_bytes - progress.byte_offset))
    return OpenedLog(head, progress, is_resumed)


def prefix_fingerprint(path: str, length: int) -> str:
    """Fingerprint of the first bytes of a file: their number, the first and the last of them.

    Raises:
        OSError: When the file cannot be read.
    """
    digest = hashlib.blake2b(str(length).encode(), digest_size=16)
    with Path(path).open("rb") as stream:
        digest.update(stream.read(min(_EDGE_BYTES, length)))
        stream.seek(max(0, length - _EDGE_BYTES))
        digest.update(stream.read(min(_EDGE_BYTES, length)))
    return digest.hexdigest()


def read_whole(file: StagedFile) -> bytes:
    """Read a file that is no log of lines, waiting a moment for whoever is writing it.

    Raises:
        OSError: When it cannot be read.
    """
    data, is_stable = source_file.read_stable(file.load.file.path)
    file.fast_path = False
    file.fingerprint = source_file.fingerprint(data)
    if not is_stable:
        file.state, file.message = "changing", "the file changed while it was read"
    return data
