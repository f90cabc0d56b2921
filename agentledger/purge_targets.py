"""From what a person names to what a purge means.

Belongs here: finding a project or source, registered or not any more, and its ids. Does not belong
here: asking the person (`cli/purging.py`), removing (`purge.py`).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agentledger import privacy, purge_requests, purge_scope, registry, warehouse
from agentledger.errors import UsageError
from agentledger.ingest.scan_roots import scan_roots, source_id
from agentledger.purge_requests import PurgeRequest
from agentledger.registry import Config
from agentledger.settings import Settings


@dataclass(frozen=True, slots=True)
class PurgeTarget:
    """What a purge would remove."""

    request: PurgeRequest
    name: str
    is_registered: bool
    rows: dict[str, int] = field(default_factory=dict)
    """Raw table → rows."""
    is_read: bool = False
    """Whether there is a warehouse, which may hold something of it."""
    outer_project: str | None = None
    """A registered project whose folder holds this one: it takes the files over."""


def project_target(settings: Settings, given: str) -> PurgeTarget:
    """Find a project by its path or name.

    Raises:
        UsageError: When neither config.toml nor the ledger knows it.
    """
    config = registry.load_config(settings)
    resolved = registry.resolve_given(given)
    entry = next((p for p in config.projects if given == p.name or resolved == p.path), None)
    if entry is not None:
        resolved = entry.path
    others = replace(
        config, projects=tuple(item for item in config.projects if item.path != resolved)
    )
    target = _target(settings, others, given, resolved, "skill-metrics", entry is not None)
    if target is None:
        raise UsageError(
            f"{resolved} is not registered and the ledger holds nothing of it. "
            "`agentledger projects` lists what it knows."
        )
    if entry is not None:
        target = replace(target, name=entry.name)
    return replace(target, request=_named(target.request, (target.name, given)))


def source_target(settings: Settings, kind: str, location: str) -> PurgeTarget:
    """Find a source by its kind and place.

    Raises:
        UsageError: When neither config.toml nor the ledger knows it.
    """
    config = registry.load_config(settings)
    resolved = registry.source_location(kind, location)
    entry = next((s for s in config.sources if (s.kind, s.location) == (kind, resolved)), None)
    others = replace(config, sources=tuple(item for item in config.sources if item != entry))
    target = _target(settings, others, location, resolved, kind, entry is not None)
    if target is None:
        raise UsageError(
            f"There is no {kind} source at {resolved} and the ledger holds nothing of one. "
            "`agentledger source list` lists them."
        )
    request = replace(target.request, kind="source", source_kind=kind)
    return replace(target, request=_named(request, ()))


def _named(request: PurgeRequest, names: Iterable[str]) -> PurgeRequest:
    found = dict.fromkeys((*request.names, *names))
    return replace(request, names=tuple(name for name in found if name))


def _target(
    settings: Settings,
    others: Config,
    given: str,
    resolved: str,
    kind: str,
    is_registered: bool,
) -> PurgeTarget | None:
    """What the ledger knows of a place; None when nothing anywhere tells of it."""
    if not settings.key_path.exists() or not settings.warehouse_path.exists():
        request = purge_requests.new_request("project", path=resolved, names=(resolved,))
        return PurgeTarget(request, os.path.basename(resolved), True) if is_registered else None  # noqa: PTH119 - text, not a file
    key = privacy.load_or_create_key(settings)
    roots = scan_roots(others, settings, key)
    identity = source_id(key, kind, resolved)
    with warehouse.open_warehouse(settings) as connection:
        known = connection.execute(
            "select s.source_id, s.project_id, s.location, p.project_name from raw.sources as s "
            "left join raw.projects as p on p.project_id = s.project_id "
            "where s.source_id = ? or (p.project_name = ? and s.kind = 'skill-metrics' and not ?)",
            [identity, given, is_registered],
        ).fetchall()
        if not known and not is_registered:
            return None
        project_id = privacy.project_id(key, resolved)
        name = os.path.basename(resolved)  # noqa: PTH119 - text, not a file
        if known:
            identity, project_id, resolved, name = known[0]
        outer = [r for r in roots if resolved.startswith(r.location.rstrip(os.sep) + os.sep)]
        request = purge_requests.new_request(
            "project",
            # What another entry stands for stays: worktrees share a project.
            project_ids=_unless_shared(project_id, {root.project_id for root in roots}),
            source_ids=_unless_shared(identity, {root.source_id for root in roots}),
            path=resolved,
            names=tuple(dict.fromkeys((resolved, name or ""))),
        )
        rows = purge_scope.counts(connection, request)
    return PurgeTarget(
        request,
        name or resolved,
        is_registered,
        rows=rows,
        is_read=True,
        outer_project=outer[0].project_name if outer else None,
    )


def _unless_shared(identity: str, shared: set[str]) -> tuple[str, ...]:
    return () if identity in shared else (identity,)
