"""Questions about intents, answered from a snapshot of the real models: worked example of F."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agentledger import publish, query, warehouse
from agentledger.cli.main import main
from agentledger.errors import UsageError
from agentledger.query import intents
from agentledger.query.scope import UnknownNameError
from agentledger.settings import HOME_VARIABLE, Settings
from orchestration.dbt_project import published_relations
from tests import factories
from tests.factories_events import make_intent

AS_OF = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, BEFORE = "2026-03-09T10:00:00Z", "2026-03-03T10:00:00Z"
CREATE, ASSIGN, DELETE = "cbu.create", "cbu.assign-role", "cbu.delete"


def ranked(*pairs: tuple[str, float]) -> dict[str, Any]:
    """Candidates that policy left as they were."""
    listed = [list(pair) for pair in pairs]
    return {"verb_candidates_pre": listed, "verb_candidates_post": listed}


# analyses F, the eight events; then two of an older prompt a week before.
EVENTS: tuple[dict[str, Any], ...] = (
    {**ranked((CREATE, 0.72), ("x", 0.60)), "chosen_verb_fqn": CREATE},
    {
        **ranked((CREATE, 0.70), ("x", 0.65)),
        "chosen_verb_fqn": CREATE,
        "outcome": "needs_clarification",
    },
    {
        **ranked((CREATE, 0.68), ("x", 0.66)),
        "chosen_verb_fqn": CREATE,
        "outcome": "needs_clarification",
    },
    {
        **ranked((DELETE, 0.80)),
        "verb_candidates_post": None,
        "semreg_denied_verbs": [DELETE],
        "outcome": "no_allowed_verbs",
    },
    {
        **ranked((CREATE, 0.66), ("x", 0.64)),
        "chosen_verb_fqn": ASSIGN,
        "forced_verb_fqn": ASSIGN,
    },
    {**ranked(("case.open", 0.41), ("x", 0.30)), "outcome": "no_match"},
    {
        **ranked((CREATE, 0.75), ("x", 0.50)),
        "chosen_verb_fqn": CREATE,
        "outcome": "needs_user_input",
        "missing_args": ["name", "kind"],
    },
    {**ranked((ASSIGN, 0.50), ("x", 0.30)), "chosen_verb_fqn": ASSIGN},
)
OLDER: tuple[dict[str, Any], ...] = (
    {"chosen_verb_fqn": CREATE, "outcome": "needs_clarification"},
    {"chosen_verb_fqn": "case.open", "outcome": "ready"},
)


@pytest.fixture(scope="module")
def settings(
    dbt: Callable[..., Any],
    manifest: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """A data home whose snapshot holds the marts of intents and no others."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), host_zone="UTC")
    warehouse.prepare_home(settings)
    rows = [
        make_intent(f"f-{n}", ts=DAY, prompt_version="new", session_id=f"s-{n}", **event)
        for n, event in enumerate(EVENTS)
    ] + [
        make_intent(f"o-{n}", ts=BEFORE, session_id="s-old", **event)
        for n, event in enumerate(OLDER)
    ]
    with warehouse.open_warehouse(settings) as connection:
        connection.execute("begin transaction")
        factories.write(connection, "projects", [factories.make_project("p1")])
        factories.write(connection, "sources", [factories.make_source("source-p1")])
        factories.write(connection, "run_context", [factories.make_run_context()])
        factories.write(connection, "intent_events", rows)
        connection.execute("commit")
    dbt(settings.warehouse_path, "run", "--select", "+marts.intents")
    relations = [
        r for r in published_relations(manifest) if "intent" in r.name or "verb_" in r.name
    ]
    publish.publish(settings, relations, run_id="run-1", as_of=AS_OF)
    return settings


def rows(answer: intents.Answer, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(record[name] for name in columns) for record in answer.records()]


def test_a_period_gives_the_rates_of_the_worked_example(settings: Settings) -> None:
    """Should sum the days and take rate, interval and evidence from the models' functions."""
    only = {"since": "2026-03-09", "min_count": 1, "settings": settings}
    found = intents.clarify_verbs(**only)
    (row,) = found.records()
    assert (row["verb"], row["clarify_count"], row["event_count"]) == (CREATE, 2, 4)
    assert (row["clarify_rate"], row["clarify_rate_low"], row["clarify_rate_high"]) == (
        pytest.approx(0.5),
        pytest.approx(0.1500, abs=5e-5),
        pytest.approx(0.8500, abs=5e-5),
    )
    assert row["evidence"] == "insufficient_data"
    counts = ("override_count", "event_count")
    assert rows(intents.overrides(**only), "pre_choice", "forced_verb", *counts) == [
        (CREATE, ASSIGN, 1, 6)
    ]
    assert rows(intents.denies(**only), "denied_verb", "deny_count", "event_count") == [
        (DELETE, 1, 1)
    ]
    arguments = ("verb", "missing_arg", "failure_count", "event_count")
    assert rows(intents.arg_failures(**only), *arguments) == [
        (CREATE, "kind", 1, 2),
        (CREATE, "name", 1, 2),
    ]
    assert intents.macro_denies(**only).rows == []
    modes = ("outcome", "event_count", "total_count", "share")
    assert rows(intents.failure_modes(**only), *modes) == [
        ("matched", 3, 8, 0.375),
        ("clarify_verb", 2, 8, 0.25),
        ("clarify_args", 1, 8, 0.125),
        ("no_allowed_verbs", 1, 8, 0.125),
        ("no_match", 1, 8, 0.125),
    ]


