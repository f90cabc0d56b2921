"""Intent marts against numbers worked out by hand.

The tables below were counted from the description of the sixty events, not from the models.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.dbt.conftest import Warehouse
from tests.dbt.intent_rows import OUTCOMES, START, WITH_A_VERB, at, executions, sixty_events


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
