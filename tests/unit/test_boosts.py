"""Reviewed boosts: proposals, decisions, history, and what an orchestrator loads."""

import json
import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger import boost_rules, query
from agentledger.boost_decisions import decide
from agentledger.boost_rules import BoostRule, BoostRules, boosts, boosts_path, read_decisions
from agentledger.cli.main import main
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.query import boost_proposals
from agentledger.query.scope import UnknownNameError
from agentledger.settings import HOME_VARIABLE, Settings
from tests.unit.published_ledger import AS_OF, publish_ledger, settings_of

# The example of analyses F2; the last verb has too few uses.
PROPOSALS = (
    ("cbu.create", 40, 10, 22, 1.1853, 0.0593, "accepted_more_than_expected"),
    ("cbu.assign-role", 12, 28, 15, -0.2880, -0.0144, "rejected_more_than_expected"),
    ("cbu.delete", 0, 60, 30, -1.7919, -0.0896, "rejected_more_than_expected"),
    ("cbu.rename", 4, 1, 4, 0.3253, 0.0, "insufficient_data"),
)
TABLES = """
create table marts.verb_boost_rules (
    scope_bucket varchar, subject_kind varchar, phase varchar, verb_fqn varchar,
    accepted_count bigint, rejected_count bigint, session_count bigint, expected_rate double,
    log_odds_shift double, raw_weight double, boost_weight double, reason varchar,
    evidence varchar, status varchar, valid_from timestamptz
);
create table marts.verb_alias_proposals (
    verb varchar, rephrase_count bigint, after_clarification_count bigint,
    after_failure_count bigint, session_count bigint, status varchar,
    first_seen_at timestamptz, last_seen_at timestamptz
);
insert into marts.verb_alias_proposals values
    ('cbu.create', 3, 2, 1, 3, 'proposal', '2026-03-01 10:00:00+00', '2026-03-10 10:00:00+00');
"""


def propose(settings: Settings, kinds: tuple[str, ...] = ("cbu",), extra: int = 0) -> None:
    """Publish the proposals, for each kind of subject; `extra` uses change the evidence."""
    path = publish_ledger(settings, uses=())
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
        for kind in kinds:
            for verb, accepted, rejected, sessions, shift, weight, reason in PROPOSALS:
                connection.execute(
                    "insert into marts.verb_boost_rules values "
                    "('(any)', ?, '(any)', ?, ?, ?, ?, 0.4001, ?, ?, ?, ?, 'provisional', "
                    "'proposal', ?)",
                    [kind, verb, accepted + extra, rejected, sessions, shift, weight, weight,
                     reason, AS_OF],
                )  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path)
    propose(settings)
    return settings


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


def states(settings: Settings) -> dict[str, str]:
    records = boost_proposals.verb_boosts(settings=settings).records()
    return {row["verb_fqn"]: row["review_state"] for row in records}


def test_nothing_is_in_force_until_somebody_accepts(settings: Settings) -> None:
    """The tempting change is to apply good proposals at once: nobody would have looked."""
    assert set(states(settings).values()) == {"open"}
    assert boosts(settings=settings) == BoostRules((), 0)
    boost_proposals.decide_on_boost("cbu.create", "accepted", by="ann", settings=settings)
    loaded = query.boosts(settings=settings)
    assert (loaded.version, [rule.verb_fqn for rule in loaded.rules]) == (1, ["cbu.create"])
    assert loaded.weight("cbu.create", subject_kind="cbu") == 0.0593
    assert loaded.weight("cbu.create", subject_kind="case") == 0.0
    assert states(settings)["cbu.create"] == "accepted"


def test_decisions_are_kept_with_their_time_and_reason(settings: Settings) -> None:
    """Should end the decision before and never lose it; a past instant gives the past rules."""
    t0 = datetime(2026, 4, 1, tzinfo=UTC)
    (proposal,) = (
        dict(row)
        for row in boost_proposals.verb_boosts(settings=settings).records()
        if row["verb_fqn"] == "cbu.delete"
    )
    decide(settings, proposal, "accepted", by="ann", note="60 of 60", build_id="b", at=t0)
    decide(settings, proposal, "rejected", by="bob", at=t0 + timedelta(days=2))
    first, second = read_decisions(boosts_path(settings))
    assert (first.valid_from, first.valid_to) == ("2026-04-01T00:00:00Z", "2026-04-03T00:00:00Z")
    assert (first.approved_by, first.note, first.build_id) == ("ann", "60 of 60", "b")
    assert (second.rule_version, second.decision, second.valid_to) == (2, "rejected", None)
    for days, expected in ((-1, []), (0, [-0.0896]), (1, [-0.0896]), (2, [])):
        at = t0 + timedelta(days=days)
        assert [r.boost_weight for r in boosts(settings=settings, at=at).rules] == expected
    assert boosts_path(settings).stat().st_mode & 0o777 == 0o600


