"""What the user opted in to: projects and sources, kept in `config.toml`.

Belongs here: reading and editing the configuration. Edits hold a lock, write a new file and swap it
in, and keep whatever else a person wrote there, comments included. Does not belong here: looking
for files (`ingest/scan.py`).
"""

import contextlib
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentledger import files, privacy
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.settings import Settings

if TYPE_CHECKING:
    import tomlkit

    from agentledger.purge_requests import PurgeRequest

CONFIG_LOCK_WAIT_SECONDS = 10.0
"""Edits take milliseconds; whoever holds the lock longer is stuck."""

SOURCE_KINDS = ("skill-metrics", "events", "claude-code", "codex", "langfuse")
"""Kinds that `source add` takes."""

MAX_RETENTION_DAYS = 36_500
"""A century: more is a slip of the keyboard, and would reach back before the calendar begins."""

HEADER = """\
# AgentLedger reads only what is listed here. Edit freely: comments and order are kept.
# [[projects]] path, name, type, zone      [[sources]] kind, location, zone, projects
# retention_days = 90      removes records older than that with each run; without it all is kept
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose owner opted in."""

    path: str  # resolved: see privacy.resolve_path
    name: str
    type: str | None = None
    zone: str | None = None
    registered_at: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A place outside the registered projects that holds telemetry."""

    kind: str
    location: str
    zone: str | None = None
    projects: str | None = None
    """'all' where sessions of unregistered projects count, too."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration as read."""

    projects: tuple[Project, ...] = ()
    sources: tuple[Source, ...] = ()
    retention_days: int | None = None
    """Records older than this are removed by each run; None keeps everything."""


def load_config(settings: Settings) -> Config:
    """Read `config.toml`; a missing file is an empty configuration.

    Raises:
        AgentLedgerError: When the file cannot be read as TOML or an entry lacks what it needs.
    """
    # The standard parser: three times faster than the one that keeps comments.
    import tomllib

    path = settings.config_path
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise AgentLedgerError(_damaged(path, error)) from error
    projects = tuple(_project(entry, path) for entry in _tables(document, "projects", path))
    sources = tuple(_source(entry, path) for entry in _tables(document, "sources", path))
    return Config(
        _first_of_each(projects, "path"),
        _first_of_each(sources, "location"),
        _retention_days(document, path),
    )


def has_sources(settings: Settings, config: Config) -> bool:
    """Whether there is anything that a run may read; a spool was opted in by whoever emits."""
    return bool(config.projects or config.sources) or settings.spool_dir.is_dir()


def register_project(
    settings: Settings,
    path: str,
    name: str | None = None,
    project_type: str | None = None,
    zone: str | None = None,
) -> Project:
    """Opt a project in; registering it again changes its name, type or zone.

    Raises:
        UsageError: When the directory does not exist or the zone is not an IANA name.
    """
    check_zone(zone)
    if name == "__all__":
        raise UsageError("`__all__` means all projects together; choose another name.")
    resolved = resolve_given(path)
    if not Path(resolved).is_dir():
        raise UsageError(f"There is no directory {resolved}. Give the root folder of a project.")
    if _has_surrogates(resolved):
        raise UsageError(
            "The path is not valid UTF-8 and cannot be written to config.toml. Rename the folder."
        )
    with _editing(settings) as document:
        projects = _array(document, "projects")
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
        for field, value in (("name", name), ("type", project_type), ("zone", zone)):
            if value is not None:
                entry[field] = value
        return _project(entry, settings.config_path)


def unregister_project(settings: Settings, path: str) -> Project:
    """Opt a project out; the next run takes it out of every aggregate, its raw rows stay.

    Raises:
        UsageError: When the project is not registered.
    """
    resolved = resolve_given(path)
    with _editing(settings) as document:
        projects = _array(document, "projects")
        for position, entry in enumerate(projects):
            if _same_path(entry.get("path"), resolved) or entry.get("name") == path:
                removed = _project(entry, settings.config_path)
                _delete(document, "projects", position)
                return removed
    raise UsageError(f"{resolved} is not registered. `agentledger projects` lists what is.")


