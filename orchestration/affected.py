"""Which models can be different from what they were at the last build.

Belongs here: following changed raw tables and the clock down the graph of the manifest (pure). Does
not belong here: whether a table changed (`agentledger/raw_marks.py`), building (`assets/dbt.py`).

A model is made of the rows of its sources, of what it depends on besides them, and of the instant
of the run. The graph knows all three: the clock is the model `stg_ledger__run_context`, and whoever
does not depend on it gives the same rows at any instant.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from agentledger.event_time import EVENT_TIME_COLUMNS

CLOCK = "stg_ledger__run_context"
"""The model that holds the instant of the run: different in each."""


ROWS_WITHOUT_RECORDS = "rows_without_records"
"""Model `meta`: it reads tables of records, and has rows although they are all empty."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a run builds, and what it leaves as it is."""

    selectors: list[str] | None
    """What `dbt build --select` takes: names of models, and sources to test; None = all that was
    asked for."""
    kept: frozenset[str]
    """Ids in the manifest of the models that cannot have changed."""
    empty: frozenset[str] = frozenset()
    """Ids of the models that are built and get no row, because no record is of their kind."""
    untested: tuple[str, ...] = ()
    """Names of the tests that look at nothing but such models and tables."""


EVERYTHING = Extent(None, frozenset())


def extent_of_all(manifest: Mapping[str, Any], filled: Set[str]) -> Extent:
    """Build every model, and leave out the tests that have no row to look at.

    Args:
        manifest: dbt's.
        filled: Raw tables that have rows.
    """
    graph = _Graph(manifest, frozenset(), filled)
    empty = frozenset(key for key in graph.models if graph.is_idle(key))
    without_rows = empty | graph.empty_tables()
    untested = (
        props["name"]
        for key, props in manifest["nodes"].items()
        if props["resource_type"] == "test"
        and manifest["parent_map"][key]
        and without_rows.issuperset(manifest["parent_map"][key])
    )
    return Extent(None, frozenset(), empty, tuple(sorted(untested)))


def extent_of(manifest: Mapping[str, Any], changed: Set[str], filled: Set[str]) -> Extent:
    """Judge every model.

    Args:
        manifest: dbt's.
        changed: Raw tables that changed since the last complete build.
        filled: Raw tables that have rows.
    """
    graph = _Graph(manifest, changed, filled)
    tables = sorted(changed & set(graph.tables.values()))
    built = [props["name"] for key, props in graph.models.items() if graph.is_affected(key)]
    kept = frozenset(key for key in graph.models if not graph.is_affected(key))
    return Extent([*sorted(built), *(f"source:raw.{table}" for table in tables)], kept)


class _Graph:
    """The manifest's graph, with what was found out about each node."""

    def __init__(self, manifest: Mapping[str, Any], changed: Set[str], filled: Set[str]) -> None:
        self.tables = {key: props["name"] for key, props in manifest["sources"].items()}
        self.models = {
            key: props
            for key, props in manifest["nodes"].items()
            if props["resource_type"] == "model"
        }
        self._above: Mapping[str, list[str]] = manifest["parent_map"]
        self._changed = changed
        self._alive = changed | filled
        self._records: dict[str, frozenset[str]] = {}
        self._affected: dict[str, bool] = {}

    def is_affected(self, key: str) -> bool:
        """Whether a source changed, or a model can have."""
        if key not in self._affected:
            self._affected[key] = (
                self.tables[key] in self._changed
                if key in self.tables
                else key in self.models and self._is_model_affected(key)
            )
        return self._affected[key]

    def _is_model_affected(self, key: str) -> bool:
        moves = self.models[key]["name"] == CLOCK or any(map(self.is_affected, self._above[key]))
        return moves and not self.is_idle(key)

    def empty_tables(self) -> frozenset[str]:
        """Ids of the tables of records that have no row."""
        return frozenset(
            key
            for key, name in self.tables.items()
            if name in EVENT_TIME_COLUMNS and name not in self._alive
        )

    def is_idle(self, key: str) -> bool:
        """Whether all records that a model could tell of are missing, now as at the last build.

        The clock, files and projects alone give it no row then, unless its YAML says that they do.
        """
        if self.models[key]["config"]["meta"].get(ROWS_WITHOUT_RECORDS):
            return False
        above = self._record_tables(key)
        return bool(above) and not above & self._alive

    def _record_tables(self, key: str) -> frozenset[str]:
        if key not in self._records:
            own = {self.tables[key]} & EVENT_TIME_COLUMNS.keys() if key in self.tables else set()
            above = (self._record_tables(parent) for parent in self._above.get(key, ()))
            self._records[key] = frozenset(own).union(*above)
        return self._records[key]
