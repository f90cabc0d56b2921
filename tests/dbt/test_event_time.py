"""Retention reads a time as the staging model does: one rule, written twice, compared here."""

from collections.abc import Callable
from typing import Any

import yaml

from agentledger import event_time
from tests.conftest import DBT_PROJECT
from tests.factories import make_source, make_usage

SPELLINGS = (
    "2026-03-01T10:00:00+00:00", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00z",
    "2026-03-01 10:00:00+02", "2026-03-01T10:00:00.123456-05:30", " 2026-03-01T10:00:00Z ",
    "2026-03-01T10:00:00,5Z", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60",
    "2026-03-01", "2026-03-01T10:00:00", "2026-03-01 10:00", "2026-3-1 10:00:00",
    "2026-03-01T10:00:00.123456789",
    # Berlin: shown twice on 2026-10-25 between two and three, never on 2026-03-29.
    "2026-10-25T02:30:00", "2026-10-25T01:59:59", "2026-10-25T03:00:00", "2026-03-29T02:30:00",
    # New York: twice on 2026-11-01 between one and two. Lord Howe turns by half an hour.
    "2026-11-01T01:30:00", "2026-04-05T01:45:00", "2026-04-05T02:15:00",
    "1772359200", "1772359200.5", "1772359200123", "1772359200123456", "1772359200123456789",
    "-5", "1e9", "0", "99999999999999999999999", "", "  ", "never", "infinity", "2026-13-45",
    "2026-02-30T10:00:00Z", "10:00", "1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z",
)  # fmt: skip
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")


def test_every_spelling_is_read_as_staging_reads_it(
    new_warehouse: Callable[[], Any], dbt: Callable[..., Any]
) -> None:
    warehouse = new_warehouse()
    warehouse.register("p1")
    warehouse.write("sources", [make_source(f"source-{zone}", zone=zone) for zone in ZONES])
    warehouse.write(
        "skill_usage",
        [
            make_usage(source_id=f"source-{zone}", invoked_at=text, session_id=f"{zone}{number}")
            for zone in ZONES
            for number, text in enumerate(SPELLINGS)
        ],
    )
    dbt(warehouse.path, "run", "--select", "+stg_skill_metrics__invocations")
    with warehouse.connect() as connection:
        event_time.define(connection, {})
        different = connection.execute(
            """
            select s.invoked_at_raw, z.zone, s.occurred_at,
                event_time(s.invoked_at_raw, z.zone) as read_at
            from staging.stg_skill_metrics__invocations as s
            join event_time_zones as z using (source_id)
            where s.occurred_at is distinct from event_time(s.invoked_at_raw, z.zone)
            """
        ).fetchall()
        counted = connection.execute(
            "select count(*), count(occurred_at) from staging.stg_skill_metrics__invocations"
        ).fetchone()
    assert different == []
    assert counted is not None and counted[0] == len(SPELLINGS) * len(ZONES) < 2 * counted[1]


def test_both_believe_the_same_earliest_time() -> None:
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text())
    earliest = project["vars"]["agentledger"]["earliest_plausible_at"]
    assert f"{earliest} 00:00:00+00" == event_time.EARLIEST_PLAUSIBLE
