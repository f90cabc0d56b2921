"""A table that is loaded, grows, changes, and whose server dies: nothing lost, nothing twice."""

import random
import threading
import time

import pytest

from agentledger.ingest import plan, postgres_load, postgres_pages
from tests.postgres.conftest import INTENTS, WORKFLOWS, Ledger
from tests.postgres.server import Server, say

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

FILL = """
insert into {table} (event_id, ts, utterance_hash, outcome)
select md5(n::text)::uuid, '2026-05-01T00:00:00Z'::timestamptz + n * interval '1 s',
    md5('u' || n), 'ready'
from generate_series({first}, {last}) as n
"""


def fill(ledger: Ledger, first: int, last: int) -> None:
    ledger.server.sql(FILL.format(table=ledger.sql("intent_events"), first=first, last=last))


def ids(ledger: Ledger) -> list[str]:
    return ledger.values("select event_id from raw.intent_events order by event_id")


def expected_ids(ledger: Ledger) -> list[str]:
    return ledger.server.sql(
        f'select event_id from {ledger.sql("intent_events")} order by event_id::text collate "C"'
    ).splitlines()


@pytest.fixture
def intents(ledger: Ledger) -> Ledger:
    ledger.make("intent_events", INTENTS)
    ledger.add("intent_events")
    return ledger


def test_what_is_appended_arrives_and_what_is_known_is_counted_as_known(intents: Ledger) -> None:
    fill(intents, 1, 1000)
    first = intents.collect().totals()
    fill(intents, 1001, 1100)
    second = intents.collect().totals()
    third = intents.collect().totals()
    assert (first["accepted"], first["already_known"]) == (1000, 0)
    assert second["accepted"] == 100
    # The overlap of ten minutes is read again, at one event per second, and known.
    assert 590 <= second["already_known"] <= 610
    assert third["accepted"] == 0
    assert ids(intents) == expected_ids(intents)


def test_pages_cut_a_table_anywhere_and_lose_nothing(
    intents: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_pages, "PAGE_ROWS", 170)
    fill(intents, 1, 2000)
    # A thousand rows of one moment: pages end inside it.
    intents.server.sql(
        f"insert into {intents.sql('intent_events')} (ts, outcome) "
        "select '2026-05-01T00:10:00Z', 'ready' from generate_series(1, 1000)"
    )
    report = intents.collect()
    # Without an index on its time, a table gives no more than eight pages or so.
    assert report.batches >= 8
    assert ids(intents) == expected_ids(intents)


def test_a_changed_row_arrives_as_a_further_version_although_its_time_stayed(
    intents: Ledger,
) -> None:
    fill(intents, 1, 2000)
    intents.collect()
    intents.server.sql(
        f"update {intents.sql('intent_events')} set outcome = 'no_match' "
        "where event_id = md5('5')::uuid"
    )
    report = intents.collect()
    assert report.totals()["accepted"] == 1
    assert intents.values(
        "select outcome from raw.intent_events where event_id = "
        "(select event_id from raw.intent_events where outcome = 'no_match') order by load_seq"
    ) == ["ready", "no_match"]


def test_a_run_that_ends_arrives_as_a_further_version(ledger: Ledger) -> None:
    ledger.make("workflow_executions", WORKFLOWS)
    ledger.add("workflow_executions")
    table = ledger.sql("workflow_executions")
    ledger.server.sql(
        f"insert into {table} values ('w-1', 'shop', 'deploy', '2026-05-01T10:00:00Z', null, "
        "'running', '[\"a\", \"b\", \"a\"]', null, '{}')"
    )
    ledger.collect()
    ledger.server.sql(
        f"update {table} set status = 'completed', completed_at = '2026-05-01T10:14:09Z', "
        "total_duration_ms = 849000.0"
    )
    ledger.collect()
    assert ledger.rows(
        "select status, completed_at, total_duration_ms, skills_used, named_project "
        "from raw.workflow_executions order by load_seq"
    ) == [
        ("running", None, None, '["a","b","a"]', "shop"),
        ("completed", "2026-05-01T10:14:09+00:00", "849000.0", '["a","b","a"]', "shop"),
    ]
    # Rows name projects of their own, opted in with their source.
    assert ledger.values("select project_name from raw.projects where is_active order by 1") == [
        f"postgres.{ledger.schema}.workflow_executions", "shop",
    ]  # fmt: skip


def test_what_is_deleted_on_the_server_stays(intents: Ledger) -> None:
    fill(intents, 1, 100)
    intents.collect()
    before = ids(intents)
    intents.server.sql(f"delete from {intents.sql('intent_events')}")
    intents.collect()
    assert ids(intents) == before


@pytest.mark.parametrize("sweeps", [True, False], ids=["swept", "overlap-alone"])
def test_a_commit_that_came_late_with_an_older_time_is_found(
    intents: Ledger, monkeypatch: pytest.MonkeyPatch, sweeps: bool
) -> None:
    if not sweeps:  # as of a large table, which is swept once a day
        monkeypatch.setattr(postgres_pages, "SWEEP_EACH_RUN_ROWS", -1)
    table = intents.sql("intent_events")
    insert = f"insert into {table} (event_id, ts, outcome) values "
    late = intents.server.session()
    say(late, "begin")
    say(late, insert + "(md5('late')::uuid, now() - interval '2 minutes', 'ready')")
    intents.server.sql(insert + "(md5('early')::uuid, now(), 'ready')")
    intents.collect()
    assert len(ids(intents)) == 1
    say(late, "commit")
    late.kill()
    intents.collect()
    assert ids(intents) == expected_ids(intents)


