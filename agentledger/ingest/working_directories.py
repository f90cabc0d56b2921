"""Which project each working directory of a session belongs to.

Belongs here: the folders of `raw.working_directories`, resolved anew by each run, and the projects
of sources that count every session. Does not belong here: reading transcripts (`event_stage.py`),
what the registry holds (`registry.py`).

`cwd` decides, not the name of the transcript's folder, which is lossy. A folder that exists here is
resolved by git; of one that does not, its spelling tells worktrees, and the other folders in which
sessions began tell subdirectories. The registered project with the longest path around it wins.
What `[[renames]]` of config.toml say comes before all of it.
Source of the rules: formats.md 6.1 and design.md (projects) of the shared documents.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

import duckdb

from agentledger import privacy
from agentledger.ingest.scan_roots import TRANSCRIPT_KINDS, ScanRoot
from agentledger.renames import Rename, renamed

_WORKTREE = re.compile(r"^(.+?)[/\\](?:\.claude[/\\])?\.?worktrees[/\\].+$")
"""`…/.worktrees/NAME`, `…/worktrees/NAME` and `…/.claude/worktrees/NAME`."""

_NEW_FOLDERS = """
    select source_id, cwd, bool_or(is_root)
    from (
        select l.source_id, l.cwd, regexp_replace(l.cwd, '[^A-Za-z0-9-]', '-', 'g')
            = regexp_extract(f.path, '([^/]+)/[^/]*$', 1) as is_root
        from (
            select distinct source_id, cwd, file_id from raw.claude_code_lines
            where cwd is not null and load_seq > $built
        ) as l
        join raw.files as f on f.file_id = l.file_id
        union all
        select distinct source_id, cwd, line_type = 'session_meta' from raw.codex_lines
        where cwd is not null and load_seq > $built
    )
    group by source_id, cwd
"""


@dataclass(frozen=True, slots=True)
class Folder:
    """A working directory as the ledger knows it."""

    source_id: str
    cwd: str
    is_session_root: bool
    repository: str | None
    """Root of its repository, as it was when the folder was seen on this machine."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a working directory belongs."""

    project_path: str
    rule: str
    """`registered`, `git`, `worktree`, `subdirectory` or `itself`."""
    project_id: str


def write(
    connection: duckdb.DuckDBPyConnection,
    key: bytes,
    roots: Sequence[ScanRoot],
    as_of: datetime,
    load_seq: int,
) -> None:
    """Resolve all working directories and make their projects known.

    The caller's transaction holds the run's context, too; a folder that belongs elsewhere than at
    the last run gets the new `load_seq`, so that its facts are written again.

    Args:
        connection: The warehouse, in a transaction.
        key: Secret of the keyed hashes.
        roots: What the user opted in to.
        as_of: Instant of the run.
        load_seq: Highest number of an ingest transaction.
    """
    known = _known_folders(connection)
    folders = _folders(connection, known)
    registered = {
        root.location: root.project_id
        for root in roots
        if root.kind == "skill-metrics" and root.project_type != "source"
    }
    renames = {root.source_id: root.renames for root in roots}
    by_now = {folder: _renamed(folder, renames.get(folder.source_id, ())) for folder in folders}
    starts = {moved.cwd for moved in by_now.values() if moved.is_session_root}
    highest = max((entry[0] for entry in known.values()), default=0)
    for folder in folders:
        found = resolve(by_now[folder], registered, starts, key)
        number, *before = known.get((folder.source_id, folder.cwd), (None, None, None))
        if number is None:
            highest += 1
        is_moved = before[-1] != found.project_id
        connection.execute(
            "insert into raw.working_directories values (?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "on conflict (workdir_id) do update set is_session_root = excluded.is_session_root, "
            "repository = excluded.repository, project_path = excluded.project_path, "
            "project_id = excluded.project_id, rule = excluded.rule"
            + (", load_seq = excluded.load_seq" if is_moved else ""),
            [number or highest, folder.source_id, folder.cwd, folder.is_session_root,
             folder.repository, found.project_path, found.project_id, found.rule, load_seq],
        )  # fmt: skip
    _write_projects(connection, roots, as_of)


