"""The two tables of SQLite stores: their columns, and a value of SQLite as a value of JSON.

Belongs here: which columns are read under which name, which are known and left alone. Does not
belong here: opening a store (`skill_store.py`), what a value means (`skill_metrics_values.py`).

Source of the format: formats.md section 1.7 of the shared documents.
"""

from dataclasses import dataclass
from typing import Any

from agentledger.ingest.documents import DocumentError, Members, Number, Walker

_JSON_COLUMNS = frozenset({"alternatives_considered", "follow_up_actions"})


@dataclass(frozen=True, slots=True)
class Table:
    """One of the two tables: what is read of it, and what is known and left alone."""

    name: str
    variant: str
    columns: dict[str, str]
    """Column → name of the record's member."""
    ignored: frozenset[str]

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which no row can be made."""
        return tuple(
            column for column, name in self.columns.items() if name in ("skill_name", "invoked_at")
        )


_SHARED_COLUMNS = ("skill_name", "session_id", "completed", "user_query", "workflow_phase",
                   "alternatives_considered", "selection_rank", "follow_up_actions",
                   "error_type")  # fmt: skip
TABLES = (
    Table(
        name="skill_invocation",
        variant="SA",
        columns={name: name for name in _SHARED_COLUMNS}
        | {
            name: name
            for name in ("invoked_at", "workflow_path", "duration_seconds", "workflow_step_id")
        },
        # The embedding encodes the query: it is private and no byte of it is asked for.
        ignored=frozenset({"id", "created_at", "embedding"}),
    ),
    Table(
        name="skill_invocations",
        variant="SB",
        columns={name: name for name in _SHARED_COLUMNS}
        | {"created_at": "invoked_at", "completed_at": "completed_at"},
        ignored=frozenset({"id"}),
    ),
)


def member_of(column: str, value: Any, notes: list[str]) -> Any:
    """A value of SQLite as the JSON decoder would hand it over."""
    if isinstance(value, str):
        if "\ufffd" in value:
            notes.append("invalid_encoding")
        if column in _JSON_COLUMNS:
            return _decoded(value)
        return {"0": False, "1": True}.get(value, value) if column == "completed" else value
    if isinstance(value, bytes):
        return Members()  # no field of ours is binary: flagged as of a wrong kind
    if column == "completed" and value in (0, 1):
        return bool(value)
    if column == "selection_rank" and isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of kind REAL makes 1.0 of 1
    return Number(repr(value))


def _decoded(text: str) -> Any:
    """The list that a JSON column holds; nothing where it holds nothing."""
    if text == "[]":
        return []  # nearly always
    if not text.strip():
        return None
    try:
        return Walker(text).value(Walker(text).skip_space(0))[0]
    except DocumentError:
        return text  # flagged as of a wrong kind


def say_utc(members: Members) -> None:
    """Both tables in one database are one file of one variant: the zone goes with the text."""
    for name in ("invoked_at", "completed_at"):
        text = members.get(name)
        if isinstance(text, str) and len(text) == len("YYYY-MM-DD HH:MM:SS"):
            members[name] = text + "Z"
