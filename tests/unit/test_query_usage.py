"""Usage by time, session, project and model, from a mart filled by hand."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from agentledger.cli.main import app
from agentledger.errors import UsageError
from agentledger.query import usage
from agentledger.settings import Settings
from agentledger.snapshot import Snapshot, open_snapshot
from tests.unit.fresh_start import HEAVY, modules_of_answer, packages
from tests.unit.published_ledger import BLOG, SHOP, publish_ledger, settings_of

TABLE = """
create table marts.usage_quarter_hours (
    quarter_start timestamptz, project_id varchar, session_key uuid, model varchar,
    source_kind varchar, calls bigint, api_errors bigint, sidechain_calls bigint,
    input_fresh_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint,
    cache_read_tokens bigint, output_tokens bigint, cache_ttl_assumed_tokens bigint,
    web_search_requests bigint, cost_usd decimal(18, 9), unpriced_calls bigint,
    unpriced_tokens bigint, cost_as_billed_usd decimal(18, 9), billed_calls bigint,
    cost_today_usd decimal(18, 9), unpriced_today_calls bigint,
    cache_savings_usd decimal(18, 9), unknown_savings_calls bigint,
    first_called_at timestamptz, last_called_at timestamptz, load_seq bigint
)
"""
ONE, TWO = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
# Start of the quarter, project, session, model, output tokens.
ROWS = (
    # 23:45 UTC on Sunday the 8th is Monday the 9th in Paris, and 05:30 of the 9th in Kathmandu.
    ("2026-03-08 23:45:00+00", SHOP, ONE, "m-1", 10),
    ("2026-03-09 00:00:00+00", SHOP, ONE, "m-2", 20),
    # 18:15 UTC is midnight in Kathmandu, which is ahead by 5 h 45 min.
    ("2026-03-09 18:00:00+00", BLOG, TWO, "m-1", 40),
    ("2026-03-09 18:15:00+00", BLOG, TWO, "m-1", 80),
    ("1970-01-01 00:00:00+00", BLOG, TWO, "m-1", 160),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path)
    path = publish_ledger(settings)
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLE)
        for start, project, session, model, output in ROWS:
            connection.execute(
                "insert into marts.usage_quarter_hours values "
                "(?, ?, ?, ?, 'claude_code', 1, 0, 0, 1, 2, 3, 4, ?, 0, 0, ?, ?, ?, 0, 0, 0, 1, "
                "0.5, 0, ?, ?, 1)",
                # The one call of m-2 has no price.
                [
                    start,
                    project,
                    session,
                    model,
                    output,
                    0 if model == "m-2" else 0.25,
                    model == "m-2",
                    30 * (model == "m-2"),
                    start,
                    start,
                ],  # fmt: skip
            )
    return settings


def outputs(settings: Settings, by: str, **arguments: Any) -> dict[Any, tuple[int, int]]:
    answer = usage.usage(by, settings=settings, **arguments).records()
    key = {"session": "session_key", "project": "project_name", "model": "model"}
    name = key.get(by, "bucket_start")
    return {row[name]: (row["output_tokens"], row["sessions"]) for row in answer}


def test_days_are_those_of_the_zone(settings: Settings) -> None:
    assert outputs(settings, "daily") == {
        None: (160, 1), "2026-03-08": (10, 1), "2026-03-09": (140, 2),
    }  # fmt: skip
    assert outputs(settings, "daily", zone="Europe/Paris") == {
        None: (160, 1), "2026-03-09": (150, 2),
    }  # fmt: skip
    assert outputs(settings, "daily", zone="Asia/Kathmandu") == {
        None: (160, 1), "2026-03-09": (70, 2), "2026-03-10": (80, 1),
    }  # fmt: skip


def test_weeks_begin_on_the_monday_of_the_zone(settings: Settings) -> None:
    assert outputs(settings, "weekly", since="2026-03-02") == {
        "2026-03-02": (10, 1), "2026-03-09": (140, 2),
    }  # fmt: skip
    assert outputs(settings, "weekly", zone="Europe/Paris", since="2026-03-02") == {
        "2026-03-09": (150, 2)
    }
    assert outputs(settings, "monthly", since="2026-01-01") == {"2026-03-01": (150, 2)}


def test_by_session_project_and_model(settings: Settings) -> None:
    assert outputs(settings, "session") == {ONE: (30, 1), TWO: (280, 1)}
    assert outputs(settings, "project") == {"shop": (30, 1), "blog": (280, 1)}
    assert outputs(settings, "model") == {"m-1": (290, 2), "m-2": (20, 1)}
    assert outputs(settings, "model", project="shop") == {"m-1": (10, 1), "m-2": (20, 1)}
    assert outputs(settings, "model", since="2026-03-09", until="2026-03-10") == {
        "m-1": (120, 1), "m-2": (20, 1),
    }  # fmt: skip


def test_a_session_counts_once_in_the_total(settings: Settings) -> None:
    _, total = usage.usage_and_total(settings=settings)
    assert total is not None
    assert (total["sessions"], total["calls"], total["output_tokens"]) == (2, 5, 310)
    assert total["total_tokens"] == 5 * (1 + 2 + 3 + 4) + 310


def test_rows_and_their_total_are_of_one_build(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that is published between two openings would give a total of other rows."""
    opened: list[Settings | None] = []

    def open_counted(settings: Settings | None = None) -> AbstractContextManager[Snapshot]:
        opened.append(settings)
        return open_snapshot(settings)

    monkeypatch.setattr(usage, "open_snapshot", open_counted)
    answer, total = usage.usage_and_total("model", settings=settings)
    assert len(opened) == 1
    assert total is not None
    assert total["calls"] == sum(row["calls"] for row in answer.records())
    assert answer.rows == usage.usage("model", settings=settings).rows


