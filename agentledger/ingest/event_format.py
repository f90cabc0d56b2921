"""What a format of events is.

Belongs here: `EventFormat` and what its definitions share. Does not belong here: the formats
themselves (`intent_formats.py`, `work_formats.py`, `usage_formats.py`, `telemetry_formats.py`,
`transcript_formats.py`), the SQL of a kind of field (`event_columns.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class EventFormat:
    """One shape of events."""

    name: str
    """Also the raw table, unless `table` names another."""
    told_by: tuple[frozenset[str], ...]
    """Sets of names, any of which all present means this format."""
    fields: Mapping[str, Any]
    """Allow-list: field → DuckDB type it is parsed as, or the fields of an object or list."""
    columns: Mapping[str, str]
    """Raw column → SQL over the parsed record `x`, a relation with a column per field."""
    identity: str
    """Raw column that identifies the event; when it is missing, the content does."""
    must_have: str
    """SQL over the raw columns: without it the line is looked at by the tolerant path."""
    short_fields: tuple[str, ...] = ()
    """Fields that usually hold names or ids, looked at together as `x.are_short`."""
    free_fields: tuple[str, ...] = ()
    """Fields, also columns, of which what is no name is withheld; the column `withheld` tells."""
    project_field: str | None = None
    """Field that names the project where a source speaks of projects of its own."""
    project_sql: str | None = None
    """SQL over `x` that names the project, where it is not one field."""
    wrappers: frozenset[str] = field(default_factory=frozenset)
    """Root members of a document that may hold the list of events."""
    companions: frozenset[str] = field(default_factory=frozenset)
    """Root members of such a document that are, or list, records beside the events."""
    not_told_by: frozenset[str] = field(default_factory=frozenset)
    """Names that mean another format."""
    known_names: frozenset[str] = field(default_factory=frozenset)
    """Further names that are known and left alone."""
    takes_any_object: bool = False
    """Whether, once a file is of this format, every object in it is a record."""
    glimpses: Mapping[str, str] = field(default_factory=dict)
    """SQL over `x` and the line `x.record`: what `columns` and `parts` read and nobody keeps."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Further raw table → SQL of a list of structs over `x`, one row of that table each."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Field of the vault → SQL of a list of texts over `x`: kept for sources that keep texts."""
    json_texts: frozenset[str] = field(default_factory=frozenset)
    """Those of `texts` whose members are JSON values."""
    vault_fields: frozenset[str] = frozenset()
    """Members that are read for `texts` alone; where no text is kept they are unknown."""
    unknown_inside: str | None = None
    """SQL of a list of the unknown names inside the members, or NULL."""
    other_table: str | None = None
    """Raw table of records that other sources bring, too."""
    row_select: str = "*"
    """SQL select list from a staged row to the raw row."""
    reads: str | None = None
    """SQL over the line `r.record` for what is parsed of it, in place of `fields`."""
    rewrites: str | None = None
    """SQL over `r.record` and the parsed `x` for a struct of what `columns` read."""
    rewritten: tuple[str, ...] = ()
    """Members of that struct."""
    keyed_as: str | None = None
    """What the identity of a record begins with, where it is not the name."""

    @property
    def table(self) -> str:
        """Raw table of the rows."""
        return self.other_table or self.name


def texts(*names: str) -> dict[str, str]:
    """Fields that are read as text."""
    return dict.fromkeys(names, "VARCHAR")
