"""`agentledger agents …` and its questions: shapes, names, nothing to tell, and pipes."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentledger import agent_changes, query
from agentledger.errors import UsageError
from agentledger.query.scope import UnknownNameError
from agentledger.settings import HOME_VARIABLE, Settings
from tests.unit.conftest import Run
from tests.unit.published_agents import CHANGE_ID, UGLY_AGENT, publish_agents


def asked(run: Run, *command: str) -> dict[str, Any]:
    code, out, err = run(*command, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out, parse_constant=pytest.fail)
    assert (document["build_id"], document["as_of"]) == ("1", "2026-03-12T09:00:00Z")
    return document


def test_list_has_every_agent_with_its_health_most_in_need_first(
    run: Run, settings: Settings
) -> None:
    """An agent without tasks is there, and has no figures: unknown is not 0."""
    publish_agents(settings)
    document = asked(run, "agents", "list")
    assert document["window"] == "last_day"
    agents = document["agents"]
    assert [(row["agent_id"], row["health"]) for row in agents] == [
        ("a1", "critical"), (UGLY_AGENT, "insufficient_data"), ("a5", "no_data"),
    ]  # fmt: skip
    assert agents[0]["patterns_used"] == {"nats": 3, "supervision": 5}
    assert (agents[0]["success_rate"], agents[0]["task_count"]) == (0.75, 40)
    assert (agents[2]["success_rate"], agents[2]["task_count"]) == (None, None)
    out = run("agents", "list")[1]
    (line,) = (line for line in out.splitlines() if line.startswith("a5"))
    assert set(line.split()[2:]) == {"–"}


def test_another_window_is_another_answer(run: Run, settings: Settings) -> None:
    publish_agents(settings)
    found = asked(run, "agents", "list", "--window", "last_hour")["agents"]
    assert [row["task_count"] for row in found] == [None, None, None]


def test_show_puts_a_robust_figure_beside_a_cost_that_stands_out(
    run: Run, settings: Settings
) -> None:
    """One task cost $9,990: the sum keeps it, the median and the sum without it stand beside."""
    publish_agents(settings)
    (row,) = asked(run, "agents", "show", "a1")["rows"]
    assert (row["total_cost_cents"], row["cost_outlier_n"]) == (999159.0, 1)
    assert (row["p50_cost_cents"], row["total_cost_without_outliers_cents"]) == (4.0, 159.0)
    code, out, _ = run("agents", "show", "a1")
    assert code == 0
    assert "999,159.00" in out
    assert "1 cost(s) stand far out; without them 159.00 ¢ in all" in out
    assert "patterns: supervision 5, nats 3" in out


def test_history_shows_each_window_and_all_of_them_by_their_sums(
    run: Run, settings: Settings
) -> None:
    """analyses.md C: 69 of 120, 2.2333 cents and 331.6667 ms, not the means of the means."""
    publish_agents(settings)
    document = asked(run, "agents", "show", "a1", "--size", "1d")
    assert (document["agent"], document["size"]) == ("a1", "1d")
    assert [row["task_count"] for row in document["rows"]] == [1, 99, 20]
    total = document["total"]
    assert (total["task_count"], total["succeeded"]) == (120, 69)
    assert total["success_rate"] == pytest.approx(0.5750)
    assert total["avg_cost_cents"] == pytest.approx(2.2333, abs=5e-5)
    assert total["avg_latency_ms"] == pytest.approx(331.6667, abs=5e-5)
    assert total["p50_latency_estimate_ms"] == pytest.approx(301.9134)
    assert (total["window_start"], total["window_end"]) == (
        "2026-03-09T00:00:00Z", "2026-03-12T00:00:00Z",
    )  # fmt: skip
    code, out, err = run("agents", "show", "a1", "--size", "1d")
    assert code == 0
    last = out.splitlines()[-1]
    assert last.startswith("all") and "57.5 %" in last and "≈ 302 ms" in last and "≈ 5.0 s" in last
    assert "within 1 %" in err


def test_a_period_is_a_history_of_days(run: Run, settings: Settings) -> None:
    """The tempting change is to ignore --since where no --size is given."""
    publish_agents(settings)
    document = asked(run, "agents", "show", "a1", "--since", "2026-03-10", "--until", "2026-03-11")
    assert [row["window_start"] for row in document["rows"]] == ["2026-03-10T00:00:00Z"]
    assert document["total"]["task_count"] == 99
    assert len(asked(run, "agents", "show", "a1", "--since", "2d")["rows"]) == 2


def test_windows_without_tasks_have_neither_rows_nor_a_total(run: Run, settings: Settings) -> None:
    publish_agents(settings)
    document = asked(run, "agents", "show", "a1", "--size", "5m")
    assert (document["rows"], document["total"]) == ([], None)
    code, out, err = run("agents", "show", "a1", "--size", "5m")
    assert (code, out) == (0, "")
    assert "a1 has no tasks there" in err


@pytest.mark.parametrize("command", ["show", "feedback", "evolution"])
def test_an_unknown_agent_ends_with_the_names_near_to_it(
    run: Run, settings: Settings, command: str
) -> None:
    publish_agents(settings)
    code, out, err = run("agents", command, "a11")
    assert (code, out) == (1, "")
    assert "There is no agent 'a11'. Did you mean 'a1'" in err
    assert "`agentledger agents list`" in run("agents", command, "zzzzzz")[2]


def test_feedback_gives_issues_with_suggestions_that_are_called_a_heuristic(
    run: Run, settings: Settings
) -> None:
    publish_agents(settings)
    document = asked(run, "agents", "feedback", "a1")
    assert [(row["issue_type"], row["severity"], row["suggestion"], row["expected_gain_pct"])
            for row in document["issues"]] == [
        ("high_cost", "high", "optimize_model", -50),
        ("high_latency", "medium", "improve_cache", -60),
        ("low_success_rate", "critical", "add_patterns", 15),
    ]  # fmt: skip
    assert {row["gain_basis"] for row in document["issues"]} == {"heuristic"}
    _, out, err = run("agents", "feedback")
    assert "add_patterns" in out and "+15" in out
    assert "24,978.9750 (4.0769 without outliers)" in out
    assert "heuristic" in err
    assert run("agents", "feedback", "a5")[1] == "Nothing stands out in the last week.\n"


def test_evolution_has_the_decision_and_the_note_of_its_owner(run: Run, settings: Settings) -> None:
    """The note comes from its own file; the snapshot never held it."""
    path = publish_agents(settings)
    agent_changes.declare(settings, "a1", datetime(2026, 3, 4, 12, tzinfo=UTC), note="small model")
    written = agent_changes.changes_path(settings)
    record = json.loads(written.read_text("utf-8")) | {"change_id": CHANGE_ID}
    written.write_text(json.dumps(record) + "\n", encoding="utf-8")
    (row,) = asked(run, "agents", "evolution")["changes"]
    assert (row["decision"], row["note"]) == ("rollback", "small model")
    assert (row["before_succeeded"], row["after_succeeded"], row["p_value"]) == (90, 78, 0.0206)
    out = run("agents", "evolution", "a1")[1]
    assert "rollback" in out and "90/100" in out and "78/100" in out and "small model" in out
    assert b"small model" not in path.read_bytes()


@pytest.mark.parametrize("command", ["feedback", "evolution", "patterns"])
def test_nothing_to_tell_is_said_and_is_no_failure(
    run: Run, settings: Settings, command: str
) -> None:
    publish_agents(settings, is_empty=True)
    code, out, err = run("agents", command)
    assert code == 0
    assert len((out + err).splitlines()) == 1
    code, out, err = run("agents", "list")
    assert (code, out) == (0, "")
    assert "source add events" in err


def test_a_change_is_declared_where_the_next_run_reads_it(run: Run, settings: Settings) -> None:
    command = ("agents", "declare-change", "a1", "--at", "2026-03-01T12:00Z", "--note", "cache")
    code, out, err = run(*command, "--json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert (record["changed_at"], record["metric"]) == ("2026-03-01T12:00:00Z", "success")
    assert json.loads(agent_changes.changes_path(settings).read_text("utf-8")) == record
    assert "2026-03-01 12:00 UTC" in run(*command)[1]


def test_a_misspelt_agent_of_a_change_is_told(run: Run, settings: Settings) -> None:
    """The change is written all the same: its agent may begin tomorrow."""
    publish_agents(settings)
    command = ("agents", "declare-change", "a11", "--at", "2026-03-01T12:00Z", "--note", "cache")
    code, out, err = run(*command)
    assert (code, "a11" in out) == (0, True)
    assert "names the agent 'a11'. Did you mean 'a1'" in err
    assert agent_changes.changes_path(settings).exists()


def test_a_judgement_is_kept_and_a_misspelt_pattern_is_told(run: Run, settings: Settings) -> None:
    """A judgement may come before its pattern, so it is written all the same."""
    publish_agents(settings)
    code, out, err = run("agents", "judge-pattern", "nats", "--quality", "0.92", "--json")
    assert (code, err) == (0, "")
    assert (json.loads(out)["pattern"], json.loads(out)["quality"]) == ("nats", 0.92)
    code, out, err = run("agents", "judge-pattern", "nast", "--quality", "0.5", "--note", "hm")
    assert code == 0
    assert "quality 0.5" in out
    assert "names the pattern 'nast'. Did you mean 'nats'?" in err
    lines = (settings.changes_dir / "pattern-judgements.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["pattern"] for line in lines] == ["nats", "nast"]


def test_patterns_name_the_gate_that_each_fails(run: Run, settings: Settings) -> None:
    publish_agents(settings)
    found = asked(run, "agents", "patterns")["patterns"]
    assert [(row["pattern"], row["quality"], row["reason"]) for row in found] == [
        ("supervision", 0.9, None),
        ("nats", None, "no_quality"),
    ]
    assert "passes" in run("agents", "patterns")[1]


def test_knowledge_is_exported_from_the_command_line_once(run: Run, settings: Settings) -> None:
    publish_agents(settings)
    code, out, _ = run("export", "knowledge")
    assert code == 0
    assert "supervision (no consent" in out and "nats (nobody judged it" in out
    settings.config_path.write_text("[export]\nconsent = true\n", encoding="utf-8")
    code, out, _ = run("export", "knowledge", "--json")
    document = json.loads(out)
    assert document["exported"] == ["supervision"]
    assert document["refused"] == {"nats": "no_quality"}
    content = Path(document["path"]).read_text("utf-8")
    assert json.loads(content)["patterns"][0]["quality"] == 0.9
    # Made to be shared: nothing but public columns, so no time of anybody's judgement.
    assert "2026-03" not in content
    assert json.loads(run("export", "knowledge", "--json")[1])["path"] is None


def test_python_has_the_names_of_the_issue(settings: Settings) -> None:
    """`get_metrics_for(agent, window)` and `get_all_agent_metrics()`."""
    publish_agents(settings)
    found = query.get_metrics_for("a1", "last_week", settings=settings)
    assert found is not None
    assert (found["task_count"], found["patterns_used"]["nats"]) == (40, 3)
    assert query.get_metrics_for("a5", "last_day", settings=settings) is None
    frame = query.get_all_agent_metrics(settings=settings)
    assert list(frame["agent_id"]) == ["a1", UGLY_AGENT, "a5"]
    assert frame["task_count"].isna().tolist() == [False, False, True]
    assert len(query.get_agent_history("a1", "1d", settings=settings)) == 3
    assert query.get_agent_history_total("a1", settings=settings)["task_count"].tolist() == [120]
    assert len(query.get_agent_feedback(settings=settings)) == 3
    assert query.get_agent_evolution("a1", settings=settings)["decision"].tolist() == ["rollback"]
    assert query.get_validated_patterns(settings=settings)["is_validated"].tolist() == [True, False]
    with pytest.raises(UsageError):
        query.get_metrics_for("a1", "last_year", settings=settings)
    with pytest.raises(UnknownNameError):
        query.get_metrics_for("A1", settings=settings)


def test_a_closed_pipe_ends_quietly(settings: Settings) -> None:
    """`agentledger agents show … | head -1`."""
    publish_agents(settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "agentledger.cli.main", "agents", "show", "a1", "--size", "1d"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={HOME_VARIABLE: str(settings.home), "PYTHONIOENCODING": "utf-8"},
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert b"Traceback" not in error and b"BrokenPipe" not in error
    assert process.wait(timeout=30) == 0
