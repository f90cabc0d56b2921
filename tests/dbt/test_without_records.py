"""A ledger that knows projects, sources, files and prices, and not one record."""

from collections.abc import Callable
from typing import Any

import pytest

from agentledger.event_time import EVENT_TIME_COLUMNS
from agentledger.raw_tables import RAW_TABLES
from orchestration.affected import ROWS_WITHOUT_RECORDS, extent_of_all
from tests.dbt.conftest import Warehouse

VALUES = {
    "VARCHAR": "'x'", "BIGINT": "1", "INTEGER": "1", "DOUBLE": "1.0", "BOOLEAN": "true",
    "TIMESTAMP WITH TIME ZONE": "timestamptz '2026-03-10 12:00:00+00'", "DATE": "date '2026-03-10'",
    "UUID": "'00000000-0000-0000-0000-000000000001'", "DECIMAL(20,15)": "0.000001",
}  # fmt: skip
"""A value of each type; the same everywhere, so that every join finds its partner."""


@pytest.fixture(scope="module")
def ledger(new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """One row in each table that holds no records, and all models built from them."""
    warehouse = new_warehouse()
    with warehouse.connect() as connection:
        for table in RAW_TABLES.keys() - EVENT_TIME_COLUMNS.keys():
            columns = connection.execute(
                "select column_name, data_type from information_schema.columns "
                "where table_schema = 'raw' and table_name = ?",
                [table],
            ).fetchall()
            values = ", ".join(
                "'UTC'" if name == "zone" else VALUES[kind] for name, kind in columns
            )
            names = ", ".join(name for name, _ in columns)
            connection.execute(f"insert into raw.{table} ({names}) values ({values})")
    warehouse.dbt("run")
    return warehouse


def test_models_say_whether_they_have_rows_without_records(
    ledger: Warehouse, manifest: dict[str, Any]
) -> None:
    """A run leaves a model alone while all its records are missing: wrong if it has rows then."""
    sources, above = manifest["sources"], manifest["parent_map"]

    def reads_records(key: str) -> bool:
        if key in sources:
            return sources[key]["name"] in EVENT_TIME_COLUMNS
        return any(reads_records(parent) for parent in above.get(key, ()))

    found, declared = set(), set()
    for key, props in manifest["nodes"].items():
        if props["resource_type"] != "model" or not reads_records(key):
            continue
        relation = f'"{props["schema"]}"."{props["name"]}"'
        if ledger.rows(f"select exists (select 1 from {relation})") == [(True,)]:
            found.add(props["name"])
        if props["config"]["meta"].get(ROWS_WITHOUT_RECORDS):
            declared.add(props["name"])
    assert found == declared


def test_what_a_first_build_does_not_test_could_not_have_failed(
    ledger: Warehouse, manifest: dict[str, Any]
) -> None:
    """The tests that a run leaves out where no record is: here, where none is, all of them pass."""
    untested = extent_of_all(manifest, RAW_TABLES.keys() - EVENT_TIME_COLUMNS.keys()).untested
    assert len(untested) > len(EVENT_TIME_COLUMNS)
    ledger.dbt("test", "--select", *untested)