def test_a_rejected_proposal_comes_back_only_with_other_evidence(settings: Settings) -> None:
    """Should stay rejected over builds that say the same, and be open again when they do not."""
    boost_proposals.decide_on_boost("cbu.delete", "rejected", settings=settings)
    boost_proposals.decide_on_boost("cbu.create", "accepted", settings=settings)
    propose(settings)
    assert states(settings)["cbu.delete"] == "rejected"
    propose(settings, extra=1)
    assert states(settings)["cbu.delete"] == "open"
    (accepted,) = boost_proposals.verb_boosts("accepted", settings=settings).records()
    assert (accepted["evidence_changed"], accepted["rule_weight"]) == (True, 0.0593)
    assert boosts(settings=settings).weight("cbu.create", subject_kind="cbu") == 0.0593


def test_a_rule_without_a_proposal_is_shown_and_can_be_withdrawn(settings: Settings) -> None:
    """Should never leave a rule in force that no command can end."""
    boost_proposals.decide_on_boost("cbu.create", "accepted", settings=settings)
    propose(settings, kinds=())
    (left,) = boost_proposals.verb_boosts(settings=settings).records()
    assert (left["verb_fqn"], left["review_state"], left["boost_weight"]) == (
        "cbu.create",
        "accepted",
        None,
    )
    boost_proposals.decide_on_boost("cbu.create", "rejected", settings=settings)
    assert boosts(settings=settings).rules == ()


def test_what_cannot_be_decided_is_refused(settings: Settings) -> None:
    """Should ask which of several is meant, and accept nothing without evidence."""
    with pytest.raises(UsageError, match="not enough evidence"):
        boost_proposals.decide_on_boost("cbu.rename", "accepted", settings=settings)
    with pytest.raises(UnknownNameError, match="Did you mean 'cbu.create'"):
        boost_proposals.decide_on_boost("cbu.creat", "accepted", settings=settings)
    propose(settings, kinds=("cbu", "case"))
    with pytest.raises(UsageError, match="--subject-kind 'case'"):
        boost_proposals.decide_on_boost("cbu.create", "accepted", settings=settings)
    rule = boost_proposals.decide_on_boost(
        "cbu.create", "accepted", subject_kind="case", settings=settings
    )
    assert rule.subject_kind == "case"
    assert not any(settings.home.glob(".boosts*"))


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "[]",
        '{"format": 2, "rules": []}',
        '{"format": 1, "rules": [{"verb_fqn": "x"}]}',
        '{"format": 1, "rules": 3}',
    ],
)
def test_a_damaged_file_is_said_and_never_replaced(settings: Settings, damage: str) -> None:
    """The tempting change is to begin anew: every decision would be lost without a word."""
    boosts_path(settings).write_text(damage)
    with pytest.raises(AgentLedgerError, match=r"boosts\.json"):
        boosts(settings=settings)
    with pytest.raises(AgentLedgerError):
        boost_proposals.decide_on_boost("cbu.create", "accepted", settings=settings)
    assert boosts_path(settings).read_text() == damage


def test_a_weight_beyond_the_bound_is_refused(settings: Settings) -> None:
    """Should hold an edit by hand to two margins."""
    boost_proposals.decide_on_boost("cbu.create", "accepted", settings=settings)
    path = boosts_path(settings)
    path.write_text(path.read_text().replace("0.0593", "0.5"))
    with pytest.raises(AgentLedgerError, match="beyond"):
        boosts(settings=settings)


def _accept(home: Path, verb: str) -> None:
    boost_proposals.decide_on_boost(verb, "accepted", by=verb, settings=settings_of(home))


def test_edits_at_the_same_time_lose_nothing(settings: Settings) -> None:
    """Should write one after the other, each with a version of its own."""
    propose(settings, kinds=("cbu",))
    context = multiprocessing.get_context("spawn")
    verbs = ["cbu.create", "cbu.assign-role", "cbu.delete"]
    children = [context.Process(target=_accept, args=(settings.home, verb)) for verb in verbs]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    decisions = read_decisions(boosts_path(settings))
    assert sorted(rule.verb_fqn for rule in decisions) == sorted(verbs)
    assert sorted(rule.rule_version for rule in decisions) == [1, 2, 3]


