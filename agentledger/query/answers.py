"""What a question to the snapshot gives back, and how it leaves Python.

Belongs here: rows with their column types, as JSON-safe dicts or as a pandas DataFrame. Does not
belong here: which rows (`skill_marts.py`, `sql.py`), how they look on a terminal (`cli/`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from agentledger.snapshot import Build, Snapshot, SnapshotUnreadableError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# DuckDB type → pandas type that can hold a missing value without turning counts into floats.
_FRAME_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "Int64",
    "SMALLINT": "Int64",
    "INTEGER": "Int64",
    "BIGINT": "Int64",
    "UBIGINT": "UInt64",
    "FLOAT": "float64",
    "DOUBLE": "float64",
    "TIMESTAMP WITH TIME ZONE": "datetime64[us, UTC]",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of one question, with the build that they come from."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    build: Build

    def records(self) -> list[dict[str, Any]]:
        """The rows as dicts that `json.dumps` takes: ISO-8601 UTC instants, None for unknown."""
        return [dict(zip(self.columns, map(json_value, row), strict=True)) for row in self.rows]

    def frame(self) -> "pd.DataFrame":
        """The rows as a DataFrame; `attrs` names the build and its `as_of`."""
        import pandas as pd

        frame = pd.DataFrame(
            {
                # Numbered, because SQL may give two columns one name.
                position: _series(kind, [row[position] for row in self.rows])
                for position, kind in enumerate(self.types)
            },
            index=pd.RangeIndex(len(self.rows)),
        )
        frame.columns = list(self.columns)
        frame.attrs = {
            "build_id": self.build.build_id,
            "as_of": json_value(self.build.as_of),
        }
        return frame


def read_answer(snapshot: Snapshot, sql: str, values: Sequence[Any] = ()) -> Answer:
    """Put one question whose values are bound, never written into the SQL.

    Raises:
        SnapshotUnreadableError: When the snapshot lacks what the question reads.
    """
    from agentledger import engine

    try:
        cursor = snapshot.connection.execute(sql, list(values))
        columns, types = describe(cursor)
        return Answer(columns, types, cursor.fetchall(), snapshot.build)
    except engine.Error as error:
        raise SnapshotUnreadableError(
            f"The snapshot {snapshot.path} cannot answer this: {str(error).splitlines()[0]} "
            "Type `agentledger run --full-refresh` to publish anew."
        ) from error


def describe(cursor: "duckdb.DuckDBPyConnection") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and DuckDB types of the columns of a result."""
    described = cursor.description or []
    return tuple(str(item[0]) for item in described), tuple(str(item[1]) for item in described)


def json_value(value: Any) -> Any:
    """Turn a value from DuckDB into one that JSON has; NaN and infinities become None."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return json_value(float(value))
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [json_value(item) for item in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return str(value)


def instant_text(value: datetime) -> str:
    """ISO-8601 with Z; a timestamp without zone is UTC in every mart."""
    zoned = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return zoned.isoformat().replace("+00:00", "Z")


def _series(kind: str, values: list[Any]) -> "pd.Series":
    import pandas as pd

    if kind == "TIMESTAMP WITH TIME ZONE":
        # The zone of DuckDB's values is pytz's; the frame's is UTC itself, on every pandas.
        values = [None if value is None else value.astimezone(UTC) for value in values]
    return pd.Series(values, dtype=_FRAME_TYPES.get(kind, "object"))
