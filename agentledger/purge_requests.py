"""Purges that were asked for and are not complete, one small file each.

Belongs here: what is written down before anything is removed, so that a purge killed at any moment
is taken up again by the next run. Does not belong here: removing (`purge.py`), deciding what is too
old (`retention.py`).

A file holds the ids, path and name of what goes; it is the last trace of them and goes last.
"""

import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from agentledger import files
from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings

Kind = Literal["project", "source", "retention"]


@dataclass(frozen=True, slots=True)
class PurgeRequest:
    """What was asked for."""

    request_id: str
    kind: Kind
    requested_at: str
    """ISO instant, UTC, to the microsecond."""
    project_ids: tuple[str, ...] = ()
    source_ids: tuple[str, ...] = ()
    path: str | None = None
    """Where the project or source lies; None for retention."""
    source_kind: str | None = None
    names: tuple[str, ...] = ()
    """How texts may name what goes, its path among them."""
    is_unregistered: bool = False
    """Whether its entry in config.toml is gone; one that stands there later is a new one."""
    cutoff: str | None = None
    """ISO instant: records of before it go; retention only."""

    @property
    def needles(self) -> tuple[str, ...]:
        """Every text by which a trace of it can be told."""
        return tuple(dict.fromkeys((*self.project_ids, *self.source_ids, *self.names)))


def new_request(kind: Kind, **facts: Any) -> PurgeRequest:
    """A request of this moment; not written yet."""
    now = datetime.now(UTC)
    return PurgeRequest(
        request_id=f"{now:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}",
        kind=kind,
        requested_at=now.isoformat(timespec="microseconds"),
        **facts,
    )


def write_request(settings: Settings, request: PurgeRequest) -> PurgeRequest:
    """Bring a request to disk, whole, in place of an earlier state of it."""
    files.make_private_folder(settings.purges_dir)
    files.replace_text(_path(settings, request), json.dumps(asdict(request), indent=1) + "\n")
    files.sync_folder(settings.purges_dir)
    return request


def mark_unregistered(settings: Settings, request: PurgeRequest) -> PurgeRequest:
    """Note that the entry in config.toml is gone."""
    return write_request(settings, replace(request, is_unregistered=True))


def remove_request(settings: Settings, request: PurgeRequest) -> None:
    """Forget a request that is complete, or that nothing came of."""
    _path(settings, request).unlink(missing_ok=True)
    if settings.purges_dir.is_dir():
        files.sync_folder(settings.purges_dir)


def pending_requests(settings: Settings) -> list[PurgeRequest]:
    """Requests that are not complete, oldest first.

    Raises:
        AgentLedgerError: When a file is damaged: what it asked for must not be forgotten.
    """
    return [_read(path) for path in sorted(settings.purges_dir.glob("*.json"))]


def _path(settings: Settings, request: PurgeRequest) -> Path:
    return settings.purges_dir / f"{request.request_id}.json"


def _read(path: Path) -> PurgeRequest:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        for name in ("project_ids", "source_ids", "names"):
            facts[name] = tuple(facts[name])
        return PurgeRequest(**facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AgentLedgerError(
            f"{path} asks for a purge and cannot be read ({type(error).__name__}). Remove it and "
            "ask again: `agentledger unregister PATH --purge`."
        ) from error