def test_no_row_has_no_total(settings: Settings) -> None:
    answer, total = usage.usage_and_total(since="2030-01-01", settings=settings)
    assert (answer.rows, total) == ([], None)


def test_a_cost_of_which_a_part_is_unknown_is_a_lower_bound(settings: Settings) -> None:
    """Should be None, never 0, where nothing is priced or recorded."""
    models = {row["model"]: row for row in usage.usage("model", settings=settings).records()}
    assert (models["m-1"]["cost_usd"], models["m-1"]["cost_is_lower_bound"]) == (1.0, False)
    assert (models["m-2"]["cost_usd"], models["m-2"]["cost_is_lower_bound"]) == (None, True)
    _, total = usage.usage_and_total(settings=settings)
    assert total is not None
    assert (total["cost_usd"], total["cost_is_lower_bound"]) == (1.0, True)
    assert (total["unpriced_calls"], total["unpriced_tokens"]) == (1, 30)
    assert total["cost_as_billed_usd"] is None
    assert total["cost_today_usd"] is None
    assert total["cache_savings_usd"] == 2.5


def test_the_command_imports_the_engine_and_nothing_else_that_is_heavy(settings: Settings) -> None:
    loaded = modules_of_answer(["usage", "daily", "--json"], settings.home)
    assert packages(loaded) & HEAVY == {"_duckdb"}


def test_an_unknown_zone_is_refused(settings: Settings) -> None:
    with pytest.raises(UsageError, match="is not a time zone"):
        usage.usage(zone="'; drop table x", settings=settings)
    with pytest.raises(UsageError, match="Cannot put usage together"):
        usage.usage("hourly", settings=settings)


def test_the_command_prints_a_table_or_json(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTLEDGER_HOME", str(settings.home))
    shown = CliRunner().invoke(app, ["usage", "daily", "--since", "2026-03-01"])
    assert shown.exit_code == 0
    assert "2026-03-09" in shown.stdout
    assert "≥ 0.50" in shown.stdout
    assert "1 calls with 30 tokens have no price" in shown.stderr
    found = json.loads(CliRunner().invoke(app, ["usage", "model", "--json"]).stdout)
    assert found["total"]["output_tokens"] == 310
    assert [row["model"] for row in found["rows"]] == ["m-1", "m-2"]
    empty = CliRunner().invoke(app, ["usage", "daily", "--since", "2026-03-11"])
    assert empty.exit_code == 0
    assert "No model call is known here" in empty.stderr


def test_what_has_no_price_is_listed_with_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTLEDGER_HOME", str(settings.home))
    nothing = CliRunner().invoke(app, ["usage", "unpriced"])
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "Every model call has a price" in nothing.stderr
    [path] = settings.published_dir.glob("*.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "insert into marts.v_unpriced_models "
            "values ('', 'm-2', 1, 1, 30, 'no_price', null, null)"
        )
    shown = CliRunner().invoke(app, ["usage", "unpriced"])
    assert "m-2" in shown.stdout
    assert "[[prices]]" in shown.stderr
    found = json.loads(CliRunner().invoke(app, ["usage", "unpriced", "--json"]).stdout)
    assert found["unpriced_models"][0]["unpriced_tokens"] == 30
    health = json.loads(CliRunner().invoke(app, ["health", "--json"]).stdout)
    assert "1 model calls have no price" in health["notes"][0]
    assert "m-2" in health["notes"][0]
