"""From a number back to its rows: what is kept, what was dropped and why, by hand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agentledger import warehouse
from agentledger.cli.main import app
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.query.explain import explain_usage
from agentledger.query.explain_skills import explain_skill
from agentledger.query.scope import UnknownNameError
from agentledger.settings import Settings
from tests.unit.published_ledger import SHOP, publish_ledger

KEY = "3f2a9c1d-0000-0000-0000-000000000001"
FORK = "3f2a9c1d-0000-0000-0000-000000000002"
CALL = "aaaaaaaa-0000-0000-0000-000000000001"
OWN_CALL = "aaaaaaaa-0000-0000-0000-000000000002"
DAY = "2026-03-11"

# analyses.md J: output snapshots of 5, 312 and 631, then a fork copy of 631; the fork then makes a
# call of its own. line, session, call, verdict, output, what counts of it, whether it owns the call
LINES = (
    (1, "s-1", CALL, "'stream_partial'", 5, 0, True, "10:00"),
    (2, "s-1", CALL, "'stream_partial'", 312, 0, False, "10:01"),
    (3, "s-1", CALL, "null", 631, 631, False, "10:02"),
    (4, "s-2", CALL, "'fork_replay'", 631, 0, False, "10:02"),
    (5, "s-2", OWN_CALL, "null", 7, 7, True, "11:00"),
)


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "built", host_zone="UTC")
    warehouse.prepare_home(settings)
    publish_ledger(settings)
    lines = ", ".join(
        f"('{call}'::uuid, '{session}', {verdict}, {output}, {kept}, {owns}, 1, {number}, "
        f"timestamptz '{DAY} {at}Z')"
        for number, session, call, verdict, output, kept, owns, at in LINES
    )
    with warehouse.open_warehouse(settings) as connection:
        connection.execute(
            f"""
            insert into raw.projects values
                ('{SHOP}', 'shop', null, '/x', 'UTC', true, null, now());
            insert into raw.files select 1, 's', '{SHOP}', 'claude_code', '/t/s.jsonl', null, 1, 1,
                1, null, null, 1, 1, 'loaded', null, 5, 5, 0, 0, now(), now(), 1;
            create schema marts; create schema intermediate;
            create table intermediate.int_llm_call_versions as
                select
                    *, is_owner and false as is_synthetic, 0 as ordinal, 'claude_code' as
                    source_kind, 'm' as model, null::bigint as workdir_id,
                    '{SHOP}' as source_project_id, false as ts_suspicious,
                    1000 as input_fresh_tokens, 100 as cache_write_tokens,
                    null::bigint as cache_read_tokens,
                    case when drop_reason is null then 1000 else 0 end as kept_input_fresh_tokens,
                    case when drop_reason is null then 100 else 0 end as kept_cache_write_tokens,
                    0 as kept_cache_read_tokens
                from (values {lines}) as t (llm_call_key, session_id, drop_reason, output_tokens,
                    kept_output_tokens, is_owner, file_id, line_no, occurred_at);
            create table marts.fct_llm_calls as select * from (values
                ('{CALL}'::uuid, '{KEY}'::uuid, '{SHOP}', timestamptz '{DAY} 10:00Z', false),
                ('{OWN_CALL}'::uuid, '{FORK}'::uuid, '{SHOP}', timestamptz '{DAY} 11:00Z', false)
            ) as t (llm_call_key, session_key, project_id, occurred_at, ts_suspicious);
            create table marts.usage_quarter_hours as select * from (values
                ('{KEY}'::uuid, '{SHOP}', timestamptz '{DAY} 10:00Z', 1, 1000, 40, 60, 0, 631),
                ('{FORK}'::uuid, '{SHOP}', timestamptz '{DAY} 11:00Z', 1, 1000, 40, 60, 0, 7)
            ) as t (session_key, project_id, quarter_start, calls, input_fresh_tokens,
                cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens);
            create table marts.fct_skill_invocations as select * from (values
                ('{CALL}'::uuid, '{SHOP}', 'commit', date '{DAY}', false, 'success', 1, 3)
            ) as t (usage_key, project_id, skill_name, invoked_on, ts_suspicious, outcome, file_id,
                ordinal);
            alter table marts.fct_skill_invocations add column occurred_at timestamptz;
            create table intermediate.int_skill_invocation_versions as select * from (values
                ('{CALL}'::uuid, '{SHOP}', 'commit', date '{DAY}', 'success', 1, null, 3, null,
                    'skill_metrics'),
                ('{CALL}'::uuid, '{SHOP}', 'commit', date '{DAY}', 'unknown', 1, null, 2,
                    'superseded_version', 'skill_metrics'),
                ('{CALL}'::uuid, '{SHOP}', 'commit', date '{DAY}', 'unknown', 1, 7, 0,
                    'snapshot_copy', 'claude_code'),
                ('{CALL}'::uuid, '{SHOP}', 'commit', date '{DAY}', 'unknown', 1, 9, 4,
                    'told_by_transcript', 'claude_code_otel')
            ) as t (usage_key, project_id, skill_name, invoked_on, outcome, file_id, line_no,
                ordinal, drop_reason, source_kind);
            alter table intermediate.int_skill_invocation_versions
                add column occurred_at timestamptz;
            create table marts.skill_aggregates as select
                'commit' as skill_name, '{SHOP}' as project_id, 'daily' as time_window,
                date '{DAY}' as bucket_start, 1 as total_invocations,
                1 as successful_completions, 0 as failed_invocations, 0 as unknown_outcomes;
            """
        )
    yield settings


def _output(found: dict[str, Any]) -> tuple[int, int, int, int]:
    (item,) = [item for item in found["tokens"] if item["tier"] == "output"]
    return item["naive"], item["dropped"], item["kept"], item["figure"]


@pytest.mark.parametrize("name", ["s-1", KEY, KEY.upper()])
def test_a_session_is_the_lines_that_tell_of_its_calls_wherever_they_lie(
    built: Settings, name: str
) -> None:
    found = explain_usage(name, settings=built)
    assert _output(found) == (1579, 948, 631, 631)
    assert found["agrees"]
    assert found["calls"] == 1
    assert [(row["file_path"], row["line_no"], row["verdict"]) for row in found["rows"]] == [
        ("/t/s.jsonl", 1, "stream_partial"), ("/t/s.jsonl", 2, "stream_partial"),
        ("/t/s.jsonl", 3, "kept"), ("/t/s.jsonl", 4, "fork_replay"),
    ]  # fmt: skip


def test_a_fork_lists_what_it_repeats_and_counts_its_own(built: Settings) -> None:
    found = explain_usage("s-2", settings=built)
    assert _output(found) == (638, 631, 7, 7)
    assert [row["line_no"] for row in found["rows"]] == [4, 5]
    assert [(item["verdict"], item["rows"]) for item in found["verdicts"]] == [
        ("kept", 1), ("fork_replay", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("zone", "kept"), [("UTC", 638), ("Pacific/Kiritimati", 0)])
def test_a_day_is_one_of_the_zone_that_was_named(built: Settings, zone: str, kept: int) -> None:
    found = explain_usage(day=DAY, project="shop", zone=zone, settings=built)
    assert _output(found)[2:] == (kept, kept)
    assert found["agrees"]


def test_rows_that_do_not_add_up_to_the_figure_are_told_and_end_with_one(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.open_warehouse(built) as connection:
        connection.execute("update marts.usage_quarter_hours set output_tokens = 1")
    assert not explain_usage("s-1", settings=built)["agrees"]
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: built)
    shown = CliRunner().invoke(app, ["explain", "usage", "--session", "s-1"])
    assert shown.exit_code == 1
    assert "do not add up" in shown.output


def test_uses_of_a_skill_are_its_records_and_why_they_do_not_count(built: Settings) -> None:
    found = explain_skill("commit", DAY, "shop", settings=built)
    assert found["uses"] == {"naive": 4, "dropped": 3, "kept": 1, "figure": 1}
    assert found["agrees"]
    assert {
        (row["source_kind"], row["line_no"], row["ordinal"], row["verdict"])
        for row in found["rows"]
    } == {
        ("skill_metrics", None, 3, "kept"), ("skill_metrics", None, 2, "superseded_version"),
        ("claude_code", 7, 0, "snapshot_copy"), ("claude_code_otel", 9, 4, "told_by_transcript"),
    }  # fmt: skip


def test_the_place_of_a_use_is_a_line_where_its_file_has_lines_and_a_record_where_it_has_none(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: built)
    shown = CliRunner().invoke(app, ["explain", "skill", "commit", "--day", DAY]).stdout
    for place in (
        "/t/s.jsonl, record 3", "/t/s.jsonl, record 2", "/t/s.jsonl:7", "/t/s.jsonl:9, record 4",
    ):  # fmt: skip
        assert any(line.rstrip().endswith(place) for line in shown.splitlines()), shown


@pytest.mark.parametrize(
    "asked",
    [{}, {"session": "s-1", "day": DAY}, {"day": "soon"}, {"session": "s-1", "project": "shop"},
     {"day": DAY, "zone": "Mars"}],
)  # fmt: skip
def test_a_question_that_means_nothing_is_refused(built: Settings, asked: Any) -> None:
    with pytest.raises(UsageError):
        explain_usage(**asked, settings=built)


@pytest.mark.parametrize("name", ["nothing", "3f2", ""])
def test_an_unknown_session_is_said_to_be_unknown(built: Settings, name: str) -> None:
    with pytest.raises(UnknownNameError):
        explain_usage(name, settings=built)
    with pytest.raises(UsageError, match=FORK):
        explain_usage("3f2a9c1d", settings=built)


def test_an_unknown_use_of_a_skill_names_the_command_that_lists_them(built: Settings) -> None:
    with pytest.raises(UnknownNameError, match="skills top"):
        explain_skill("commit", "2020-01-01", settings=built)


def test_without_a_warehouse_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AgentLedgerError, match="agentledger run"):
        explain_usage("s-1", settings=Settings(home=tmp_path / "new", host_zone="UTC"))


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["usage", "--session", "s-1"], "/t/s.jsonl:3"),
        (["usage", "--day", DAY], "/t/s.jsonl:3"),
        (["skill", "commit", "--day", DAY, "--project", "shop"], "/t/s.jsonl:7"),
    ],
)
def test_the_command_prints_file_and_line_for_people_and_json_for_programs(
    built: Settings, command: list[str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentledger.cli.options.current_settings", lambda: built)
    shown = CliRunner().invoke(app, ["explain", *command])
    assert shown.exit_code == 0, shown.output
    assert place in shown.stdout
    document = json.loads(CliRunner().invoke(app, ["explain", *command, "--json"]).stdout)
    assert document["agrees"]
