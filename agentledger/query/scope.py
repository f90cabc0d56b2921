"""Which project a question is about: one project, or all of them as one.

Belongs here: turning a name, an id or a path into a `project_id`, near matches for a name that is
unknown. Does not belong here: what is registered (`registry.py`), the marts of projects
(`projects.py`).

Every question filters on its scope. The rows of '__all__' hold the projects' totals: reading both
would count each use twice.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentledger.errors import AgentLedgerError
from agentledger.query.answers import read_answer
from agentledger.settings import Settings
from agentledger.snapshot import Snapshot

ALL_PROJECTS: Final = "__all__"
"""`project_id` of the rows that cover all active projects."""

NEAR_MATCHES_SHOWN: Final = 5
"""Enough to find a misspelt name, few enough to read."""


class UnknownNameError(AgentLedgerError):
    """No project or skill of that name is in the snapshot."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The project asked about."""

    project_id: str
    project_name: str | None
    """None for all projects."""


def find_scope(snapshot: Snapshot, settings: Settings, project: str | None) -> Scope:
    """Find the project that a name, an id or a path means.

    An id wins over a name, a name over a path: a project named like a folder stays reachable, and
    the folder is reachable as `./folder`.

    Raises:
        UnknownNameError: When nothing matches, or a name means several projects.
    """
    if project is None or project == ALL_PROJECTS:
        return Scope(ALL_PROJECTS, None)
    answer = read_answer(
        snapshot,
        "select project_id, project_name from marts.dim_projects where is_active order by 2, 1",
    )
    known = {str(row[0]): str(row[1]) for row in answer.rows}
    if project in known:
        return Scope(project, known[project])
    named = [project_id for project_id, name in known.items() if name == project]
    if len(named) > 1:
        raise UnknownNameError(
            f"{len(named)} projects are named {project!r}. Give an id: {', '.join(named)}."
        )
    if named:
        return Scope(named[0], project)
    registered = _registered_id(settings, project)
    if registered in known:
        return Scope(registered, known[registered])
    if registered:
        raise UnknownNameError(
            f"The project {project!r} is registered and not in the snapshot of "
            f"{snapshot.build.as_of:%Y-%m-%d %H:%M} UTC yet. Type `agentledger run`."
        )
    raise UnknownNameError(unknown_name("project", project, known.values(), "agentledger projects"))


def unknown_name(kind: str, name: str, known: Iterable[str], command: str) -> str:
    """Say that a name is unknown, what is near to it, and the command that lists all."""
    # repr: names come from files, and a control character must not reach the terminal.
    hint = ", ".join(repr(other) for other in near_names(name, known))
    said = f"There is no {kind} {name!r}."
    return f"{said} Did you mean {hint}?" if hint else f"{said} `{command}` lists what there is."


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """What somebody who typed a name may have meant, the nearest first."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=NEAR_MATCHES_SHOWN, cutoff=0.5)
    lowered = name.lower()
    near += [other for other in names if lowered in other.lower() and other not in near]
    return near[:NEAR_MATCHES_SHOWN]


def _registered_id(settings: Settings, project: str) -> str | None:
    """Id of a registered project given by its path or its name; None when there is none."""
    from agentledger import privacy, registry

    # Without a key no project was ever read; making one here would be a write by a reader.
    if not settings.key_path.exists():
        return None
    try:
        resolved = privacy.resolve_path(project)
    except (OSError, ValueError, RuntimeError):
        resolved = None  # not a path: a name with a NUL, a link that loops, `~nobody`
    for candidate in registry.load_config(settings).projects:
        if candidate.path == resolved or candidate.name == project:
            key = privacy.load_or_create_key(settings)
            return privacy.project_id(key, str(Path(candidate.path)))
    return None
