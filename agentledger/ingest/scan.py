"""List the source files; open none of them.

Belongs here: walking the roots, and what the file system says of a file. Does not belong here:
which places are searched (`scan_roots.py`), which names count (`file_names.py`), deciding what to
read (`plan.py`), reading (`stage.py`).

A file counts once, by device and inode: links and a second path to it are the same file. A walk
never follows a link to a directory and never leaves its root; inside a root it stops at the root of
another registered project, so that the innermost project owns the file.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agentledger.ingest import skill_store_copy
from agentledger.ingest.file_names import READER_OF_KIND, Reader, is_searched, reader_of
from agentledger.ingest.scan_roots import TRANSCRIPT_KINDS, ScanRoot

MAX_DEPTH = 4
"""Folders below a project's root that are searched; metric files lie at most two deep."""

MAX_TRANSCRIPT_DEPTH = 10
"""Folders below the root of transcripts: project, session, subagents, workflows, workflow."""

_TRANSCRIPT_FOLDERS = {"codex": ("sessions", "archived_sessions")}
"""Folders of a tool's home that hold transcripts: what lies beside them is its own business."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A source file as the scan saw it; nothing of its content is known."""

    root: ScanRoot
    path: str
    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: str
    reader: Reader = "skill_metrics"

    @property
    def ledger_path(self) -> str:
        """The path as text: bytes that are not UTF-8 are written as escapes."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class ScanProblem:
    """A place that could not be listed, or is not what it should be."""

    root: ScanRoot
    path: str
    reason: str
    detail: str


def scan(roots: Iterable[ScanRoot]) -> tuple[list[FoundFile], list[ScanProblem]]:
    """List every telemetry file below the roots, each real file once.

    Returns:
        The files in the order of the roots and then of their paths, and what could not be listed.
    """
    all_roots = [root for root in roots if root.postgres is None]
    locations = {root.location for root in all_roots}
    found: list[FoundFile] = []
    problems: list[ScanProblem] = []
    seen: set[str] = set()
    # Innermost roots first: a file belongs to the most specific project that was registered.
    for root in sorted(all_roots, key=lambda item: (-item.location.count(os.sep), item.location)):
        for path, reader in _candidates(root, locations - {root.location}, problems):
            file = _examine(root, path, reader, problems)
            if file is not None and file.inode not in seen:
                seen.add(file.inode)
                found.append(file)
    order = {root.source_id: position for position, root in enumerate(all_roots)}
    found.sort(key=lambda file: (order[file.root.source_id], file.path))
    return found, problems


def _candidates(
    root: ScanRoot, foreign: set[str], problems: list[ScanProblem]
) -> Iterator[tuple[str, Reader]]:
    """Paths below a root whose names are those of telemetry; a root that is a file is one."""
    if root.mapping_problem is not None:
        problems.append(ScanProblem(root, root.location, "bad_mapping", root.mapping_problem))
        return
    if os.path.isfile(root.location) or not os.path.lexists(root.location):  # noqa: PTH113, PTH112
        if os.path.isfile(root.location):  # noqa: PTH113 - bytes that are not UTF-8 stay as they are
            yield root.location, READER_OF_KIND.get(root.kind, "events")
        else:
            problems.append(
                ScanProblem(root, root.location, "vanished", "there is nothing here now")
            )
        return
    pending = [(folder, 0) for folder in _first_folders(root)]
    deepest = MAX_TRANSCRIPT_DEPTH if root.kind in TRANSCRIPT_KINDS else MAX_DEPTH
    while pending:
        folder, depth = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(ScanProblem(root, folder, "unreadable", error.strerror or str(error)))
            continue
        for entry in entries:
            reader = reader_of(root.kind, entry)
            if reader is not None:
                yield entry.path, reader
            elif depth < deepest and is_searched(entry) and entry.path not in foreign:
                pending.append((entry.path, depth + 1))


def _first_folders(root: ScanRoot) -> list[str]:
    """Where a walk begins: the folders of transcripts, where a root has such, else the root."""
    named = [
        os.path.join(root.location, name)  # noqa: PTH118 - bytes that are not UTF-8 stay as they are
        for name in _TRANSCRIPT_FOLDERS.get(root.kind, ())
    ]
    return [folder for folder in named if os.path.isdir(folder)] or [root.location]  # noqa: PTH112


def _examine(
    root: ScanRoot, path: str, reader: Reader, problems: list[ScanProblem]
) -> FoundFile | None:
    """Ask the file system about one candidate, without opening it."""
    try:
        facts = os.stat(path)  # noqa: PTH116 - bytes that are not UTF-8 stay as they are
        size, modified, changed = facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
        if path.endswith(skill_store_copy.SUFFIX) and reader == "skill_metrics":
            # A database commits to the log beside it: both together tell whether it changed.
            size, modified, changed = skill_store_copy.facts(path)
    except OSError as error:
        problems.append(ScanProblem(root, path, "unreadable", error.strerror or str(error)))
        return None
    if not stat.S_ISREG(facts.st_mode):
        problems.append(ScanProblem(root, path, "not_a_file", "expected a regular file"))
        return None
    if os.path.islink(path) and not _is_inside(os.path.realpath(path), root.location):  # noqa: PTH114
        problems.append(ScanProblem(root, path, "outside_root", "the link leaves the project"))
        return None
    return FoundFile(
        root=root,
        path=path,
        size_bytes=size,
        modified_ns=modified,
        changed_ns=changed,
        inode=f"{facts.st_dev}:{facts.st_ino}",
        reader=reader,
    )


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
