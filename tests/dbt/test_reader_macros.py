"""The functions of rates that readers call are the models' own, and survive publishing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from agentledger import publish, warehouse
from agentledger.publish import PublishedRelation
from agentledger.settings import Settings
from tests import factories

AS_OF = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def snapshot(
    dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A published snapshot, opened alone: the functions come with it."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), host_zone="UTC")
    warehouse.prepare_home(settings)
    with warehouse.open_warehouse(settings) as connection:
        factories.write(connection, "run_context", [factories.make_run_context()])
    dbt(settings.warehouse_path, "run", "--select", "stg_ledger__run_context")
    with warehouse.open_warehouse(settings) as connection:
        connection.execute("create table marts.anything as select 1 as one")
    anything = PublishedRelation("marts", "anything", "table")
    report = publish.publish(settings, [anything], run_id="run-1", as_of=AS_OF)
    with duckdb.connect(str(report.path), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("successes", "trials", "rate", "low", "high"),
    [
        (1, 1, 1.0, 0.2065, 1.0),
        (0, 10, 0.0, 0.0, 0.2775),
        (9, 10, 0.9, 0.5958, 0.9821),
        (45, 50, 0.9, 0.7864, 0.9565),
        (34, 34, 1.0, 0.8985, 1.0),
        (35, 35, 1.0, 0.9011, 1.0),
        (2, 4, 0.5, 0.1500, 0.8500),
        (0, 0, None, None, None),
    ],
)
def test_rates_are_those_of_the_worked_examples(
    snapshot: duckdb.DuckDBPyConnection,
    successes: int,
    trials: int,
    rate: float | None,
    low: float | None,
    high: float | None,
) -> None:
    """Analyses 0.3 and F: a reader of a period gets the interval that a mart would hold."""
    found = snapshot.execute(
        "select marts.rate($1, $2), marts.rate_low($1, $2), marts.rate_high($1, $2)",
        [successes, trials],
    ).fetchone()
    assert (
        found == (None,) * 3
        if rate is None
        else found == pytest.approx((rate, low, high), abs=5e-5)
    )


@pytest.mark.parametrize(
    ("trials", "evidence"),
    [(0, "insufficient_data"), (19, "insufficient_data"), (20, "sufficient")],
)
def test_evidence_needs_twenty_events(
    snapshot: duckdb.DuckDBPyConnection, trials: int, evidence: str
) -> None:
    assert snapshot.execute("select marts.rate_evidence(?)", [trials]).fetchone() == (evidence,)


@pytest.mark.parametrize(
    ("counts", "difference", "change"),
    [
        ((160, 200, 174, 200), (0.0700, -0.0030, 0.1427), "no_clear_change"),
        ((320, 400, 360, 400), (0.1000, 0.0508, 0.1492), "up"),
        ((360, 400, 320, 400), (-0.1000, -0.1492, -0.0508), "down"),
        ((10, 19, 10, 20), None, "insufficient_data"),
        ((0, 0, 10, 20), None, "no_data"),
        ((None, None, 10, 20), None, "no_data"),
    ],
)
def test_a_change_needs_an_interval_without_zero(
    snapshot: duckdb.DuckDBPyConnection,
    counts: tuple[int | None, ...],
    difference: tuple[float, float, float] | None,
    change: str,
) -> None:
    """Analyses I3 (first row, and look 3 of I4): Newcombe's interval of second minus first."""
    *found, said = (
        snapshot.execute(
            "select marts.rate_difference($1, $2, $3, $4), "
            "marts.rate_difference_low($1, $2, $3, $4), "
            "marts.rate_difference_high($1, $2, $3, $4), marts.rate_change($1, $2, $3, $4)",
            list(counts),
        ).fetchone()
        or ()
    )
    assert said == change
    if difference is not None:
        assert found == pytest.approx(difference, abs=5e-5)
