"""The places that the owner opted in, as roots of a scan.

Belongs here: turning the configuration into roots, the identity of a source, which sources keep
texts. Does not belong here: walking the roots (`scan.py`), editing what is registered
(`agentledger/registry.py`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentledger import postgres_sources, privacy
from agentledger.postgres_sources import PostgresEntry
from agentledger.registry import Config, Source, load_config
from agentledger.renames import Rename
from agentledger.settings import Settings

if TYPE_CHECKING:
    from agentledger.ingest.mapping import Mapping

TRANSCRIPT_KINDS = ("claude-code", "codex")
"""Kinds of sources that hold transcripts of coding agents."""

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
