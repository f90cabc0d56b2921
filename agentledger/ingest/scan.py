"""List the source files; open none of them.

Belongs here: turning the registry into scan roots and walking them. Does not belong here: deciding
what to read (`plan.py`), reading (`stage.py`).

A file counts once, by device and inode: links and a second path to it are the same file. A walk
never follows a link to a directory and never leaves its root; inside a root it stops at the root of
another registered project, so that the innermost project owns the file.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agentledger import postgres_sources, privacy
from agentledger.ingest import skill_store_copy
from agentledger.postgres_sources import PostgresEntry
from agentledger.registry import Config, Source, load_config
from agentledger.renames import Rename
from agentledger.settings import Settings

if TYPE_CHECKING:
    from agentledger.ingest.mapping import Mapping

MAX_DEPTH = 4
"""Folders below a project's root that are searched; metric files lie at most two deep."""

MAX_TRANSCRIPT_DEPTH = 10
"""Folders below the root of transcripts: project, session, subagents, workflows, workflow."""

PRUNED_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        "site-packages",
        "target",
    }
)
"""Folders that hold other people's files by the ten thousand and never telemetry."""

SEARCHED_HIDDEN_FOLDERS = frozenset({".session-buddy", ".crackerjack"})
"""Hidden folders in which trackers write; every other hidden folder is left alone."""

SKILL_METRICS_PREFIX = "skill_metrics"

EVENT_PREFIXES = (
    "intent_events",
    "intent_executions",
    "chat_events",
    "workflow_executions",
    "skill_invocations",
    "usage_events",
    "agent_telemetry",
)
"""Beginnings of the names of event logs inside a project; a source of events has any name."""

LOG_SUFFIXES = (
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".copy", ".json.gz", ".jsonl.gz",
)  # fmt: skip

TABLE_SUFFIXES = (".csv", ".tsv", ".copy")
"""Exported tables: no form of skill metrics."""

MAPPED_SUFFIXES = (*LOG_SUFFIXES, ".parquet", ".csv.gz", ".tsv", ".log")
"""Endings of the files that a mapped source reads in a folder; a file by itself has any name."""

TRANSCRIPT_KINDS = ("claude-code", "codex")
"""Kinds of sources that hold transcripts of coding agents."""

Reader = Literal["skill_metrics", "events", "transcripts", "langfuse", "mapped", "otlp"]
"""Which part of ingest reads a file; the format itself is told by its content."""

_READER_OF_KIND: dict[str, Reader] = {
    "skill-metrics": "skill_metrics",
    "claude-code": "transcripts",
    "otlp": "otlp",
    "mapped": "mapped",
    "codex": "transcripts",
    "langfuse": "langfuse",
}

_TRANSCRIPT_SUFFIXES = {
    "claude-code": (".jsonl",),
    "codex": (".jsonl", ".jsonl.gz", ".jsonl.zst"),
}

_TRANSCRIPT_FOLDERS = {"codex": ("sessions", "archived_sessions")}
"""Folders of a tool's home that hold transcripts: what lies beside them is its own business."""

OWN_KINDS = ("spool", "reads")
"""Sources that nobody registers: what programs and readers wrote into the data home itself."""


@dataclass(frozen=True, slots=True)
class ScanRoot:
    """A directory or file that the owner opted in, and whose project it belongs to."""

    source_id: str
    kind: str
    location: str
    project_id: str
    project_name: str
    project_type: str | None
    zone: str
    registered_at: str | None = None
    all_projects: bool = False
    """Whether sessions count that ran outside the registered projects, too."""
    renames: tuple[Rename, ...] = ()
    """Folders of its sessions that have another path by now."""
    keeps_texts: bool = False
    """Whether private texts go to the vault."""
    postgres: PostgresEntry | None = None
    """Of a table on a server, which holds no files."""
    mapping: "Mapping | None" = None
    """How its records become events, for a mapped source."""
    mapping_problem: str | None = None
    """Why its mapping cannot be used; nothing of the source is read then."""

    @property
    def names_projects(self) -> bool:
        """Whether its events may name projects of their own."""
        return self.kind in ("events", "spool", "langfuse", "mapped", postgres_sources.KIND)


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


def scan_roots(config: Config, settings: Settings, key: bytes) -> list[ScanRoot]:
    """Turn what the user opted in to into the places to search."""
    roots = []
    # A source that is a project's own root is searched with the project; what its owner wants kept
    # counts there.
    kept = {source.location for source in config.sources if source.content == "vault"}
    for project in config.projects:
        identity = privacy.project_id(key, project.path)
        roots.append(
            ScanRoot(
                source_id=source_id(key, "skill-metrics", project.path),
                kind="skill-metrics",
                location=project.path,
                project_id=identity,
                project_name=project.name,
                project_type=project.type,
                zone=project.zone or settings.host_zone,
                registered_at=project.registered_at,
                keeps_texts=project.content == "vault" or project.path in kept,
            )
        )
    # A worktree's files count to its main repository, whose own entry gives the project's name.
    roots.sort(key=lambda root: privacy.main_repository(root.location) == root.location)
    known = {root.location for root in roots}
    for source in config.sources:
        if source.location in known and source.kind != "mapped":
            continue  # the project's own root is searched already
        mapping, problem = _mapping_of(source)
        identity = privacy.project_id(key, source.location)
        roots.append(
            ScanRoot(
                source_id=source_id(key, source.kind, source.location),
                kind=source.kind,
                location=source.location,
                project_id=identity,
                project_name=source.postgres.project_name
                if source.postgres
                else Path(source.location).name or source.location,
                project_type="source",
                zone=source.zone or (mapping and mapping.zone) or settings.host_zone,
                all_projects=source.projects == "all",
                renames=config.renames if source.kind in TRANSCRIPT_KINDS else (),
                keeps_texts=source.content == "vault",
                postgres=source.postgres,
                mapping=mapping,
                mapping_problem=problem,
            )
        )
    return roots + _own_roots(settings, key)