def add_source(
    settings: Settings,
    kind: str,
    location: str,
    zone: str | None = None,
    projects: str | None = None,
) -> Source:
    """Opt a source in; adding it again changes its zone or whose sessions count.

    Args:
        settings: Names the data home.
        kind: One of `SOURCE_KINDS`.
        location: File or folder.
        zone: IANA zone of its times without an offset.
        projects: 'all' counts sessions of unregistered projects, too.

    Raises:
        UsageError: When the kind is unknown, the location missing or the zone not an IANA name.
    """
    check_zone(zone)
    resolved = source_location(kind, location)
    if not Path(resolved).exists():
        raise UsageError(f"There is nothing at {resolved}.")
    with _editing(settings) as document:
        sources = _array(document, "sources")
        entry = _find(
            sources, lambda item: item.get("kind") == kind and item.get("location") == resolved
        )
        if entry is None:
            import tomlkit

            entry = tomlkit.table()
            entry["kind"] = kind
            entry["location"] = resolved
            entry["zone"] = zone or settings.host_zone
            sources.append(entry)
        if zone is not None:
            entry["zone"] = zone
        if projects is not None:
            entry["projects"] = projects
        return _source(entry, settings.config_path)


def remove_source(settings: Settings, kind: str, location: str) -> Source:
    """Opt a source out; its raw rows stay.

    Raises:
        UsageError: When there is no such source.
    """
    resolved = source_location(kind, location)
    with _editing(settings) as document:
        sources = _array(document, "sources")
        for position, entry in enumerate(sources):
            if entry.get("kind") == kind and entry.get("location") in (resolved, location):
                removed = _source(entry, settings.config_path)
                _delete(document, "sources", position)
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
        return (
            _same_path(entry.get(field), str(request.path))
            and entry.get("kind") == request.source_kind
            and registered_at.replace("Z", "+00:00")[:19] <= request.requested_at[:19]
        )

    if not settings.config_path.exists():
        return
    with _editing(settings) as document:
        if name in document:
            for position in reversed(range(len(_array(document, name)))):
                if is_meant(_array(document, name)[position]):
                    _delete(document, name, position)
                    if name not in document:
                        return


def check_zone(zone: str | None) -> None:
    """Refuse what is not an IANA time zone, before it reaches a file or a model.

    Raises:
        UsageError: When it is not one.
    """
    if zone is None:
        return
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"{zone!r} is not a time zone. Give an IANA name such as Europe/Paris or UTC."
        ) from error


def source_location(kind: str, location: str) -> str:
    """Resolve the place of a source.

    Raises:
        UsageError: When the kind is unknown or the place empty.
    """
    if kind not in SOURCE_KINDS:
        raise UsageError(f"Unknown kind of source {kind!r}. Known: {', '.join(SOURCE_KINDS)}.")
    return resolve_given(location)


def resolve_given(path: str) -> str:
    """Resolve what a person typed; an unset shell variable must not mean this directory."""
    if not path.strip():
        raise UsageError("The path is empty. Give a folder.")
    return privacy.resolve_path(path)


