"""Folders that moved or got another name, as a person states it in `config.toml`.

Belongs here: what a `[[renames]]` entry may say, the errors for people, and what a path is called
by now. Does not belong here: which project a folder belongs to (`ingest/working_directories.py`),
reading the file (`config.py`).

    [[renames]]
    from = "/home/me/code/old-name"     # as sessions of the past name it; it and what lies below
    to = "/home/me/code/new-name"
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from agentledger.errors import AgentLedgerError


@dataclass(frozen=True, slots=True, order=True)
class Rename:
    """One folder under its old and its new path."""

    old: str
    new: str


def read_renames(entries: Iterable[Mapping[str, Any]], path: Path) -> tuple[Rename, ...]:
    """Read the [[renames]] entries of the file at the path.

    Raises:
        AgentLedgerError: When an entry lacks a path, has a relative one, or two have the same.
    """
    found: dict[str, Rename] = {}
    for entry in entries:
        old, new = (_folder(entry, field, path) for field in ("from", "to"))
        if old == new:
            raise AgentLedgerError(f"{path}: a [[renames]] entry renames {old!r} to itself.")
        if old in found and found[old].new != new:
            raise AgentLedgerError(
                f"{path}: two [[renames]] entries rename {old!r}. Leave one of them."
            )
        found[old] = Rename(old, new)
    return tuple(found.values())


def renamed(place: str, renames: Sequence[Rename]) -> str:
    """What a path is called by now; of several entries the innermost comes first, each once."""
    left = list(renames)
    while True:
        around = [item for item in left if PurePath(place).is_relative_to(item.old)]
        if not around:
            return place
        innermost = max(around, key=lambda item: len(item.old))
        left.remove(innermost)
        place = str(PurePath(innermost.new, PurePath(place).relative_to(innermost.old)))


def _folder(entry: Mapping[str, Any], field: str, path: Path) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not value.strip():
        raise AgentLedgerError(
            f"{path}: a [[renames]] entry needs `from` and `to`, paths in quotes."
        )
    expanded = Path(value.strip()).expanduser()
    if not expanded.is_absolute() or expanded == Path(expanded.anchor):
        raise AgentLedgerError(f"{path}: `{field}` of [[renames]] must be a whole path: {value!r}.")
    return os.path.normpath(expanded)