def test_everything_is_the_view_and_equals_a_period_that_covers_all(settings: Settings) -> None:
    """The tempting change is a second formula for totals: it would drift from the view."""
    for name in ("clarify", "denies", "arg-failures", "failure-modes", "overrides"):
        total = intents.ask(name, min_count=1, settings=settings)
        days = intents.ask(name, since="2026-01-01", min_count=1, settings=settings)
        shared = [c for c in days.columns if c in total.columns and c != "session_count"]
        assert rows(total, *shared) == rows(days, *shared), name
    assert rows(intents.clarify_verbs(settings=settings), "clarify_count", "event_count") == [
        (3, 5)
    ]
    (denied,) = intents.denies(min_count=1, settings=settings).records()
    assert denied["session_count"] == 1
    (denied,) = intents.denies("7d", min_count=1, settings=settings).records()
    assert denied["session_count"] is None


def test_limits_and_prompt_versions_are_obeyed(settings: Settings) -> None:
    """Should leave out what is rare, cut at the top, and count one version alone."""
    assert intents.denies(settings=settings).rows == []
    assert len(intents.failure_modes(min_count=1, top=2, settings=settings).rows) == 2
    old = intents.failure_modes(prompt_version="(unknown)", min_count=1, settings=settings)
    assert rows(old, "outcome", "event_count", "total_count") == [
        ("clarify_verb", 1, 2),
        ("matched", 1, 2),
    ]
    with pytest.raises(UnknownNameError, match="Did you mean 'new'"):
        intents.clarify_verbs(prompt_version="news", settings=settings)
    with pytest.raises(UsageError, match="min-count"):
        intents.clarify_verbs(min_count=0, settings=settings)


def test_the_report_compares_with_the_period_before(settings: Settings) -> None:
    """Should say that too little is known rather than call a change of 2 events one."""
    report = query.get_intent_report("2026-03-06", settings=settings)
    assert report["previous_period"]["since"] == "2026-03-01"
    assert (report["event_count"], report["previous_event_count"]) == (8, 2)
    rates = {row["rate_name"]: row for row in report["rates"]}
    assert (rates["failure"]["numerator"], rates["failure"]["denominator"]) == (2, 8)
    assert (rates["friction"]["numerator"], rates["friction"]["denominator"]) == (3, 8)
    assert (rates["low_confidence"]["numerator"], rates["ambiguous"]["numerator"]) == (2, 1)
    assert rates["friction"]["previous_rate"] == 0.5
    assert rates["friction"]["change"] == "insufficient_data"
    assert rates["execution_failure"]["rate"] is None
    assert rates["execution_failure"]["change"] == "no_data"
    assert [mode["outcome"] for mode in report["failure_modes"]][0] == "clarify_verb"
    assert report["hottest_verbs"][0]["verb"] == CREATE
    everything = query.get_intent_report(settings=settings)
    assert everything["previous_period"] is None
    assert {row["change"] for row in everything["rates"]} == {None}
    empty = query.get_intent_report("2026-03-10", settings=settings)
    assert empty["event_count"] == 0
    assert empty["rates"][0]["rate"] is None


def test_frames_and_single_overrides(settings: Settings) -> None:
    """Should give frames of typed columns, and events by their keyed hash alone."""
    frame = query.get_clarify_verbs(since="7d", settings=settings)
    assert frame["clarify_count"].dtype == "Int64"
    assert frame.attrs["as_of"] == "2026-03-10T12:00:00Z"
    (event,) = query.get_override_events("2026-03-09", settings=settings).to_dict("records")
    assert (event["chosen_verb"], event["forced_verb"]) == (ASSIGN, ASSIGN)
    assert "f-4" not in str(event)
    assert query.get_override_events(until="2026-03-09", settings=settings).empty
    assert query.get_alias_proposals(settings=settings).empty
    boosts = query.get_verb_boosts(settings=settings)
    assert {"verb_fqn", "boost_weight", "review_state", "rule_weight"} <= set(boosts.columns)


@pytest.fixture
def run(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run a command; returns its exit code and what it wrote."""
    monkeypatch.setenv(HOME_VARIABLE, str(settings.home))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("clarify", "cbu.create"),
        ("overrides", "cbu.assign-role"),
        ("denies", "cbu.delete"),
        ("arg-failures", "name"),
        ("macro-denies", ""),
    ],
)
def test_each_command_writes_rows_and_json(
    run: Callable[..., tuple[int, str, str]], command: str, says: str
) -> None:
    """Should give a table for people and the same rows for programs."""
    code, out, err = run("intents", command, "--since", "7d", "--min-count", "1")
    assert (code, says in out) == (0, True)
    assert ("not enough data" in out) == bool(says)
    assert ("No intent event is known" in err) == (not says)
    code, out, _ = run("intents", command, "--min-count", "1", "--top", "1", "--json")
    answer = json.loads(out)
    assert (code, answer["question"], len(answer["rows"])) == (0, command, bool(says))
    assert run("intents", command, "--min-count", "0")[0] == 2


def test_the_report_command_tells_people_and_programs(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    """Should compare, call little data little, and say when nothing is known."""
    code, out, _ = run("intents", "report", "--since", "2026-03-06")
    assert code == 0
    assert "8 events; 2 in the period before." in out
    assert "not enough data" in out
    assert "clarify_verb" in out
    report = json.loads(run("intents", "report", "--since", "7d", "--json")[1])
    assert report["as_of"] == "2026-03-10T12:00:00Z"
    assert "No intent event is known" in run("intents", "report", "--since", "2026-03-10")[1]
    assert run("intents", "report", "--prompt-version", "news")[0] == 1
    assert run("intents", "report", "--since", "soon")[0] == 2
    assert run("intents", "overrides", "--events", "--json")[0] == 0
