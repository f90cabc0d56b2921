"""What the intent marts must survive: slices in any order, copies, late versions, a rebuild."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.dbt.conftest import Warehouse
from tests.dbt.intent_rows import at, executions, sixty_events
from tests.factories import Row
from tests.factories_events import make_chat, make_execution, make_intent

PUBLISHED = (
    "intent_daily", "intent_verbs_daily", "intent_denies_daily", "intent_args_daily",
    "intent_failure_modes_daily", "intent_override_events", "intent_denied_sessions",
    "intent_overrides_daily", "intent_by_prompt_version", "intent_confidence",
    "intent_repeat_utterances", "verb_boost_rules", "verb_alias_proposals",
    "v_intent_top_clarify_verbs", "v_intent_semreg_overrides", "v_intent_semreg_denies",
    "v_intent_arg_fill_failures", "v_intent_macro_denies", "v_intent_failure_modes",
)  # fmt: skip
KNOWN_EXECUTIONS = (
    "select sum(execution_known_count), sum(execution_failure_count) from marts.intent_daily"
)


def later_rows() -> dict[str, list[Row]]:
    """What comes after the sixty events: copies, versions, runs, messages, shared commands."""
    sixty = sixty_events()
    copies = [row | {"file_id": 2, "source_id": "source-p2"} for row in sixty[:20]]
    # An unmapped version loses to the known outcome; a known one wins over the unmapped 56..59.
    versions = [make_intent(f"e{n}", outcome="odd", file_id=3) for n in range(20, 30)]
    versions += [
        make_intent(f"e{n}", ts=at(n - 48).isoformat(), outcome="no_match", file_id=3)
        for n in (58, 59)
    ]
    shared = [
        make_intent(f"d{n}", ts=at(100 + n).isoformat(), dsl_hash="command", file_id=4)
        for n in (0, 1)
    ]
    shared.append(make_intent("lonely", project_id="p2", source_id="source-p2", file_id=4))
    return {
        "copies": copies,
        "versions": versions,
        "shared": shared,
        "runs": [
            *executions(),
            make_execution("y0", ts=at(100).isoformat(), dsl_hash="command", file_id=9),
            make_execution(
                "y1", ts=at(102).isoformat(), dsl_hash="command", success="0", file_id=9
            ),
        ],
        "chat": [
            make_chat("c0", intent_event_id="e0", file_id=10),
            make_chat("c0", intent_event_id="e0", file_id=11),
            make_chat("c1", intent_event_id="never seen", file_id=10),
        ],
    }


def write_slice(ledger: Warehouse, load_seq: int, **tables: list[Row]) -> None:
    for table, rows in tables.items():
        ledger.write(table, [row | {"load_seq": load_seq} for row in rows])
    ledger.dbt("run", "--selector", "intents")


def marts(ledger: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the published marts and the facts, without what follows from load order."""
    found = {}
    for name in (*PUBLISHED, "fct_intent_events", "fct_chat_messages"):
        columns = ledger.rows(
            f"select column_name from duckdb_columns() where table_name = '{name}' "
            "and schema_name = 'marts' and column_name <> 'load_seq'"
        )
        listed = ", ".join(f'"{column}"' for (column,) in columns)
        found[name] = ledger.rows(f"select {listed} from marts.{name} order by all")
    return found


