"""Reading one source file as it lies on disk; nothing is ever opened for writing.

Belongs here: the bytes of a file that nobody is writing at this moment, and its fingerprint. Does
not belong here: finding files (`scan.py`), what the bytes mean.
"""

import hashlib
import os
import time
from pathlib import Path

STABLE_READ_TRIES = 4
STABLE_READ_WAIT_SECONDS = 0.05
"""A writer rewrites the whole file in milliseconds: a few short waits see it finished."""

FINGERPRINT_BYTES = 64 * 1024


def fingerprint(data: bytes) -> str:
    """Fingerprint of a file's content: its length, head and tail."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(str(len(data)).encode())
    digest.update(data[:FINGERPRINT_BYTES])
    digest.update(data[-FINGERPRINT_BYTES:])
    return digest.hexdigest()


def read_stable(path: str) -> tuple[bytes, bool]:
    """Read a file that nobody is writing at this moment.

    Returns:
        The bytes, and False when it kept changing: it must then be read again by the next run.

    Raises:
        OSError: When it cannot be read.
    """
    data = b""
    for attempt in range(STABLE_READ_TRIES):
        if attempt:
            time.sleep(STABLE_READ_WAIT_SECONDS)
        before = facts(path)
        data = Path(path).read_bytes()
        if before == facts(path) and len(data) == before[0]:
            return data, True
    return data, False


def facts(path: str) -> tuple[int, int, int]:
    """Size, modification time and change time, in bytes and nanoseconds."""
    found = os.stat(path)  # noqa: PTH116 - bytes that are not UTF-8 stay as they are
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
