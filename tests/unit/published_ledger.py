"""A small published snapshot, made by hand: the worked examples of the metrics contract.

Belongs here: building a snapshot as `publish` leaves it (schemas `marts` and `meta`, the pointer),
without dbt. The figures are those of the contract's examples, not results of our SQL.
"""

import contextlib
import functools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from agentledger.settings import Settings

Connection = duckdb.DuckDBPyConnection
AS_OF = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
SHOP, BLOG = "a" * 32, "b" * 32
EVIL_SKILL = "x'; drop table marts.skill_aggregates; --"
UGLY_SKILL = "ugly\x1b[31m\x07\u202eskill\x9b"

MARTS = """
create schema marts;
create schema meta;
create table marts.skill_aggregates (
    skill_name varchar, project_id varchar, time_window varchar, bucket_start date,
    total_invocations bigint, successful_completions bigint, failed_invocations bigint,
    unknown_outcomes bigint, known_outcomes bigint, success_rate double,
    success_rate_low double, success_rate_high double,
    avg_duration_ms double, p50_duration_ms double, p95_duration_ms double,
    avg_followup_actions double, followup_rate double,
    distinct_sessions bigint, distinct_projects bigint,
    first_used_at timestamptz, last_used_at timestamptz, evidence varchar, load_seq bigint
);
create table marts.skill_totals (
    project_id varchar, time_window varchar, bucket_start date, distinct_skills bigint,
    total_invocations bigint, successful_completions bigint, failed_invocations bigint,
    unknown_outcomes bigint, known_outcomes bigint, success_rate double,
    success_rate_low double, success_rate_high double, last_used_at timestamptz
);
create view marts.top_skills as
select
    project_id, time_window, bucket_start, skill_name, total_invocations, successful_completions,
    failed_invocations, unknown_outcomes, known_outcomes, success_rate, success_rate_low,
    success_rate_high,
    row_number() over (
        partition by project_id, time_window, bucket_start
        order by total_invocations desc, skill_name
    ) as rank_by_uses,
    case when known_outcomes >= 5 then row_number() over (
        partition by project_id, time_window, bucket_start, known_outcomes >= 5
        order by success_rate_low desc, known_outcomes desc, skill_name
    ) end as rank_by_quality
from marts.skill_aggregates;
create table marts.skill_effectiveness (
    project_id varchar, skill_name varchar, total_invocations bigint, known_outcomes bigint,
    success_rate double, evidence varchar
);
create table marts.skill_insights (
    project_id varchar, skill_name varchar, insight varchar, evidence varchar, priority varchar,
    recommendation varchar, value double, threshold double, numerator bigint, denominator bigint
);
create table marts.dim_projects (
    project_id varchar, project_name varchar, project_type varchar, total_invocations bigint,
    distinct_skills bigint, is_active boolean, registered_at timestamptz,
    first_used_at timestamptz, last_used_at timestamptz
);
create table marts.data_freshness (
    project_id varchar, health varchar, event_age_hours double, load_age_hours double,
    last_event_at timestamptz, last_loaded_at timestamptz, as_of timestamptz
);
create table marts.v_unpriced_models (
    provider varchar, model varchar, calls bigint, unpriced_calls bigint, unpriced_tokens bigint,
    reason varchar, first_called_at timestamptz, last_called_at timestamptz
);
create table marts.source_drift (
    source_kind varchar, what varchar, name varchar, occurrences bigint, n_files bigint,
    example_file_id bigint, example_line_no bigint, unparsed_share double,
    unparsed_share_before double, is_alarm boolean
);
create table marts.reconciliation (
    reconciliation_key uuid, comparison varchar, project_id varchar, session_key uuid,
    model varchar, first_source varchar, second_source varchar, measure varchar, calls bigint,
    first_value double, second_value double, gap double, gap_share double,
    is_within_tolerance boolean, occurred_on date
);
create table marts.ledger_usage as
select * from (values
    ('__all__', '__all__', '__all__', 9, 1, 4.0, 30.0, null, null, null, null, null),
    ('skills show', '__all__', '__all__', 6, 1, 5.0, 30.0, 1, 1, null, null, null),
    ('sql', '__all__', '__all__', 3, 0, 2.0, 3.0, 2, 2, null, null, null),
    ('__all__', 'skill', 'B', 3, 0, 5.0, 6.0, 1, 2, 2, 1, false),
    ('__all__', 'skill', 'C', 2, 0, 7.0, 8.0, 2, 1, 1, 2, true),
    ('skills show', 'skill', 'B', 3, 0, 5.0, 6.0, 1, 2, 2, 1, false)
) as t (
    question, subject_kind, subject_name, asked_count, failed_count, p50_duration_ms,
    p95_duration_ms, rank_by_requests, rank_by_answer_time, rank_by_subject_duration,
    rank_by_subject_quality, needs_improvement
);
alter table marts.ledger_usage add column last_asked_at timestamptz;
alter table marts.ledger_usage add column subject_uses bigint;
alter table marts.ledger_usage add column subject_known_outcomes bigint;
alter table marts.ledger_usage add column subject_success_rate double;
alter table marts.ledger_usage add column subject_success_rate_low double;
alter table marts.ledger_usage add column subject_success_rate_high double;
alter table marts.ledger_usage add column subject_p95_duration_ms double;
alter table marts.ledger_usage add column subject_insight varchar;
"""


@dataclass(frozen=True)
class Use:
    """One row of skill_aggregates; the rate and its interval are given, not computed."""

    skill: str
    uses: int
    ok: int
    failed: int
    rate: float | None
    low: float | None
    high: float | None
    project: str = "__all__"
    window: str = "all"
    bucket: str = "1970-01-01"


