"""Intent marts against numbers worked out by hand, and what a refresh must survive.

Sixty events: 15 outcomes × denied or not × overridden or not, event n at n o'clock counted from
2026-03-01 00:00. The tables below were counted from that description, not from the models.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from tests.dbt.conftest import Warehouse
from tests.factories import Row
from tests.factories_events import make_chat, make_execution, make_intent

START = datetime(2026, 3, 1, tzinfo=UTC)
NIL = "00000000-0000-0000-0000-000000000000"
OUTCOMES = (
    "ready", "matched", "scope_resolved", "macro_expanded", "needs_clarification", "clarify_verb",
    "needs_user_input", "clarify_args", "scope_candidates", "no_match", "no_allowed_verbs",
    "direct_dsl_denied", "semantic_not_ready", "error", "strange",
)  # fmt: skip
WITH_A_VERB = {"ready", "matched", "macro_expanded", "needs_user_input", "clarify_args", "error"}
PUBLISHED = (
    "intent_daily", "intent_verbs_daily", "intent_denies_daily", "intent_args_daily",
    "intent_failure_modes_daily", "intent_override_events", "intent_denied_sessions",
    "intent_overrides_daily", "intent_by_prompt_version", "intent_confidence",
    "intent_repeat_utterances", "verb_boost_rules", "verb_alias_proposals",
    "v_intent_top_clarify_verbs", "v_intent_semreg_overrides", "v_intent_semreg_denies",
    "v_intent_arg_fill_failures", "v_intent_macro_denies", "v_intent_failure_modes",
)  # fmt: skip


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def sixty_events() -> list[Row]:
    """Every outcome, denied or not, overridden or not.

    cbu.create (0.70) comes first and cbu.delete (0.66) second; a denial takes cbu.delete off the
    list after policy; an override forces cbu.assign-role. Session k asks for outcome k; the last
    one is the nil UUID. `no_match` is asked four times in the same words.
    """
    events = []
    for n, (outcome, denied, overridden) in enumerate(product(OUTCOMES, (0, 1), (0, 1))):
        forced = "cbu.assign-role" if overridden else None
        pre = [["cbu.create", 0.70], ["cbu.delete", 0.66]]
        fields: dict[str, Any] = {
            "ts": at(n).isoformat(),
            "session_id": NIL if outcome == "strange" else f"s{n // 4}",
            "utterance_hash": "same words" if outcome == "no_match" else f"words {n}",
            "outcome": outcome,
            "verb_candidates_pre": pre,
            "verb_candidates_post": pre[:1] if denied else pre,
            "semreg_denied_verbs": ["cbu.delete", "cbu.delete"] if denied else [],
            "forced_verb_fqn": forced,
            "chosen_verb_fqn": (forced or "cbu.create") if outcome in WITH_A_VERB else None,
            "prompt_version": "v2" if n // 4 % 2 else None,
        }
        if outcome == "needs_user_input":
            fields["missing_args"] = ["name", "kind"]
        if outcome == "clarify_args":
            fields["missing_args"] = [] if overridden else None
        if outcome in ("macro_expanded", "error"):
            fields["macro_semreg_checked"] = "t"
        if outcome == "macro_expanded" and denied:
            fields["macro_denied_verbs"] = ["cbu.rename", "cbu.rename"]
        if outcome == "no_allowed_verbs" and denied:
            fields["error_code"] = "blocked"
        if outcome == "error":
            fields["error_code"] = "timeout"
        events.append(make_intent(f"e{n}", **fields))
    return events


def executions() -> list[Row]:
    """The four `ready` events, 0..3, ran: those that were overridden failed."""
    return [
        make_execution(
            f"x{n}", intent_event_id=f"e{n}", success="false" if n % 2 else "true", file_id=9
        )
        for n in range(4)
    ]


@pytest.fixture(scope="module")
def example(new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """The sixty events, built and tested once."""
    ledger = new_warehouse()
    ledger.register("p1")
    ledger.write("intent_events", sixty_events())
    ledger.write("intent_executions", executions())
    ledger.build("--selector", "intents")
    return ledger


def test_clarified_verbs(example: Warehouse) -> None:
    """Should divide 8 clarifications by the 48 events of cbu.create.

    Its events: 6 outcomes with a verb × 2 without override, and all 36 without a chosen verb.
    """
    assert example.rows(
        "select verb, clarify_count, event_count, clarify_rate, first_seen_at, last_seen_at "
        "from marts.v_intent_top_clarify_verbs"
    ) == [("cbu.create", 8, 48, pytest.approx(8 / 48), at(16), at(23))]


def test_overrides(example: Warehouse) -> None:
    """Should list 30 events, every second one, against 24 + 18 that settled on a verb."""
    assert example.rows(
        "select cast(date_diff('hour', timestamptz '2026-03-01 00:00+00', occurred_at) as int), "
        "chosen_verb, forced_verb, selection_source, semreg_mode "
        "from marts.v_intent_semreg_overrides order by 1"
    ) == [
        (
            n,
            "cbu.assign-role" if OUTCOMES[n // 4] in WITH_A_VERB else None,
            "cbu.assign-role",
            "discovery",
            "deny_all_or_unavailable" if OUTCOMES[n // 4] == "no_allowed_verbs" else "applied",
        )
        for n in range(1, 60, 2)
    ]
    assert example.rows(
        "select sum(override_count), sum(override_event_count) from marts.intent_daily"
    ) == [(30, 42)]


def test_denials(example: Warehouse) -> None:
    """Should count cbu.delete in 30 of 60 events and 14 sessions: the nil UUID is none."""
    columns = "denied_verb, deny_count, session_count, last_denied_at, event_count, deny_rate"
    assert example.rows(f"select {columns} from marts.v_intent_semreg_denies") == [
        ("cbu.delete", 30, 14, at(59), 60, 0.5)
    ]
    assert example.rows(f"select {columns} from marts.v_intent_macro_denies") == [
        ("cbu.rename", 2, 1, at(15), 8, 0.25)
    ]


def test_missing_arguments(example: Warehouse) -> None:
    """Should divide by success, clarify_args and error: 12 + 4 of cbu.create, 12 of the other."""
    assert example.rows(
        "select verb, missing_arg, failure_count, event_count, failure_rate, last_seen_at "
        "from marts.v_intent_arg_fill_failures order by all"
    ) == [
        ("cbu.assign-role", "kind", 2, 12, pytest.approx(2 / 12), at(27)),
        ("cbu.assign-role", "name", 2, 12, pytest.approx(2 / 12), at(27)),
        ("cbu.create", "(not logged)", 2, 16, 0.125, at(30)),
        ("cbu.create", "kind", 2, 16, 0.125, at(26)),
        ("cbu.create", "name", 2, 16, 0.125, at(26)),
    ]


def test_failure_modes(example: Warehouse) -> None:
    """Should keep the unknown outcome as a mode of its own, in the denominator too."""
    found = example.rows(
        "select outcome, error_code, event_count, share, outcome_class "
        "from marts.v_intent_failure_modes order by 1, 2"
    )
    expected = [
        ("clarify_args", "(none)", 8, "clarify_args"),
        ("clarify_scope", "(none)", 4, "clarify_scope"),
        ("clarify_verb", "(none)", 8, "clarify_verb"),
        ("direct_dsl_denied", "(none)", 4, "denied"),
        ("error", "timeout", 4, "error"),
        ("macro_expanded", "(none)", 4, "success"),
        ("matched", "(none)", 8, "success"),
        ("no_allowed_verbs", "(none)", 2, "denied"),
        ("no_allowed_verbs", "blocked", 2, "denied"),
        ("no_match", "(none)", 4, "no_match"),
        ("not_ready", "(none)", 4, "not_ready"),
        ("scope_resolved", "(none)", 4, "success"),
        ("unknown", "(none)", 4, "unmapped"),
    ]
    assert found == [(o, c, n, pytest.approx(n / 60), k) for o, c, n, k in expected]


def test_days_and_prompt_versions(example: Warehouse) -> None:
    """Should split 24, 24 and 12 events by day, and by the outcome's number, even or odd."""
    by_hand = Counter(((START + timedelta(hours=n)).date(), "v2" if n // 4 % 2 else "(unknown)")
                      for n in range(60))  # fmt: skip
    assert {
        row[:2]: row[2]
        for row in example.rows("select event_date, prompt_version, event_count "
                                "from marts.intent_daily")
    } == by_hand  # fmt: skip
    assert example.rows(
        "select sum(success_count), sum(friction_count), sum(failure_count), sum(unmapped_count), "
        "sum(deny_count), sum(forced_count), sum(sessionless_count), sum(scored_count), "
        "sum(low_confidence_count), sum(ambiguous_count) from marts.intent_daily"
    ) == [(16, 20, 20, 4, 30, 30, 4, 60, 0, 30)]


def test_an_unknown_execution_is_no_success(example: Warehouse) -> None:
    """Should know 4 executions, 2 of forced verbs, both failed; elsewhere the rate is null."""
    assert example.rows(
        "select event_date, prompt_version, execution_known_count, execution_failure_count, "
        "forced_execution_known_count, forced_execution_failure_count, execution_failure_rate "
        "from marts.intent_daily where execution_known_count > 0"
    ) == [(START.date(), "(unknown)", 4, 2, 2, 2, 0.5)]
    assert example.rows(
        "select count(*) from marts.intent_daily "
        "where execution_known_count = 0 and execution_failure_rate is not null"
    ) == [(0,)]


def test_the_same_words_again(example: Warehouse) -> None:
    """Should count three more asks of the one utterance that never matched."""
    assert example.rows(
        "select verb, first_outcome_class, repeat_count, utterance_count, session_count, "
        "success_count from marts.intent_repeat_utterances"
    ) == [("cbu.create", "no_match", 3, 1, 1, 0)]


def test_an_outcome_that_nobody_mapped_warns(example: Warehouse, dbt: Callable[..., Any]) -> None:
    """Should warn and not stop the build: the events are counted."""
    done = dbt(example.path, "test", "--select", "intent_failure_modes_daily__outcome__mapped")
    assert "WARN" in done.stdout


# ---- refreshes

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
