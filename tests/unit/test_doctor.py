"""What the doctor finds around a ledger: each with what, where and what to do."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from agentledger import registry, warehouse
from agentledger.cli.main import app
from agentledger.query.doctor import Finding, examine
from agentledger.settings import Settings
from tests.unit.published_ledger import publish_ledger

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Claude Code's own folder."""
    folder = tmp_path / "claude"
    (folder / "projects").mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture
def ledger(tmp_path: Path, tool: Path) -> Settings:
    settings = Settings(home=tmp_path / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    publish_ledger(settings)
    settings.home.chmod(0o700)
    registry.add_source(settings, "claude-code", str(tool / "projects"))
    with warehouse.open_warehouse(settings) as connection:
        connection.execute(
            """
            create schema intermediate;
            create table intermediate.int_llm_call_versions (
                file_id bigint, line_no bigint, ts_suspicious boolean);
            create table intermediate.int_tool_call_versions (
                tool_call_key uuid, is_call boolean, is_kept boolean, file_id bigint,
                line_no bigint, occurred_at timestamptz);
            insert into raw.files select 1, 's', 'p', 'claude_code_lines', '/t/s.jsonl', null, 1, 1,
                1, null, null, 1, 1, 'loaded', null, 5, 5, 0, 0, now(), now(), 1;
            """
        )
    return settings


def _examine(settings: Settings, days_ago: float = 1) -> list[Finding]:
    ended = (NOW - timedelta(days=days_ago)).isoformat()
    return examine(settings, {"last_success": {"ended_at": ended}}, NOW)


def test_a_ledger_in_order_has_no_findings(ledger: Settings) -> None:
    assert _examine(ledger) == []


@pytest.mark.parametrize(
    ("written", "days_ago", "is_found"),
    [
        (None, 14, False), (None, 16, True), ({}, 16, True),
        ({"cleanupPeriodDays": 365}, 100, False), ({"cleanupPeriodDays": 4}, 3, True),
        ({"cleanupPeriodDays": "x"}, 14, False),
    ],
)  # fmt: skip
def test_sessions_that_are_deleted_before_they_are_read_are_told(
    ledger: Settings, tool: Path, written: object, days_ago: int, is_found: bool
) -> None:
    """Half of what the tool keeps is the longest that a run may lie back; it keeps 30 days."""
    if written is not None:
        (tool / "settings.json").write_text(json.dumps(written))
    found = _examine(ledger, days_ago)
    assert [item.check for item in found] == ["retention"] * is_found


def test_a_damaged_setting_is_told_and_not_guessed(ledger: Settings, tool: Path) -> None:
    (tool / "settings.json").write_text("{")
    (found,) = _examine(ledger)
    assert (found.check, found.where) == ("retention", str(tool / "settings.json"))


def test_a_home_that_others_may_look_into_is_told(ledger: Settings) -> None:
    ledger.home.chmod(0o755)
    (found,) = _examine(ledger)
    assert found.check == "permissions"
    assert "chmod 700" in found.what_to_do


def test_files_lines_and_names_are_told(ledger: Settings) -> None:
    with warehouse.open_warehouse(ledger) as connection:
        connection.execute(
            """
            insert into intermediate.int_llm_call_versions values (1, 7, true), (1, 9, true);
            insert into intermediate.int_tool_call_versions values
                (uuid(), true, true, 1, 1, now());
            insert into intermediate.int_tool_call_versions select
                tool_call_key, false, true, 1, 4, occurred_at - interval 1 second
                from intermediate.int_tool_call_versions;
            update raw.files set state = 'pending';
            """
        )
    (snapshot,) = ledger.published_dir.glob("ledger-*.duckdb")
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute(
            "insert into marts.source_drift values "
            "('claude_code', 'usage_key', 'message.usage.dreams', 5, 1, 1, null, null, null, true),"
            "('codex', 'tool_version', '9.0', 5, 1, 1, 3, null, null, true);"
            "insert into marts.v_unpriced_models (model, unpriced_calls, unpriced_tokens) "
            "values ('m-1', 3, 70)"
        )
    found = {item.check: item for item in _examine(ledger)}
    assert set(found) == {
        "unpriced", "drift_usage_key", "drift_tool_version", "clocks", "pending"
    }  # fmt: skip
    assert "message.usage.dreams" in found["drift_usage_key"].what
    assert found["drift_usage_key"].where == "/t/s.jsonl"
    assert found["drift_tool_version"].where == "/t/s.jsonl:3"
    assert not found["drift_tool_version"].is_wrong
    assert found["clocks"].where == "/t/s.jsonl:4"


def test_while_a_run_holds_the_warehouse_the_doctor_does_not_wait(ledger: Settings) -> None:
    with warehouse.hold_run_lock(ledger):
        (found,) = _examine(ledger)
    assert (found.check, found.is_wrong) == ("warehouse", False)


def test_the_command_ends_with_one_when_something_is_wrong(
    ledger: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: ledger)
    shown = CliRunner().invoke(app, ["doctor", "--json"])
    assert shown.exit_code == 1  # no run has ever succeeded
    assert json.loads(shown.stdout)["findings"][0]["check"] == "retention"


def test_two_sources_of_one_thing_are_shown_side_by_side(
    ledger: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (snapshot,) = ledger.published_dir.glob("ledger-*.duckdb")
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute(
            "insert into marts.reconciliation values (uuid(), 'recorded_cost', 'p', null, 'm-1', "
            "'langfuse', 'prices', 'cost_usd', 1, 0.05, 0.04, 0.01, 0.2, false, '2026-03-11')"
        )
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: ledger)
    shown = CliRunner().invoke(app, ["usage", "reconcile"])
    assert "0.050000" in shown.stdout
    assert "differs" in shown.stdout
    shown = CliRunner().invoke(app, ["usage", "reconcile", "--gaps", "--json"])
    (row,) = json.loads(shown.stdout)["rows"]
    assert (row["first_value"], row["second_value"], row["gap_share"]) == (0.05, 0.04, 0.2)