def test_a_commit_later_than_the_overlap_is_found_by_the_sweep(intents: Ledger) -> None:
    table = intents.sql("intent_events")
    intents.server.sql(f"insert into {table} (ts, outcome) values (now(), 'ready')")
    intents.collect()
    intents.server.sql(
        f"insert into {table} (ts, outcome) values (now() - interval '300 days', 'ready'), "
        "('-infinity', 'ready'), ('infinity', 'ready')"
    )
    intents.collect()
    intents.server.sql(f"insert into {table} (ts, outcome) values (now(), 'ready')")
    intents.collect()
    assert ids(intents) == expected_ids(intents)


def test_a_table_without_times_or_numbers_is_followed_by_its_row_versions(ledger: Ledger) -> None:
    ledger.make("chat_events", "event_id uuid, ts text, assistant_message_hash text")
    ledger.add("chat_events")
    table = ledger.sql("chat_events")
    fill_chat = (
        f"insert into {table} select gen_random_uuid(), '2026-05-01T10:00:00Z', md5(n::text) "
        "from generate_series(1, 500) as n"
    )
    ledger.server.sql(fill_chat)
    ledger.collect()
    ledger.server.sql(fill_chat)
    report = ledger.collect()
    assert (report.totals()["accepted"], report.totals()["already_known"]) == (500, 0)
    assert ledger.values("select count(distinct event_id) from raw.chat_events") == [1000]


def test_a_table_that_was_made_anew_is_read_from_its_beginning(intents: Ledger) -> None:
    fill(intents, 1, 100)
    intents.collect()
    intents.server.sql(f"drop table {intents.sql('intent_events')}")
    intents.make("intent_events", INTENTS)
    fill(intents, 50, 120)
    report = intents.collect()
    assert (report.totals()["accepted"], report.totals()["already_known"]) == (20, 51)


def test_a_view_gives_what_its_table_gives(intents: Ledger) -> None:
    fill(intents, 1, 300)
    view = intents.sql("recent")
    intents.server.sql(f"create view {view} as select * from {intents.sql('intent_events')}")
    other = Ledger(intents.settings.home.with_name("other"), intents.server, intents.schema)
    other.add("recent", contract="intent_events")
    other.collect()
    fill(intents, 301, 320)
    other.collect()
    assert ids(other) == expected_ids(intents)


def test_nothing_new_is_told_without_reading_and_news_at_once(intents: Ledger) -> None:
    def asks() -> bool:
        found = plan.new_work(intents.settings, intents.as_of).reasons
        return any("rows that were not read" in reason for reason in found)

    fill(intents, 1, 100)
    intents.collect()
    assert not asks()
    intents.server.sql(
        f"update {intents.sql('intent_events')} set outcome = 'error' where event_id = "
        "md5('7')::uuid"
    )
    assert asks()
    intents.collect()
    assert not asks()


def test_a_server_killed_in_the_middle_of_a_page_costs_that_page(
    intents: Ledger, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_pages, "PAGE_ROWS", 20_000)
    intents.server.sql(f"create index on {intents.sql('intent_events')} (ts)")
    fill(intents, 1, 100_000)
    batches = 0
    numbered = postgres_load._NumberedRows._numbered

    def deadly(self: object, schema: object) -> object:
        nonlocal batches
        for batch in numbered(self, schema):  # type: ignore[arg-type]
            batches += 1
            yield batch
            if batches == 3:
                server.kill()

    monkeypatch.setattr("agentledger.ingest.postgres_session.BATCH_BYTES", 200_000)
    monkeypatch.setattr(postgres_load._NumberedRows, "_numbered", deadly)
    report = intents.collect()
    [problem] = report.sources[0].problems
    assert problem.reason == "unreachable"
    assert "no connection" in problem.detail
    committed = len(ids(intents))
    assert committed < 100_000
    assert committed == report.totals()["accepted"]
    # A server that is still away is told again, and nothing is lost.
    assert intents.collect().sources[0].problems[0].reason == "unreachable"
    monkeypatch.setattr(postgres_load._NumberedRows, "_numbered", numbered)
    server.start()
    fill(intents, 100_001, 100_050)
    report = intents.collect()
    assert not report.sources[0].problems
    assert ids(intents) == expected_ids(intents)
    assert intents.values("select state from raw.files") == ["loaded"]


def test_a_server_killed_at_random_moments_loses_and_doubles_nothing(
    intents: Ledger, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_pages, "PAGE_ROWS", 5_000)
    monkeypatch.setattr("agentledger.ingest.postgres_session.BATCH_BYTES", 100_000)
    intents.server.sql(f"create index on {intents.sql('intent_events')} (ts)")
    fill(intents, 1, 60_000)
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    problems = 0
    for attempt in range(6):
        fill(intents, 60_000 + attempt * 100 + 1, 60_000 + attempt * 100 + 100)
        killer = threading.Timer(chance.uniform(0.05, 1.5), server.kill)
        killer.start()
        problems += len(intents.collect().sources[0].problems)
        killer.join()
        server.start()
    assert problems >= 1
    time.sleep(0.1)
    assert not intents.collect().sources[0].problems
    assert ids(intents) == expected_ids(intents)
    read, told = intents.rows(
        "select sum(records_read), sum(accepted) + sum(already_known) from raw.file_loads"
    )[0]
    assert read == told
