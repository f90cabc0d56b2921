"""A word on names that nothing published has, where that is no error.

Belongs here: telling it, beside what was declared of them. Does not belong here: which names there
are (`query/`).

What a person declares may come before the telemetry it is about; a misspelt name never meets it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agentledger.errors import NothingPublishedError


def write_declared(
    record: Mapping[str, Any],
    sentence: str,
    kind: str,
    name: str,
    find_near: Callable[[], list[str] | None],
    *,
    as_json: bool,
) -> None:
    """Tell what was written down of a name: the record itself, or a sentence on it.

    Args:
        record: As it was written down.
        sentence: What a person reads of it.
        kind: Of what sort the name is.
        name: What was written down.
        find_near: Gives the names near to it, or None when it is known.
        as_json: Whether the record is asked for.
    """
    from agentledger.cli import output

    _note(kind, name, find_near)
    if as_json:
        output.write_json(record)
    else:
        output.write_line(sentence)


def _note(kind: str, name: str, find_near: Callable[[], list[str] | None]) -> None:
    """Tell on standard error that no task names this, and what may be meant."""
    from agentledger.cli import output

    try:
        near = find_near()
    except NothingPublishedError:
        return
    if near is not None:
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
        output.write_note(f"No task that is published names the {kind} {name!r}.{hint}")