# analyses B1: A has too few outcomes, D has none.
RANKED = (
    Use("A", 1, 1, 0, 1.0, 0.2065, 1.0),
    Use("B", 50, 45, 5, 0.9, 0.7864, 0.9565),
    Use("C", 110, 90, 20, 0.8182, 0.7358, 0.8794),
    Use("D", 30, 0, 0, None, None, None),
)
BUCKETS = (
    Use("B", 4, 3, 1, 0.75, 0.3006, 0.9544, window="weekly", bucket="2026-03-02"),
    Use("B", 9, 8, 1, 0.8889, 0.5650, 0.9801, window="weekly", bucket="2026-03-09"),
    Use("C", 7, 2, 5, 0.2857, 0.0822, 0.6411, window="weekly", bucket="2026-03-09"),
    Use("B", 2, 2, 0, 1.0, 0.3424, 1.0, window="daily", bucket="2026-03-10"),
    Use("B", 1, 1, 0, 1.0, 0.2065, 1.0, window="daily", bucket="2026-03-12"),
    Use("B", 20, 18, 2, 0.9, 0.6990, 0.9721, project=SHOP),
    Use("B", 30, 27, 3, 0.9, 0.7438, 0.9654, project=BLOG),
)
STRANGE = (
    Use(EVIL_SKILL, 2, 1, 1, 0.5, 0.0945, 0.9055),
    Use(UGLY_SKILL, 3, 3, 0, 1.0, 0.4385, 1.0),
)


def settings_of(home: Path) -> Settings:
    """Settings of a data home in a temporary folder."""
    return Settings(home=home, host_zone="UTC")


def publish_ledger(
    settings: Settings,
    build_id: str = "1",
    uses: tuple[Use, ...] = RANKED + BUCKETS + STRANGE,
    schema_version: int = 1,
) -> Path:
    """Write a snapshot and point readers to it; returns its path."""
    settings.published_dir.mkdir(parents=True, exist_ok=True)
    path = settings.published_dir / f"ledger-{build_id}.duckdb"
    path.write_bytes(_snapshot_bytes(build_id, uses, schema_version))
    point_to(settings, path.name)
    return path


@contextlib.contextmanager
def publishing_more(settings: Settings, sql: str) -> Iterator[tuple[Path, Connection]]:
    """Publish a ledger, run `sql` in its snapshot and let the body write to it."""
    path = publish_ledger(settings)
    connection = duckdb.connect(str(path))
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(sql)
        yield path, connection
    finally:
        connection.close()


@functools.cache
def _snapshot_bytes(build_id: str, uses: tuple[Use, ...], schema_version: int) -> bytes:
    """The file of a snapshot, built once per process: DuckDB takes 0.2 s for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.duckdb"
        connection = duckdb.connect(str(path))
        try:
            connection.execute("set timezone = 'UTC'")
            connection.execute(MARTS)
            _fill(connection, uses)
            connection.execute(
                "create table meta.build as select ?::varchar as build_id, ?::integer as "
                "schema_version, 'run-1' as run_id, ?::timestamptz as as_of, 7::bigint as "
                "load_seq, 'p:s:m' as fingerprint, ?::timestamptz as published_at",
                [build_id, schema_version, AS_OF, AS_OF],
            )
            connection.execute(
                "create table meta.relations as select 'skill_aggregates' as relation_name, "
                "count(*) as row_count from marts.skill_aggregates"
            )
        finally:
            connection.close()
        return path.read_bytes()


def point_to(settings: Settings, name: str) -> None:
    """Swap the pointer as `publish` does."""
    draft = settings.published_dir / ".current.draft"
    draft.write_text(name + "\n", encoding="utf-8")
    draft.replace(settings.published_pointer)


def _fill(connection: duckdb.DuckDBPyConnection, uses: tuple[Use, ...]) -> None:
    for use in uses:
        _insert(
            connection,
            "skill_aggregates",
            [
                use.skill, use.project, use.window, use.bucket, use.uses, use.ok, use.failed,
                use.uses - use.ok - use.failed, use.ok + use.failed, use.rate, use.low, use.high,
                None, None, 4800.0, None, None, 3, 2,
                "2026-03-01 23:30:00+00", "2026-03-12 08:00:00+00", "insufficient_data", 7,
            ],
        )  # fmt: skip
    if not uses:
        return
    _insert(
        connection,
        "skill_totals",
        [
            "__all__", "all", "1970-01-01", 6, 196, 140, 26, 30, 166, 0.8434, 0.7804, 0.8909,
            "2026-03-12 08:00:00+00",
        ],
    )  # fmt: skip
    _insert(connection, "skill_effectiveness", ["__all__", "B", 50, 50, 0.9, "sufficient"])
    for priority, skill, insight, evidence in (
        ("low", "B", "well_tuned", "provisional"),
        ("high", "C", "low_success", "confirmed"),
    ):
        _insert(
            connection,
            "skill_insights",
            ["__all__", skill, insight, evidence, priority, "Do it.", 0.3667, 0.6, 11, 30],
        )
    for project_id, name, is_active in (
        (SHOP, "shop", True),
        (BLOG, "blog", True),
        ("c" * 32, "twin", True),
        ("d" * 32, "twin", True),
        ("e" * 32, "gone", False),
    ):
        _insert(
            connection,
            "dim_projects",
            [project_id, name, None, 20, 1, is_active, None, None, "2026-03-12 08:00:00+00"],
        )
        _insert(
            connection,
            "data_freshness",
            [project_id, "ok", 1.0, 0.5, "2026-03-12 08:00:00+00", "2026-03-12 08:30:00+00", AS_OF],
        )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, values: list[Any]) -> None:
    marks = ", ".join("?" for _ in values)
    connection.execute(f"insert into marts.{table} values ({marks})", values)