@pytest.fixture(scope="module")
def life(new_warehouse: Callable[[], Warehouse]) -> dict[str, Any]:
    """An empty build, slices, nothing new, everything at once; and the slices the other way."""
    later = later_rows()
    ledger, other = new_warehouse(), new_warehouse()
    ledger.dbt("run", "--selector", "intents")
    states: dict[str, Any] = {"empty": marts(ledger)}
    for warehouse in (ledger, other):
        warehouse.register("p1", "p2")
    write_slice(ledger, 1, intent_events=sixty_events())
    states["events"] = marts(ledger)
    new_events = later["copies"] + later["shared"] + later["versions"]
    write_slice(ledger, 2, intent_events=new_events)
    states["known before"] = ledger.rows(KNOWN_EXECUTIONS)
    write_slice(ledger, 3, intent_executions=later["runs"], chat_events=later["chat"])
    states["known after"] = ledger.rows(KNOWN_EXECUTIONS)
    states["slices"] = marts(ledger)
    states["dropped"] = ledger.rows(
        "select drop_reason, count(*) from intermediate.int_intent_events__versioned "
        "group by all order by all"
    )
    ledger.dbt("run", "--selector", "intents")
    states["nothing new"] = marts(ledger)
    ledger.build("--selector", "intents", "--full-refresh")
    states["full refresh"] = marts(ledger)
    write_slice(other, 1, intent_executions=later["runs"], chat_events=later["chat"])
    write_slice(other, 2, intent_events=later["versions"] + later["shared"][1:])
    rest = later["shared"][:1] + list(reversed(sixty_events())) + later["copies"]
    write_slice(other, 3, intent_events=rest)
    states["other order"] = marts(other)
    ledger.execute("update raw.projects set is_active = false where project_id = 'p2'")
    ledger.execute("update raw.run_context set projects_fingerprint = 'projects-2'")
    ledger.dbt("run", "--selector", "intents")
    states["without p2"] = marts(ledger)
    return states


def n_events(state: dict[str, Any]) -> int:
    return sum(row[2] for row in state["v_intent_failure_modes"])


@pytest.mark.slow
@pytest.mark.rebuilds
def test_an_empty_warehouse_builds_and_then_fills(life: dict[str, Any]) -> None:
    """Should have no rows at first, and the sixty events after them."""
    assert {name for name, rows in life["empty"].items() if rows} == set()
    assert n_events(life["events"]) == 60


@pytest.mark.parametrize("state", ["nothing new", "full refresh", "other order"])
@pytest.mark.slow
@pytest.mark.rebuilds
def test_slices_in_any_order_give_the_same_marts(life: dict[str, Any], state: str) -> None:
    """Should agree row for row with the slices in order."""
    differing = [name for name in life["slices"] if life[state][name] != life["slices"][name]]
    assert differing == []


@pytest.mark.slow
@pytest.mark.rebuilds
def test_copies_count_once_and_say_why(life: dict[str, Any]) -> None:
    """Should drop 20 copies of the other source and 12 versions, and keep 60 + 3 events."""
    assert n_events(life["slices"]) == 63
    assert sorted(life["dropped"], key=str) == sorted(
        [("snapshot_copy", 20), ("superseded_version", 12), (None, 63)], key=str
    )


@pytest.mark.slow
@pytest.mark.rebuilds
def test_a_late_version_moves_its_event(life: dict[str, Any]) -> None:
    """Should move two unmapped events of 3 March to 1 March, where they count as no_match."""
    modes = {row[0]: row[2] for row in life["slices"]["v_intent_failure_modes"]}
    assert (modes["unknown"], modes["no_match"]) == (2, 6)
    days = Counter()
    for row in life["slices"]["intent_daily"]:
        days[str(row[0])] += row[2]
    assert days == {
        "2026-03-01": 26, "2026-03-02": 25, "2026-03-03": 10, "2026-03-05": 2,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.rebuilds
def test_a_late_execution_updates_its_intent(life: dict[str, Any]) -> None:
    """Should know nothing before, and 4 + 2 executions of 6 intents after."""
    assert (life["known before"], life["known after"]) == ([(0, 0)], [(6, 3)])


@pytest.mark.slow
@pytest.mark.rebuilds
def test_messages_find_their_intent(life: dict[str, Any]) -> None:
    """Should keep one of two copies, linked, and a message whose intent is not here."""
    assert Counter(row[9] for row in life["slices"]["fct_chat_messages"]) == {True: 1, False: 1}


@pytest.mark.slow
@pytest.mark.rebuilds
def test_a_deactivated_project_leaves_every_mart(life: dict[str, Any]) -> None:
    """Should lose the event of p2 without a new row of raw."""
    assert n_events(life["without p2"]) == 62
    assert len(life["without p2"]["fct_intent_events"]) == 63
