"""A private, whole copy of a SQLite database that another program may be writing.

Belongs here: which files make a database, copying them, proving that the copy is one moment of the
original, the scratch folder. Does not belong here: what the tables mean (`skill_store.py`).

A live store is never opened in place: SQLite would take locks beside its writer, and may write. The
copy is proved without any lock. With a write-ahead log, the database file is copied first and
the log after it; as long as the log was not begun anew meanwhile (its header, with two random
salts, is as it was), it holds every page that a checkpoint may have moved while the database was
copied, and a half-written end of it does not pass its own checksums. Without a log in use, all
files must have been at rest around the copy. The `-shm` file is left behind: it is an index into
the log, and SQLite makes it anew.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"SQLite format 3\x00"
"""First bytes of every SQLite database (file format, section 1.3)."""

SUFFIX = ".db"
"""Names that the scan lists in a tracker's folder; what they are is told by their bytes."""

COPY_TRIES = 25
COPY_WAIT_SECONDS = 0.06
"""A transaction takes milliseconds: within the second and a half of all tries there is a gap."""

REST_NS = 40_000_000
"""File times tick every 4 to 10 ms: a file that changed later than this before the copy may change
again without its time changing."""

SCRATCH_PREFIX = "skill-store-"

_HEADER_BYTES = 100
_LOG_HEADER_BYTES = 32
_WRITE_VERSION = slice(18, 19)  # 2: the database uses a write-ahead log
_USES_LOG = b"\x02"


class StoreChangingError(OSError):
    """The store never held still for long enough; the next run tries again."""


@dataclass(frozen=True, slots=True)
class _Witness:
    """What tells, before and after, whether a copy is of one moment."""

    database: tuple[int, int, int, int] | None
    journal: tuple[int, int, int, int] | None
    log: tuple[int, int, int, int] | None
    log_header: bytes
    seen_ns: int


def facts(path: str) -> tuple[int, int, int]:
    """Size, modification and change time of a database with its log and its journal.

    Commits go to the log alone until a checkpoint: without it they would never be seen.

    Raises:
        OSError: When the database itself cannot be asked.
    """
    found = [_identity(name) for name in _files(path)]
    if found[0] is None:
        raise FileNotFoundError(2, "No such file or directory", path)
    known = [item for item in found if item is not None]
    return (
        sum(item[0] for item in known),
        max(item[1] for item in known),
        max(item[2] for item in known),
    )


def begins_like_a_store(path: str) -> bool:
    """Whether the first bytes are SQLite's; False when they cannot be read."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - bytes that are not UTF-8 stay as they are
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder for one copy, for its owner alone, that is gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise OSError(f"the private copy {folder} could not be removed; remove it by hand")


def sweep(parent: Path) -> int:
    """Remove what a killed run left; the caller holds the run lock, so nobody else is using it.

    Returns:
        How many copies were removed.
    """
    left = list(parent.glob(f"{SCRATCH_PREFIX}*")) if parent.is_dir() else []
    for folder in left:
        shutil.rmtree(folder)
    return len(left)


def copy_whole(path: str, folder: Path) -> Path:
    """Copy a database and its companions as they were at one moment.

    Raises:
        StoreChangingError: When it did not hold still.
        OSError: When it cannot be read, or there is no room for the copy.
    """
    target = folder / "store.db"
    for attempt in range(COPY_TRIES):
        if attempt:
            time.sleep(COPY_WAIT_SECONDS)
        if _copy_once(path, target):
            return target
    raise StoreChangingError("it was being written at every try")


def _copy_once(path: str, target: Path) -> bool:
    database, journal, log = _files(path)
    before = _witness(path)
    if not before.log_header and _is_fresh(before):
        return False  # before anything is copied: a copy of a gigabyte is not made for nothing
    _copy(database, target)
    # The order matters: see the head of this file.
    has_log = _copy_if_there(log, target.with_name(target.name + "-wal"))
    has_journal = _copy_if_there(journal, target.with_name(target.name + "-journal"))
    after = _witness(path)
    with target.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
    if header[_WRITE_VERSION] == _USES_LOG and len(before.log_header) == _LOG_HEADER_BYTES:
        return (
            has_log
            and not has_journal
            and before.log_header == after.log_header
            and _inode(before.database) == _inode(after.database)
        )
    return _is_at_rest(before, after)


def _is_at_rest(before: _Witness, after: _Witness) -> bool:
    """Nothing changed between the two looks, nor just before the first."""
    files = (before.database, before.journal, before.log)
    return files == (after.database, after.journal, after.log) and not _is_fresh(before)


def _is_fresh(seen: _Witness) -> bool:
    newest = max((item[1] for item in (seen.database, seen.journal, seen.log) if item), default=0)
    # A time in the future comes from another clock and says nothing about this moment.
    return 0 <= seen.seen_ns - newest < REST_NS


def _witness(path: str) -> _Witness:
    database, journal, log = _files(path)
    seen_ns = time.time_ns()
    try:
        with open(log, "rb") as stream:  # noqa: PTH123
            log_header = stream.read(_LOG_HEADER_BYTES)
    except FileNotFoundError:
        log_header = b""
    return _Witness(_identity(database), _identity(journal), _identity(log), log_header, seen_ns)


def _files(path: str) -> tuple[str, str, str]:
    """The database, its rollback journal and its log; companions lie beside the real file."""
    real = os.path.realpath(path)
    return real, f"{real}-journal", f"{real}-wal"


def _identity(path: str) -> tuple[int, int, int, int] | None:
    """Size, modification time, change time, inode; None when there is no such file."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _inode(identity: tuple[int, int, int, int] | None) -> int | None:
    return None if identity is None else identity[3]


def _copy(source: str, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(source, "rb") as reader, os.fdopen(descriptor, "wb") as writer:  # noqa: PTH123
        shutil.copyfileobj(reader, writer, 1024 * 1024)


def _copy_if_there(source: str, target: Path) -> bool:
    try:
        _copy(source, target)
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return False
    return True
