"""What the user opted in to: projects and sources, kept in `config.toml`.

Belongs here: opting in and out; callers find here what reading the file gives, too. Does not belong
here: what an entry may say (`config.py`), how the file is changed without harm
(`config_document.py`), looking for files (`ingest/scan.py`).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentledger import config_document, postgres_sources, privacy
from agentledger.config import (
    CONTENT_CHOICES,
    MAPPING_WANTED,
    SOURCE_KINDS,
    Config,
    Project,
    Source,
    check_content,
    has_sources,
    load_config,
    read_project,
    read_source,
    resolve_given,
    source_location,
    written_place,
)
from agentledger.errors import UsageError
from agentledger.postgres_sources import PostgresEntry
from agentledger.settings import Settings
from agentledger.zones import check_zone

if TYPE_CHECKING:
    from agentledger.purge_requests import PurgeRequest

__all__ = [
    "CONTENT_CHOICES",
    "SOURCE_KINDS",
    "Config",
    "Project",
    "Source",
    "add_postgres_source",
    "add_source",
    "check_content",
    "forget_entry",
    "has_sources",
    "load_config",
    "register_project",
    "remove_source",
    "resolve_given",
    "source_location",
    "unregister_project",
]


def register_project(
    settings: Settings,
    path: str,
    name: str | None = None,
    project_type: str | None = None,
    zone: str | None = None,
    content: str | None = None,
) -> Project:
    """Opt a project in; registering it again changes its name, type, zone or content.

    Raises:
        UsageError: When the directory does not exist or the zone is not an IANA name.
    """
    check_zone(zone)
    check_content(content)
    if name == "__all__":
        raise UsageError("`__all__` means all projects together; choose another name.")
    resolved = resolve_given(path)
    if not Path(resolved).is_dir():
        raise UsageError(f"There is no directory {resolved}. Give the root folder of a project.")
    if _has_surrogates(resolved):
        raise UsageError(
            "The path is not valid UTF-8 and cannot be written to config.toml. Rename the folder."
        )
    with config_document.editing(settings) as document:
        projects = config_document.tables(document, "projects")
        entry = _find(projects, lambda item: _same_path(item.get("path"), resolved))
        if entry is None:
            import tomlkit

            entry = tomlkit.table()
            entry["path"] = resolved
            entry["name"] = name or Path(resolved).name or resolved
            # Kept as it was at registration: what was written then was written in that zone.
            entry["zone"] = zone or settings.host_zone
            entry["registered_at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            projects.append(entry)
        given = {"name": name, "type": project_type, "zone": zone, "content": content}
        for field, value in given.items():
            if value is not None:
                entry[field] = value
        return read_project(entry, settings.config_path)


def unregister_project(settings: Settings, path: str) -> Project:
    """Opt a project out; the next run takes it out of every aggregate, its raw rows stay.

    Raises:
        UsageError: When the project is not registered.
    """
    resolved = resolve_given(path)
    with config_document.editing(settings) as document:
        projects = config_document.tables(document, "projects")
        for position, entry in enumerate(projects):
            if _same_path(entry.get("path"), resolved) or entry.get("name") == path:
                removed = read_project(entry, settings.config_path)
                config_document.delete_table(document, "projects", position)
                return removed
    raise UsageError(f"{resolved} is not registered. `agentledger projects` lists what is.")


def add_source(
    settings: Settings,
    kind: str,
    location: str,
    zone: str | None = None,
    projects: str | None = None,
    mapping: str | None = None,
    *,
    zone_is_stated: bool = False,
    content: str | None = None,
) -> Source:
    """Opt a source in; adding it again changes its zone, its content or whose sessions count.

    Args:
        settings: Names the data home.
        kind: One of `SOURCE_KINDS`.
        location: File or folder.
        zone: IANA zone of its times without an offset.
        projects: 'all' counts sessions of unregistered projects, too.
        content: 'vault' keeps private texts, 'drop' does not.
        mapping: Of a mapped source, checked by the caller: a shipped name or a resolved path.
        zone_is_stated: The mapping says the zone, so that this host's is not written down.

    Raises:
        UsageError: When the kind is unknown, the location missing or the zone not an IANA name.
    """
    check_zone(zone)
    check_content(content)
    resolved = source_location(kind, location)
    if (kind == "mapped") != (mapping is not None):
        raise UsageError(MAPPING_WANTED)
    if not Path(resolved).exists():
        raise UsageError(f"There is nothing at {resolved}.")
    fields = {
        "location": resolved, "projects": projects, "mapping": mapping, "content": content,
    }  # fmt: skip
    default_zone = None if zone_is_stated else settings.host_zone
    return _put_source(settings, kind, resolved, fields, (zone, default_zone))


def add_postgres_source(
    settings: Settings,
    entry: PostgresEntry,
    zone: str | None = None,
    content: str | None = None,
) -> Source:
    """Opt a table on a PostgreSQL server in; adding it again changes what is given.

    Raises:
        UsageError: When the zone is not an IANA name.
    """
    check_zone(zone)
    check_content(content)
    zones = (zone, postgres_sources.DEFAULT_ZONE)
    fields = entry.fields() | {"content": content}
    return _put_source(settings, postgres_sources.KIND, entry.place, fields, zones)


def _put_source(
    settings: Settings,
    kind: str,
    place: str,
    fields: dict[str, Any],
    zones: tuple[str | None, str | None],
) -> Source:
    """Write the entry of a source; of the zones, the second is that of a new one."""
    zone, default_zone = zones
    with config_document.editing(settings) as document:
        sources = config_document.tables(document, "sources")
        entry = _find(
            sources, lambda item: item.get("kind") == kind and written_place(item) == place
        )
        if entry is None:
            import tomlkit

            entry = tomlkit.table()
            entry["kind"] = kind
            entry["location"] = fields["location"]
            if zone is not None or default_zone is not None:
                entry["zone"] = zone or default_zone
            sources.append(entry)
        for field, value in (*fields.items(), ("zone", zone)):
            if value is not None:
                entry[field] = value
        return read_source(entry, settings.config_path)


def remove_source(settings: Settings, kind: str, location: str) -> Source:
    """Opt a source out; its raw rows stay.

    Raises:
        UsageError: When there is no such source.
    """
    resolved = source_location(kind, location)
    with config_document.editing(settings) as document:
        sources = config_document.tables(document, "sources")
        for position, entry in enumerate(sources):
            if entry.get("kind") == kind and written_place(entry) in (resolved, location):
                removed = read_source(entry, settings.config_path)
                config_document.delete_table(document, "sources", position)
                return removed
    raise UsageError(
        f"There is no {kind} source at {resolved}. `agentledger source list` lists them."
    )


def forget_entry(settings: Settings, request: "PurgeRequest") -> None:
    """Take out the entry that a purge is for, if the command was killed before it could.

    A project that was registered after the purge was asked for is a new one and stays.
    """
    name, field = ("projects", "path") if request.kind == "project" else ("sources", "location")

    def is_meant(entry: Any) -> bool:
        registered_at = str(entry.get("registered_at") or "")
        is_table = entry.get("kind") == postgres_sources.KIND
        is_there = (
            written_place(entry) == request.path
            if is_table
            else _same_path(entry.get(field), str(request.path))
        )
        return (
            is_there
            and entry.get("kind") == request.source_kind
            and registered_at.replace("Z", "+00:00")[:19] <= request.requested_at[:19]
        )

    if not settings.config_path.exists():
        return
    with config_document.editing(settings) as document:
        if name in document:
            for position in reversed(range(len(config_document.tables(document, name)))):
                if is_meant(config_document.tables(document, name)[position]):
                    config_document.delete_table(document, name, position)
                    if name not in document:
                        return


def _find(entries: Any, is_wanted: Any) -> Any:
    return next((entry for entry in entries if is_wanted(entry)), None)


def _same_path(written: Any, resolved: str) -> bool:
    return isinstance(written, str) and privacy.resolve_path(written) == resolved


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
