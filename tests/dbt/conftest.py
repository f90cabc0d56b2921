"""A warehouse whose raw layer is filled by hand, and ways to read its marts."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agentledger.warehouse import create_raw_schema
from tests import factories

PUBLISHED = (
    "skill_aggregates", "top_skills", "skill_effectiveness", "skill_insights",
    "dim_projects", "dim_skills",
)  # fmt: skip

SKILLS = ("group:skills", "dim_projects")
"""What a test of the skill marts looks at: the other subjects would only cost time."""


class Warehouse:
    """One warehouse file of a test; opened for a moment at a time, because dbt needs it too."""

    def __init__(self, path: Path, dbt: Callable[..., Any], build: Callable[..., None]) -> None:
        self.path = path
        self._dbt = dbt
        self._build = build
        with self.connect() as connection:
            create_raw_schema(connection)

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.path))
        connection.execute("set timezone = 'UTC'")
        return connection

    def execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql).fetchall()

    def write(self, table: str, rows: Iterable[factories.Row]) -> None:
        with self.connect() as connection:
            connection.execute("begin transaction")
            factories.write(connection, table, rows)
            connection.execute("commit")

    def register(self, *project_ids: str) -> None:
        """Two projects and their sources, and the context of a run."""
        self.write("projects", [factories.make_project(name) for name in project_ids])
        self.write(
            "sources",
            [factories.make_source(f"source-{name}", project_id=name) for name in project_ids],
        )
        self.write("run_context", [factories.make_run_context()])

    def run(self, *select: str) -> None:
        """Build models alone: a fifth of the time, for the steps on the way to a claim.

        Args:
            *select: What to build with all it is made from; the skill marts by default.
        """
        self._dbt(self.path, "run", "--select", *(f"+{name}" for name in select or SKILLS))

    def dbt(self, *arguments: str) -> None:
        """Run dbt with these arguments."""
        self._dbt(self.path, *arguments)

    def build(self, *arguments: str) -> None:
        """Build the models and test them."""
        self._build(self.path, *arguments)

    def aggregates(self, where: str = "true") -> dict[tuple[Any, ...], int]:
        """(window, project, skill, bucket) → total_invocations."""
        found = self.rows(
            "select time_window, project_id, skill_name, cast(bucket_start as varchar), "
            f"total_invocations from marts.skill_aggregates where {where}"
        )
        return {row[:4]: row[4] for row in found}

    def marts(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the published marts, in an order of their own."""
        with self.connect() as connection:
            return {
                name: connection.execute(f"select * from marts.{name} order by all").fetchall()
                for name in PUBLISHED
            }


@pytest.fixture(scope="session")
def new_warehouse(
    dbt: Callable[..., Any],
    dbt_build: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], Warehouse]:
    """Make an empty warehouse with its raw schema."""

    def make() -> Warehouse:
        return Warehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb", dbt, dbt_build)

    return make