def _mapping_of(source: Source) -> "tuple[Mapping | None, str | None]":
    """The mapping of a source; one that cannot be used costs this source alone."""
    if source.mapping is None:
        return None, None
    from agentledger.ingest import mapped_format, mapping

    try:
        found = mapping.load(source.mapping)
        mapped_format.compiled(found)
    except mapping.MappingError as error:
        return None, str(error)
    return found, None


def _own_roots(settings: Settings, key: bytes) -> list[ScanRoot]:
    """Folders of the data home that exist; their times are UTC by contract."""
    folders = {
        "spool": settings.spool_dir,
        "reads": settings.reads_dir,
        "changes": settings.changes_dir,
    }
    return [
        ScanRoot(
            source_id=source_id(key, kind, str(folder)),
            kind=kind,
            location=str(folder),
            project_id=privacy.project_id(key, str(folder)),
            project_name=f"({kind})",
            project_type="own",
            zone="UTC",
        )
        for kind, folder in folders.items()
        if folder.is_dir()
    ]


def sources_with_texts(settings: Settings) -> frozenset[str]:
    """Ids of the sources whose owner wants private texts kept, as config.toml says it now."""
    config = load_config(settings)
    if not settings.key_path.exists():
        return frozenset()  # nothing was ever read
    key = privacy.load_or_create_key(settings)
    roots = scan_roots(config, settings, key)
    return frozenset(root.source_id for root in roots if root.keeps_texts)


def source_id(key: bytes, kind: str, location: str) -> str:
    """Identity of a source: its kind and a keyed hash of its place."""
    return f"{kind}:{privacy.keyed_hash(key, location)[:16]}"


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
            yield root.location, _READER_OF_KIND.get(root.kind, "events")
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
            reader = _reader_of(root, entry)
            if reader is not None:
                yield entry.path, reader
            elif depth < deepest and _is_searched(entry) and entry.path not in foreign:
                pending.append((entry.path, depth + 1))


def _first_folders(root: ScanRoot) -> list[str]:
    """Where a walk begins: the folders of transcripts, where a root has such, else the root."""
    named = [
        os.path.join(root.location, name)  # noqa: PTH118 - bytes that are not UTF-8 stay as they are
        for name in _TRANSCRIPT_FOLDERS.get(root.kind, ())
    ]
    return [folder for folder in named if os.path.isdir(folder)] or [root.location]  # noqa: PTH112


def _reader_of(root: ScanRoot, entry: "os.DirEntry[str]") -> Reader | None:
    """Which reader a file of this name is for; None leaves it alone."""
    lowered = entry.name.lower()
    if root.kind == "mapped":
        return "mapped" if lowered.endswith(MAPPED_SUFFIXES) else None
    if root.kind == "skill-metrics" and _is_store_name(entry):
        return "skill_metrics"
    if root.kind in TRANSCRIPT_KINDS:
        return "transcripts" if lowered.endswith(_TRANSCRIPT_SUFFIXES[root.kind]) else None
    if root.kind == "langfuse":
        return "langfuse" if lowered.endswith((*LOG_SUFFIXES, ".csv.gz", ".parquet")) else None
    if not lowered.endswith(LOG_SUFFIXES):
        return None
    if root.kind == "otlp":
        return None if lowered.endswith(TABLE_SUFFIXES) else "otlp"
    if root.kind != "skill-metrics":
        return "events"
    if lowered.startswith(EVENT_PREFIXES):
        return "events"
    is_metrics = lowered.startswith(SKILL_METRICS_PREFIX) and not lowered.endswith(TABLE_SUFFIXES)
    return "skill_metrics" if is_metrics else None


def _is_store_name(entry: "os.DirEntry[str]") -> bool:
    """A database in a tracker's folder; a folder may bear such a name and is searched instead."""
    if not entry.name.lower().endswith(skill_store_copy.SUFFIX):
        return False
    if SEARCHED_HIDDEN_FOLDERS.isdisjoint(Path(entry.path).parts[:-1]):
        return False
    try:
        return not entry.is_dir(follow_symlinks=False)
    except OSError:
        return False  # it vanished since the listing


def _is_searched(entry: "os.DirEntry[str]") -> bool:
    if entry.name in PRUNED_FOLDERS:
        return False
    if entry.name.startswith(".") and entry.name not in SEARCHED_HIDDEN_FOLDERS:
        return False
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False  # it vanished since the listing


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
