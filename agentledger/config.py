"""What the user opted in to, as `config.toml` says it: projects, sources, how long to keep.

Belongs here: reading the file and refusing what it cannot mean. Does not belong here: changing it
(`registry.py`), looking for files (`ingest/scan.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agentledger import postgres_sources, price_overrides, privacy
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.postgres_sources import PostgresEntry
from agentledger.renames import Rename, read_renames
from agentledger.settings import Settings
from agentledger.zones import check_zone

SOURCE_KINDS = (
    "skill-metrics", "events", "claude-code", "codex", "langfuse", "mapped", "otlp",
    postgres_sources.KIND,
)  # fmt: skip
"""Kinds that `source add` takes."""

CONTENT_CHOICES = ("vault", "drop")
"""What may become of private texts: kept in the vault, or dropped, which is the default."""
MAPPING_WANTED = (
    "A source of the kind mapped needs a mapping, and no other kind takes one. Type: "
    "agentledger source add mapped LOCATION --mapping NAME|FILE"
)

MAX_RETENTION_DAYS = 36_500
"""A century: more is a slip of the keyboard, and would reach back before the calendar begins."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose owner opted in."""

    path: str  # resolved: see privacy.resolve_path
    name: str
    type: str | None = None
    zone: str | None = None
    registered_at: str | None = None
    content: str | None = None
    """'vault' where the owner wants private texts kept."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place outside the registered projects that holds telemetry."""

    kind: str
    location: str
    zone: str | None = None
    projects: str | None = None
    """'all' where sessions of unregistered projects count, too."""
    content: str | None = None
    """'vault' where the owner wants private texts kept."""
    postgres: PostgresEntry | None = None
    """Of a table on a server; its `location` is then what names server and table."""
    mapping: str | None = None
    """Of a mapped source: the name of a mapping that ships, or the path of one."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration as read."""

    projects: tuple[Project, ...] = ()
    sources: tuple[Source, ...] = ()
    retention_days: int | None = None
    """Records older than this are removed by each run; None keeps everything."""
    prices: tuple[price_overrides.PriceOverride, ...] = ()
    """Prices that come before those of the package."""
    renames: tuple[Rename, ...] = ()
    """Folders of sessions that have another path by now."""


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
        raise AgentLedgerError(damaged(path, error)) from error
    projects = tuple(read_project(entry, path) for entry in _tables(document, "projects", path))
    sources = tuple(read_source(entry, path) for entry in _tables(document, "sources", path))
    return Config(
        _first_of_each(projects, "path"),
        _first_of_each(sources, "location"),
        _retention_days(document, path),
        price_overrides.read_overrides(_tables(document, "prices", path), path),
        read_renames(_tables(document, "renames", path), path),
    )


def has_sources(settings: Settings, config: Config) -> bool:
    """Whether there is anything that a run may read; a spool was opted in by whoever emits."""
    return bool(config.projects or config.sources) or settings.spool_dir.is_dir()


def source_location(kind: str, location: str) -> str:
    """Resolve the place of a source.

    Raises:
        UsageError: When the kind is unknown or the place empty.
    """
    if kind not in SOURCE_KINDS:
        raise UsageError(f"Unknown kind of source {kind!r}. Known: {', '.join(SOURCE_KINDS)}.")
    if kind == postgres_sources.KIND:
        return postgres_sources.place_of(location)
    return resolve_given(location)


def resolve_given(path: str) -> str:
    """Resolve what a person typed; an unset shell variable must not mean this directory."""
    if not path.strip():
        raise UsageError("The path is empty. Give a folder.")
    return privacy.resolve_path(path)


def damaged(path: Path, error: Exception) -> str:
    """What to say of a file that cannot be read."""
    return f"Cannot read {path}: {error}. Mend it by hand; nothing was changed."


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


def read_project(entry: dict[str, Any], path: Path) -> Project:
    """Read one [[projects]] entry of the file at the path."""
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
        content=_content_of(entry, path),
    )


def read_source(entry: dict[str, Any], path: Path) -> Source:
    """Read one [[sources]] entry of the file at the path."""
    kind, location = _text(entry, "kind", path), _text(entry, "location", path)
    if not kind or not location:
        raise AgentLedgerError(f"{path}: a [[sources]] entry needs `kind` and `location`.")
    projects = _text(entry, "projects", path)
    if projects not in (None, "all", "registered"):
        raise AgentLedgerError(
            f'{path}: `projects` must be "all" or "registered", found {projects!r}.'
        )
    table = None
    if kind == postgres_sources.KIND:
        table = postgres_sources.read_entry(entry, str(path))
    mapping = _text(entry, "mapping", path)
    if (kind == "mapped") != (mapping is not None):
        raise AgentLedgerError(f"{path}: {MAPPING_WANTED}")
    return Source(
        kind=kind,
        location=table.place if table else source_location(kind, location),
        zone=_zone_of(entry, path),
        projects=projects,
        content=_content_of(entry, path),
        postgres=table,
        mapping=mapping,
    )


def written_place(entry: Any) -> Any:
    """What names a source, of its entry as it is written."""
    location = entry.get("location")
    if entry.get("kind") != postgres_sources.KIND or not isinstance(location, str):
        return location
    try:
        return postgres_sources.place_of(location, entry.get("table"))
    except UsageError:
        return location  # reading the configuration says what is wrong with it


def check_content(content: str | None) -> None:
    """Refuse a word that does not say what becomes of private texts.

    Raises:
        UsageError: When it is none of `CONTENT_CHOICES`.
    """
    if content not in (None, *CONTENT_CHOICES):
        raise UsageError(
            f"{content!r} does not say what becomes of private texts. "
            f"Known: {', '.join(CONTENT_CHOICES)}."
        )


def _content_of(entry: dict[str, Any], path: Path) -> str | None:
    content = _text(entry, "content", path)
    try:
        check_content(content)
    except UsageError as error:
        raise AgentLedgerError(f"{path}: {error}") from error
    return content


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


def _first_of_each(entries: tuple[Any, ...], field: str) -> tuple[Any, ...]:
    """A path listed twice by hand is one project."""
    return tuple({getattr(entry, field): entry for entry in reversed(entries)}.values())[::-1]
