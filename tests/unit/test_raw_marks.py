"""Marks of raw tables: what counts as a change, and what every run writes without one."""

from pathlib import Path

import duckdb
import pytest

from agentledger import raw_marks
from tests import factories


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """An empty warehouse."""
    connection = factories.new_raw(tmp_path)
    factories.write(connection, "projects", [factories.make_project()])
    return connection


def changed_by(connection: duckdb.DuckDBPyConnection, *statements: str) -> frozenset[str] | None:
    """Tables that differ after some statements from what a build saw before them."""
    raw_marks.remember(connection, raw_marks.read_marks(connection))
    for statement in statements:
        connection.execute(statement)
    return raw_marks.changed_tables(connection, raw_marks.read_marks(connection))


def test_before_the_first_build_nothing_is_known(connection: duckdb.DuckDBPyConnection) -> None:
    """Taken for "nothing changed", a warehouse of an older version would never be built."""
    assert raw_marks.changed_tables(connection, raw_marks.read_marks(connection)) is None


def test_what_every_run_writes_is_no_change(connection: duckdb.DuckDBPyConnection) -> None:
    """Each run stamps projects and its own context: they would drag all models along."""
    assert (
        changed_by(
            connection,
            "update raw.projects set last_seen_at = last_seen_at + interval 1 hour",
            "update raw.run_context set run_id = 'run-2', load_seq = load_seq + 1, "
            "as_of = as_of + interval 1 hour, "
            "prices_judged_at = prices_judged_at + interval 1 hour, collected_by = 'run-2'",
        )
        == frozenset()
    )


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("update raw.projects set is_active = false", "projects"),
        ("update raw.projects set project_name = 'another'", "projects"),
        ("update raw.run_context set projects_fingerprint = 'p2'", "run_context"),
        ("update raw.run_context set prices_fingerprint = 'new'", "run_context"),
        ("delete from raw.projects", "projects"),
        (
            "insert into raw.priced_models values ('p', 'm', 'standard', null, null)",
            "priced_models",
        ),
    ],
)
def test_what_models_can_see_is_a_change(
    connection: duckdb.DuckDBPyConnection, statement: str, table: str
) -> None:
    """In place, too: the number of rows tells nothing of a changed name."""
    assert changed_by(connection, statement) == {table}


def test_a_row_that_replaces_another_is_a_change(connection: duckdb.DuckDBPyConnection) -> None:
    """As many rows as before, of a later load: a file that was read anew after a purge."""
    factories.write(connection, "skill_usage", [factories.make_usage(load_seq=1)])
    assert changed_by(
        connection, "delete from raw.skill_usage", "update raw.projects set zone = zone"
    ) == {"skill_usage"}
    factories.write(connection, "skill_usage", [factories.make_usage(load_seq=1)])
    assert changed_by(connection, "update raw.skill_usage set load_seq = 2") == {"skill_usage"}


def test_a_forgotten_build_is_trusted_no_more(connection: duckdb.DuckDBPyConnection) -> None:
    """A full refresh that was killed leaves models of two builds behind."""
    raw_marks.remember(connection, raw_marks.read_marks(connection))
    raw_marks.forget(connection)
    assert raw_marks.changed_tables(connection, raw_marks.read_marks(connection)) is None