def rule(verb: str, weight: float, *key: str) -> BoostRule:
    scope, kind, phase = key or ("(any)", "(any)", "(any)")
    return BoostRule(
        1, "accepted", scope, kind, phase, verb, weight, 1, 1, 1, None, "2026-01-01T00:00:00Z",
        None, None, None, None,
    )  # fmt: skip


def test_the_rule_with_more_exact_parts_wins() -> None:
    rules = BoostRules(
        (
            rule("v", 0.01),
            rule("v", 0.02, "(any)", "cbu", "(any)"),
            rule("v", 0.03, "shop", "(any)", "(any)"),
            rule("v", 0.04, "shop", "cbu", "(any)"),
        ),
        4,
    )
    assert rules.weight("v") == 0.01
    assert rules.weight("v", subject_kind="cbu") == 0.02
    assert rules.weight("v", scope_bucket="shop", subject_kind="case") == 0.03
    assert rules.weight("v", scope_bucket="shop", subject_kind="cbu", phase="x") == 0.04
    assert rules.weight("w") == 0.0


def test_a_boost_settles_a_close_call_only() -> None:
    """Analyses F2: two margins cannot lift a suggestion of 0.45 to acceptance at 0.65."""
    rules = BoostRules((rule("b", 0.10), rule("c", 0.10), rule("denied", 0.10)), 1)
    ranked = rules.rerank([("a", 0.66), ("b", 0.65), ("c", 0.45), ("d", None), ("e", 0.45)])
    assert [item.verb for item in ranked] == ["b", "a", "c", "e", "d"]
    assert [item.final_score for item in ranked] == pytest.approx([0.75, 0.66, 0.55, 0.45, None])
    assert ranked[0].score == 0.65


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.floats(0, 1)), max_size=10),
    st.lists(st.tuples(st.sampled_from("abcxyz"), st.floats(-0.1, 0.1)), max_size=6),
)
def test_reranking_adds_and_loses_no_candidate(
    candidates: list[tuple[str, float | None]], weights: list[tuple[str, float]]
) -> None:
    """A denied verb is not among the candidates, so no boost brings it back; scores stay 0..1."""
    ranked = BoostRules(tuple(rule(v, w) for v, w in weights), 1).rerank(candidates)
    assert sorted((r.verb, r.score is None) for r in ranked) == sorted(
        (v, s is None) for v, s in candidates
    )
    assert all(r.final_score is None or 0 <= r.final_score <= 1 for r in ranked)


def test_one_session_in_twenty_stays_unboosted() -> None:
    """Should be the same each time, and near 5 % over many sessions."""
    rules = BoostRules((), 0)
    control = [n for n in range(10_000) if rules.is_control(f"s-{n}")]
    assert 400 < len(control) < 600
    assert control == [n for n in range(10_000) if rules.is_control(f"s-{n}")]


def test_loading_needs_no_snapshot_and_no_heavy_import(settings: Settings) -> None:
    """Should serve an orchestrator that has the light installation."""
    boost_proposals.decide_on_boost("cbu.create", "accepted", settings=settings)
    settings.published_pointer.unlink()
    assert len(boosts(settings=settings).rules) == 1
    assert set(json.loads(boosts_path(settings).read_text())) == {"format", "rules"}
    assert "duckdb" not in vars(boost_rules)


def test_commands_list_accept_and_reject(run: Callable[..., tuple[int, str, str]]) -> None:
    """Should show the proposal with its counts, then its state; aliases beside it."""
    code, out, _ = run("intents", "boosts")
    assert code == 0
    assert "+0.0593" in out
    assert "insufficient_data" in out
    assert "An alias would have helped" in out
    code, out, err = run("intents", "boosts", "accept", "cbu.create", "--by", "ann", "--note", "ok")
    assert (code, "boosts.json" in err) == (0, True)
    assert "accepted with boost +0.0593, rule version 1" in out
    code, out, _ = run("intents", "boosts", "reject", "cbu.delete", "--json")
    assert json.loads(out)["decision"] == "rejected"
    listed: dict[str, Any] = json.loads(run("intents", "boosts", "--json")[1])
    found = {row["verb_fqn"]: row["review_state"] for row in listed["boosts"]}
    assert (found["cbu.create"], found["cbu.delete"]) == ("accepted", "rejected")
    assert listed["aliases"][0]["verb"] == "cbu.create"
    assert [
        row["verb_fqn"]
        for row in json.loads(run("intents", "boosts", "--state", "accepted", "--json")[1])[
            "boosts"
        ]
    ] == ["cbu.create"]
    assert run("intents", "boosts", "accept", "cbu.rename")[0] == 2
    assert run("intents", "boosts", "accept", "nothing")[0] == 1