@contextlib.contextmanager
def _editing(settings: Settings) -> Iterator["tomlkit.TOMLDocument"]:
    """Hold the lock, hand out the document, and swap in the changed file."""
    import filelock
    import tomlkit
    from tomlkit.exceptions import ParseError

    path = settings.config_path
    files.make_private_folder(settings.home)
    lock = filelock.FileLock(str(path) + ".lock", timeout=CONFIG_LOCK_WAIT_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise AgentLedgerError(f"Another process is editing {path}. Try again.") from error
    try:
        try:
            before = path.read_text(encoding="utf-8-sig") if path.exists() else HEADER
            document = tomlkit.parse(before)
        except (ParseError, UnicodeDecodeError, OSError) as error:
            raise AgentLedgerError(_damaged(path, error)) from error
        yield document
        after = tomlkit.dumps(document)
        if after != before or not path.exists():
            _check_readable(after, path)
            files.replace_text(path, after)
    finally:
        lock.release()


def _damaged(path: Path, error: Exception) -> str:
    return f"Cannot read {path}: {error}. Mend it by hand; nothing was changed."


def _check_readable(text: str, path: Path) -> None:
    """Never swap in what could not be read again, whatever the editing library made of it."""
    import tomllib

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AgentLedgerError(
            f"The change to {path} could not be written safely ({error}); nothing was changed. "
            "Write `projects` and `sources` as [[projects]] and [[sources]] tables, then try again."
        ) from error


def _retention_days(document: dict[str, Any], path: Path) -> int | None:
    """`retention_days = 90` at the top or in [retention]; "keep" or nothing keeps all."""
    table = document.get("retention", {})
    nested = table.get("retention_days") if isinstance(table, dict) else table
    days = document.get("retention_days", nested)
    if days is None or days == "keep":
        return None
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_RETENTION_DAYS:
        raise AgentLedgerError(
            f"{path}: `retention_days` must be a whole number of days from 1 to "
            f'{MAX_RETENTION_DAYS}, or "keep"; found {days!r}. Nothing was removed.'
        )
    return days


def _array(document: "tomlkit.TOMLDocument", name: str) -> Any:
    """The tables of a name; what a person wrote as an empty list becomes a list of tables."""
    import tomlkit
    from tomlkit.items import AoT

    if name in document and not document[name]:
        del document[name]
    if name not in document:
        document[name] = tomlkit.aot()
    if not isinstance(document[name], AoT):
        raise AgentLedgerError(f"`{name}` in config.toml must be written as [[{name}]] tables.")
    return document[name]


def _delete(document: "tomlkit.TOMLDocument", name: str, position: int) -> None:
    """Take an entry out; with the last one the name goes, for an empty list cannot grow tables."""
    del document[name][position]  # type: ignore[union-attr]
    if not document[name]:
        del document[name]


def _find(entries: Any, is_wanted: Any) -> Any:
    return next((entry for entry in entries if is_wanted(entry)), None)


def _tables(document: dict[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    entries = document.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AgentLedgerError(f"{path}: `{name}` must be written as [[{name}]] tables.")
    if any("retention_days" in entry for entry in entries):
        # What follows a table's heading belongs to the table; nothing would be removed.
        raise AgentLedgerError(
            f"{path}: `retention_days` stands below [[{name}]] and would belong to that entry "
            "alone. Move it above the first line in brackets, or below a line [retention]."
        )
    return entries


def _project(entry: dict[str, Any], path: Path) -> Project:
    location = _text(entry, "path", path)
    if not location:
        raise AgentLedgerError(f"{path}: a [[projects]] entry has no `path`.")
    if not Path(location).expanduser().is_absolute():
        raise AgentLedgerError(
            f"{path}: the project path {location!r} is relative; write the whole path."
        )
    resolved = privacy.resolve_path(location)
    zone = _zone_of(entry, path)
    return Project(
        path=resolved,
        name=_text(entry, "name", path) or Path(resolved).name or resolved,
        type=_text(entry, "type", path),
        zone=zone,
        registered_at=_text(entry, "registered_at", path),
    )


def _source(entry: dict[str, Any], path: Path) -> Source:
    kind, location = _text(entry, "kind", path), _text(entry, "location", path)
    if not kind or not location:
        raise AgentLedgerError(f"{path}: a [[sources]] entry needs `kind` and `location`.")
    projects = _text(entry, "projects", path)
    if projects not in (None, "all", "registered"):
        raise AgentLedgerError(
            f'{path}: `projects` must be "all" or "registered", found {projects!r}.'
        )
    return Source(
        kind=kind,
        location=source_location(kind, location),
        zone=_zone_of(entry, path),
        projects=projects,
    )


def _zone_of(entry: dict[str, Any], path: Path) -> str | None:
    zone = _text(entry, "zone", path)
    try:
        check_zone(zone)
    except UsageError as error:
        raise AgentLedgerError(f"{path}: {error}") from error
    return zone


def _text(entry: dict[str, Any], field: str, path: Path) -> str | None:
    value = entry.get(field)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise AgentLedgerError(f"{path}: `{field}` must be text in quotes, found {value!r}.")
    return str(value)


def _same_path(written: Any, resolved: str) -> bool:
    return isinstance(written, str) and privacy.resolve_path(written) == resolved


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _first_of_each(entries: tuple[Any, ...], field: str) -> tuple[Any, ...]:
    """A path listed twice by hand is one project."""
    return tuple({getattr(entry, field): entry for entry in reversed(entries)}.values())[::-1]
