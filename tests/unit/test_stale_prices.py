"""What a call would cost today follows prices that begin between two runs, whatever ticks do."""

from datetime import UTC, datetime, timedelta

import pytest

from agentledger import fingerprints, ticks, warehouse
from agentledger.ingest import model_prices
from tests.unit.conftest import AS_OF, Ledger

BEGINS = AS_OF + timedelta(hours=1)


def fingerprint(ledger: Ledger, as_of: datetime) -> str:
    """What a run at an instant would call its prices, without writing anything."""
    with warehouse.open_warehouse(ledger.settings) as connection:
        connection.execute("begin transaction")
        found = model_prices.write(connection, (), run_id="run-next", as_of=as_of)
        connection.execute("rollback")
    return found


@pytest.fixture
def priced(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A ledger after one run, with a price that begins an hour after it."""
    ledger.project()
    ledger.collect()
    with warehouse.open_warehouse(ledger.settings) as connection:
        connection.execute(
            "insert into raw.model_prices values "
            "('p', 'm', 'standard', 'output', 0, 1, ?, null, 'test', '1')",
            [BEGINS],
        )
        built = fingerprints.context_of_warehouse(connection)
    monkeypatch.setattr(fingerprints, "context_of_published", lambda _: built)
    return ledger


def tick(ledger: Ledger, as_of: datetime) -> None:
    with warehouse.open_warehouse(ledger.settings) as connection:
        ticks.advance(ledger.settings, connection, run_id="tick", as_of=as_of)


def test_a_price_that_began_changes_the_fingerprint_of_the_next_run(priced: Ledger) -> None:
    before = fingerprint(priced, AS_OF + timedelta(minutes=5))
    after = fingerprint(priced, BEGINS)
    assert before != after
    assert before.partition(".")[0] == after.partition(".")[0]


def test_a_tick_past_the_beginning_of_a_price_does_not_hide_it(priced: Ledger) -> None:
    """The tempting change is to compare with `as_of`, one column less.

    A tick moves it past the beginning of the price, no later run finds the beginning, and
    `cost_today_usd` stays stale.
    """
    expected = fingerprint(priced, BEGINS + timedelta(hours=2))
    tick(priced, BEGINS + timedelta(hours=1))
    assert fingerprint(priced, BEGINS + timedelta(hours=2)) == expected
    [(as_of, judged_at)] = priced.rows("select as_of, prices_judged_at from raw.run_context")
    assert as_of.astimezone(UTC) == BEGINS + timedelta(hours=1)
    assert judged_at.astimezone(UTC) == AS_OF


def test_a_tick_of_the_past_makes_no_price_begin_again(priced: Ledger) -> None:
    """A replay moves `as_of` back over beginnings that were computed with long ago."""
    with warehouse.open_warehouse(priced.settings) as connection:
        connection.execute(
            "update raw.model_prices set valid_from = ?", [AS_OF - timedelta(days=3)]
        )
    expected = fingerprint(priced, AS_OF)
    tick(priced, AS_OF - timedelta(days=7))
    assert fingerprint(priced, AS_OF) == expected


def test_a_warehouse_of_an_earlier_version_goes_by_its_instant(priced: Ledger) -> None:
    with warehouse.open_warehouse(priced.settings) as connection:
        connection.execute("update raw.run_context set prices_judged_at = null")
    unchanged = fingerprint(priced, AS_OF)
    assert fingerprint(priced, BEGINS) != unchanged
