"""SQL of the user's own: what it may read, and that it reaches nothing else."""

import json
import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from agentledger import query
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.query.answers import json_value
from agentledger.query.sql import ROWS_PER_BATCH, answer_sql, open_sql
from agentledger.settings import Settings
from agentledger.snapshot import open_snapshot
from tests.unit.published_ledger import publish_ledger, settings_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_of(tmp_path / "home")
    publish_ledger(settings)
    return settings


ESCAPES = [
    "select * from read_csv('{secret}')",
    "select * from read_text('{secret}')",
    "select * from read_blob('{secret}')",
    "select * from read_json('{secret}')",
    "select * from read_parquet('{secret}')",
    "from '{secret}'",
    "from glob('{folder}/*')",
    "attach '{secret}' as other",
    "attach ':memory:' as other",
    "copy marts.skill_aggregates to '{folder}/out.csv'",
    "copy (select 1) to '/dev/stdout'",
    "export database '{folder}/out'",
    "import database '{folder}'",
    "install httpfs",
    "load httpfs",
    "load json",
    "set memory_limit = '8GB'",
    "reset lock_configuration",
    "set enable_external_access = true",
    "set variable x = 1",
    "pragma database_list",
    "pragma enable_profiling",
    "pragma profiling_output = '{folder}/out'",
    "call pragma_version()",
    "call enable_logging()",
    "select getenv('HOME')",
    "from duckdb_secrets()",
    "create secret (type s3)",
    "create table marts.x as select 1",
    "create temp table x as select 1",
    "insert into marts.dim_projects select * from marts.dim_projects",
    "update marts.dim_projects set project_name = 'x'",
    "delete from marts.dim_projects",
    "drop table marts.skill_aggregates",
    "checkpoint",
    "begin",
    "use memory",
    "prepare q as select 1",
    "connect '{folder}'",
    "update extensions",
    "explain analyze copy marts.skill_aggregates to '{folder}/out.csv'",
    "select 1; select 2",
    "select 1; attach '{secret}' as other",
    "select * from hidden_frame",
    "selec 1",
    "",
    "-- only a comment",
    "select '\udcff'",
]


@pytest.mark.parametrize("sql", ESCAPES, ids=ascii)
def test_nothing_but_the_snapshot_is_reachable(
    settings: Settings, tmp_path: Path, sql: str
) -> None:
    """Each of these reads or writes something else, or changes the session."""
    import pandas as pd

    hidden_frame = pd.DataFrame({"a": [1]})  # noqa: F841 - DuckDB looks into callers' variables
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    settings.config_path.write_text("[usage]\nrecord_reads = false\n")  # the ledger's own log
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AgentLedgerError):
        answer_sql(sql.format(secret=secret, folder=tmp_path), settings=settings)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{secret}')",
        "attach '{secret}' as other",
        "copy (select 1) to '{folder}/out.csv'",
        "set enable_external_access = true",
        "insert into marts.dim_projects select * from marts.dim_projects",
        "select * from hidden_frame",
    ],
)
def test_the_connection_alone_refuses_too(settings: Settings, tmp_path: Path, sql: str) -> None:
    """Two walls: were a statement let through by mistake, the engine still refuses."""
    import duckdb
    import pandas as pd

    hidden_frame = pd.DataFrame({"a": [1]})  # noqa: F841 - DuckDB looks into callers' variables
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with open_snapshot(settings) as snapshot, pytest.raises(duckdb.Error):
        snapshot.connection.execute(sql.format(secret=secret, folder=tmp_path))


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "from marts.top_skills",
        "with x as (select 1 as a) select * from x;",
        "values (1)",
        "describe marts.top_skills",
        "show all tables",
        "summarize marts.skill_aggregates",
        "explain select 1",
        "pivot marts.skill_aggregates on time_window using max(total_invocations)",
        "from meta.build",
    ],
)
def test_every_kind_of_query_is_answered(settings: Settings, sql: str) -> None:
    assert answer_sql(sql, settings=settings).rows


def test_errors_are_told_apart(settings: Settings) -> None:
    """Not a query: wrong usage (2). A query that fails: failed (1)."""
    with pytest.raises(UsageError, match="Only queries"):
        answer_sql("drop table marts.skill_aggregates", settings=settings)
    with pytest.raises(UsageError, match="found 2"):
        answer_sql("select 1; select 2", settings=settings)
    with pytest.raises(AgentLedgerError, match="skil_aggregates") as caught:
        answer_sql("from marts.skil_aggregates", settings=settings)
    assert not isinstance(caught.value, UsageError)


def test_large_results_stream(settings: Settings) -> None:
    with open_sql(f"from range({2 * ROWS_PER_BATCH + 1})", settings=settings) as result:
        assert [len(batch) for batch in result.batches()] == [ROWS_PER_BATCH, ROWS_PER_BATCH, 1]


def test_an_error_part_of_the_way_is_told(settings: Settings) -> None:
    with pytest.raises(AgentLedgerError, match="query failed"):
        answer_sql(
            "select case when i > 100000 then error('late') else i end from range(200000) t(i)",
            settings=settings,
        )


def test_a_query_beyond_the_memory_limit_says_what_to_do(settings: Settings) -> None:
    """The engine advises to change settings, which are locked."""
    with pytest.raises(AgentLedgerError, match="Select fewer rows"):
        answer_sql("select list(range) from range(300000000)", settings=settings)


def test_a_frame_may_have_repeated_names(settings: Settings) -> None:
    frame = query.run_sql("select 1 as a, null::bigint as a, 2.5::double as b", settings=settings)
    assert list(frame.columns) == ["a", "a", "b"]
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "Int64", "float64"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (math.inf, None),
        (datetime(2026, 3, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T00:00:00Z"),
        (datetime(2026, 3, 1, 2), "2026-03-01T02:00:00Z"),
        (date(2026, 3, 1), "2026-03-01"),
        (Decimal("1.5"), 1.5),
        (Decimal("NaN"), None),
        (b"\x00\xff", "00ff"),
        ({"a": [date(2026, 3, 1)]}, {"a": ["2026-03-01"]}),
        (timedelta(seconds=1.5), 1.5),
        (True, True),
    ],
    ids=repr,
)
def test_every_value_becomes_json(value: object, expected: object) -> None:
    assert json_value(value) == expected
    json.dumps(json_value(value), allow_nan=False)


def test_every_type_of_duckdb_is_answered(settings: Settings) -> None:
    """A type that Python cannot hold must not end in a traceback."""
    answer = answer_sql(
        """
        select 170141183460469231731687303715884105727::hugeint as a, 1.5::decimal(9, 2) as b,
            uuid '00000000-0000-0000-0000-000000000001' as c, interval 1 month as d,
            map {'k': 1} as e, {'x': [1, null]} as f, time '10:00' as g, 'a'::enum('a', 'b') as h,
            '101'::bit as i, 'infinity'::double as j, timestamptz '2026-03-01 00:00:00+02' as k,
            '\\x00'::blob as l, null as m
        """,
        settings=settings,
    )
    json.dumps(answer.records(), allow_nan=False)
    assert answer.frame().shape == (1, 13)
