"""A word on names that nothing published has, where that is no error.

Belongs here: telling it. Does not belong here: which names there are (`query/`).

What a person declares may come before the telemetry it is about; a misspelt name never meets it.
"""

from collections.abc import Callable

from agentledger.errors import NothingPublishedError


def note(kind: str, name: str, find_near: Callable[[], list[str] | None]) -> None:
    """Tell on standard error that no task names this, and what may be meant.

    Args:
        kind: Of what sort the name is.
        name: What was written down.
        find_near: Gives the names near to it, or None when it is known.
    """
    from agentledger.cli import output

    try:
        near = find_near()
    except NothingPublishedError:
        return
    if near is not None:
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
        output.write_note(f"No task that is published names the {kind} {name!r}.{hint}")
