"""The models over rows of a server are those over the lines of its own export."""

from pathlib import Path
from typing import Any

import pytest

from tests.postgres.conftest import INTENTS, Ledger
from tests.postgres.test_postgres_values import _as_log

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

# What names the place a row came from differs by design; so do keys that hold its project.
OF_THE_PLACE = (
    "_key", "project", "source", "file_id", "load_seq", "line_no", "byte_offset", "ingested",
    "run_id",
)  # fmt: skip
MARTS = ("fct_intent_events", "intent_daily", "intent_confidence")


def test_the_marts_are_the_same_as_of_the_same_rows_in_a_log(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.make("intent_events", INTENTS)
    ledger.add("intent_events")
    ledger.server.sql(
        f"insert into {ledger.sql('intent_events')} (event_id, ts, session_id, actor_id, "
        "entrypoint, utterance_hash, outcome, verb_candidates_pre, missing_args, "
        "macro_semreg_checked) select md5(n::text)::uuid, "
        "'2026-11-01T00:00:00Z'::timestamptz + n * interval '97.31 s', md5((n / 4)::text)::uuid, "
        "'actor ' || n % 9, 'chat', md5('u' || n % 50), "
        "(array['ready', 'no_match', 'needs_clarification', 'odd'])[n % 4 + 1], "
        "jsonb_build_array(jsonb_build_array('a.b', n % 10 / 10.0), jsonb_build_array('c', 0.1)), "
        "case when n % 3 = 0 then array['role'] end, n % 2 = 0 from generate_series(1, 600) as n"
    )
    _run(ledger)
    other = _as_log(ledger, "intent_events", tmp_path / "logs")
    _run(other)
    for mart in MARTS:
        found, wanted = _content(ledger, mart), _content(other, mart)
        assert found, mart
        assert found == wanted, mart


def _content(ledger: Ledger, mart: str) -> list[tuple[Any, ...]]:
    columns = [
        name
        for name in ledger.values(
            "select column_name from duckdb_columns() "
            f"where schema_name = 'marts' and table_name = '{mart}'"
        )
        if not any(part in name for part in OF_THE_PLACE)
    ]
    assert len(columns) > 3
    # The rows of all projects together stand beside those of each: both are compared.
    return sorted(ledger.rows(f"select {', '.join(columns)} from marts.{mart}"), key=repr)


def _run(ledger: Ledger) -> None:
    process = ledger.call("run", environment={"AGENTLEDGER_AS_OF": "2026-11-02T00:00:00Z"})
    assert process.returncode == 0, process.stdout + process.stderr
