"""First rows of a relation, for the Dagster UI.

Belongs here: row counts and previews of public columns, and what they may cost a run. Does not
belong here: which columns are public (`meta.privacy` in the dbt YAML), what is published.
"""

import re
import threading
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

PREVIEW_ROWS = 5

PREVIEW_SECONDS = 1.0
"""What all previews of a run may take together. A table answers in a millisecond; a view is
computed whole for its first row, and on a large ledger that is not worth anybody's wait."""

PREVIEW_KEY = "preview (public columns)"

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#|!~&:])")
"""Punctuation that markdown may read as more than itself; a colon makes an address a link."""


class PreviewBudget:
    """The time that the previews of one run share."""

    def __init__(self, seconds: float = PREVIEW_SECONDS) -> None:
        self._left = seconds

    def fetch(self, connection: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame | None:
        """Run a query while time is left; None when it is used up. Values stay Python's own."""
        if self._left <= 0:
            return None
        started = time.monotonic()
        alarm = threading.Timer(self._left, connection.interrupt)
        alarm.start()
        try:
            rows = connection.execute(sql).fetchall()
            names = [column[0] for column in connection.description or []]
            return pd.DataFrame(rows, columns=pd.Index(names), dtype=object)
        except duckdb.InterruptException:
            return None
        finally:
            alarm.cancel()
            self._left -= time.monotonic() - started


def relation_metadata(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    budget: PreviewBudget,
) -> dict[str, Any]:
    """Row count and first rows of a relation; empty when no time is left.

    Args:
        connection: The warehouse.
        relation: Its quoted name, schema included.
        columns: Public columns, the only ones that are shown.
        budget: What the previews of this run may still take.
    """
    metadata: dict[str, Any] = {}
    counted = budget.fetch(connection, f"select count(*) as n from {relation}")
    if counted is not None:
        metadata["dagster/row_count"] = dg.IntMetadataValue(int(counted["n"].iloc[0]))
    if columns:
        names = ", ".join(f'"{column}"' for column in columns)
        rows = budget.fetch(connection, f"select {names} from {relation} limit {PREVIEW_ROWS}")
        if rows is not None:
            metadata[PREVIEW_KEY] = dg.MetadataValue.md(as_markdown(rows))
    return metadata


def as_markdown(frame: pd.DataFrame) -> str:
    """A frame as a markdown table whose cells are text and nothing else.

    What stands in a cell comes from files of others: as markdown, a skill called `![](http://…)`
    would make the reader's browser ask that address.
    """
    if frame.empty:
        return "no rows"
    return frame.astype(object).map(_as_cell).to_markdown(index=False, disable_numparse=True) or ""


def _as_cell(value: object) -> str:
    missing = value is None or value is pd.NA or value != value  # noqa: PLR0124 - NaN alone
    if missing:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return _MARKUP.sub(r"\\\1", text.replace("\n", " "))