def resolve(
    folder: Folder, registered: Mapping[str, str], starts: Iterable[str], key: bytes
) -> Resolved:
    """Decide where one folder belongs.

    Args:
        folder: The working directory.
        registered: Path of each registered project → its id.
        starts: Folders in which sessions began.
        key: Secret of the keyed hashes.
    """
    path, rule = _repository(folder, starts)
    for place in (folder.cwd, path):
        around = _innermost(place, registered)
        if around is not None:
            return Resolved(around, "registered", registered[around])
    return Resolved(path, rule, privacy.project_id(key, path))


def _renamed(folder: Folder, renames: Sequence[Rename]) -> Folder:
    """The folder where it lies by now; itself when nobody renamed it."""
    cwd = renamed(folder.cwd, renames)
    if cwd == folder.cwd:
        return folder
    before = folder.repository
    # Of a path that exists again, git knows best; else what was known of the old one moved along.
    repository = git_root(cwd) or (None if before is None else renamed(before, renames))
    return Folder(folder.source_id, cwd, folder.is_session_root, repository)


def _repository(folder: Folder, starts: Iterable[str]) -> tuple[str, str]:
    if folder.repository is not None:
        return folder.repository, "git"
    worktree = _WORKTREE.match(folder.cwd)
    path = worktree.group(1) if worktree else folder.cwd
    start = _innermost(path, starts)
    if start is not None and start != path:
        return start, "subdirectory"
    return path, "worktree" if worktree else "itself"


def _innermost(place: str, folders: Iterable[str]) -> str | None:
    """The longest of the folders that is the place or lies around it."""
    around = [
        folder for folder in folders if PurePath(place).is_relative_to(folder) and folder != "/"
    ]
    return max(around, key=len, default=None)


def git_root(path: str) -> str | None:
    """Root of the main repository that holds a folder of this machine; None when there is none."""
    try:
        for folder in (Path(path), *Path(path).parents):
            if (folder / ".git").exists():
                return privacy.main_repository(folder)
    except OSError:
        return None  # a folder that may not be looked into is resolved by its name
    return None


def _known_folders(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], tuple[int, Folder, str]]:
    rows = connection.execute(
        "select workdir_id, source_id, cwd, is_session_root, repository, project_id "
        "from raw.working_directories order by workdir_id"
    ).fetchall()
    return {(row[1], row[2]): (row[0], Folder(*row[1:5]), row[5]) for row in rows}


def _folders(
    connection: duckdb.DuckDBPyConnection,
    known: Mapping[tuple[str, str], tuple[int, Folder, str]],
) -> list[Folder]:
    """The known folders and those of the lines that arrived since the last run that ended."""
    [(built,)] = connection.execute(
        "select coalesce(max(load_seq), -1) from raw.run_context"
    ).fetchall()
    found = {place: entry[1] for place, entry in known.items()}
    for source_id, cwd, is_root in connection.execute(_NEW_FOLDERS, {"built": built}).fetchall():
        before = found.get((source_id, cwd))
        found[source_id, cwd] = Folder(
            source_id,
            cwd,
            bool(is_root) or (before is not None and before.is_session_root),
            # Once seen it stays: a worktree that was removed still belongs where it did.
            git_root(cwd) or (before.repository if before else None),
        )
    return [found[place] for place in sorted(found)]


def _write_projects(
    connection: duckdb.DuckDBPyConnection, roots: Sequence[ScanRoot], as_of: datetime
) -> None:
    """Sessions outside the registered projects count where their source says so."""
    everywhere = [root for root in roots if root.kind in TRANSCRIPT_KINDS and root.all_projects]
    connection.execute(
        """
        insert into raw.projects
        select w.project_id, regexp_extract(min(w.project_path), '([^/\\\\]*)[/\\\\]*$', 1),
            'found', min(w.project_path), min(s.zone), true, null, $as_of
        from raw.working_directories as w
        join raw.sources as s on s.source_id = w.source_id
        where w.source_id in (select unnest($sources::varchar[])) and w.rule <> 'registered'
        group by w.project_id
        on conflict (project_id) do update set is_active = true,
            last_seen_at = excluded.last_seen_at
        """,
        {"as_of": as_of, "sources": [root.source_id for root in everywhere]},
    )
    # What names no folder at all belongs to the source itself, and is nobody's that opted in.
    for root in roots:
        if root.kind in TRANSCRIPT_KINDS and not root.all_projects:
            connection.execute(
                "update raw.projects set is_active = false where project_id = ?", [root.project_id]
            )
