"""What the server sees of us: read only, bounded in time, and a password that shows up nowhere."""

from pathlib import Path

import pytest

from agentledger import postgres_sources, registry
from agentledger.ingest.postgres_session import PostgresError, open_session
from tests.postgres.conftest import INTENTS, Ledger
from tests.postgres.server import READER_PASSWORD, Server

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def test_a_session_can_write_nothing_and_sees_one_moment(server: Server) -> None:
    with open_session(server.dsn, 30) as session:
        assert session.rows(
            "select current_setting('transaction_read_only'), "
            "current_setting('default_transaction_read_only'), "
            "current_setting('transaction_isolation')"
        ) == [("on", "on", "repeatable read")]
        with pytest.raises(PostgresError, match="read-only transaction"):
            session.rows("create table written (a int)")
    # A function that writes, such as a view or a policy may call, is refused as well.
    server.sql("create table touched (a int); create function touch() returns int language sql "
               "as 'insert into touched values (1) returning a'")  # fmt: skip
    with open_session(server.dsn, 30) as session, pytest.raises(PostgresError, match="read-only"):
        session.rows("select touch()")
    assert server.sql("select count(*) from touched") == "0"


def test_a_statement_that_takes_too_long_is_ended(ledger: Ledger) -> None:
    ledger.make("slow_rows", INTENTS)
    slow, base = ledger.sql("intent_events"), ledger.sql("slow_rows")
    ledger.server.sql(
        f"insert into {base} (outcome) values ('ready'); create view {slow} as "
        f"select t.*, pg_sleep(5)::text as slept from {base} as t where pg_sleep(5) is not null"
    )
    ledger.add("intent_events")
    config = ledger.settings.config_path
    config.write_text(config.read_text() + "statement_timeout_seconds = 1\n")
    [problem] = ledger.collect().sources[0].problems
    assert problem.reason == "timeout"
    assert "statement_timeout_seconds" in problem.detail


def test_a_connection_string_with_a_password_is_refused_and_not_repeated(
    server: Server, ledger: Ledger
) -> None:
    for dsn in (
        server.dsn_with_password,
        f"host=127.0.0.1 port={server.port} user=keeper password={READER_PASSWORD}",
    ):
        process = ledger.call("source", "add", "postgres", dsn, "--table", "x")
        assert process.returncode == 2
        assert "--dsn-env" in process.stderr
        assert READER_PASSWORD not in process.stdout + process.stderr
    assert not ledger.settings.config_path.exists()


def test_a_password_in_a_variable_opens_the_table_and_stands_nowhere(
    ledger: Ledger, server: Server
) -> None:
    ledger.make("intent_events", INTENTS)
    table = ledger.sql("intent_events")
    server.sql(
        f'grant usage on schema "{ledger.schema}" to keeper; grant select on {table} to keeper; '
        f"insert into {table} (outcome) values ('ready')"
    )
    secret = {"SHOP_DSN": server.dsn_with_password}
    wrong = {"SHOP_DSN": server.dsn_with_password.replace(READER_PASSWORD, "wr0ng-secret")}
    said = ""
    for environment, arguments in (
        (secret, ("source", "add", "postgres", "--dsn-env", "SHOP_DSN", "--table", table)),
        (wrong, ("run",)),
        ({}, ("run",)),
        (secret, ("run",)),
        (secret, ("run", "--full-refresh")),
        (secret, ("status",)),
        (secret, ("status", "--json")),
        (secret, ("source", "list", "--json")),
        (wrong, ("health",)),
    ):
        process = ledger.call(*arguments, environment=environment)
        said += process.stdout + process.stderr
    assert "1 accepted" in said or '"accepted": 1' in said, said
    assert "refused the login" in said
    assert "is not set" in said
    written = b"".join(
        path.read_bytes() for path in ledger.settings.home.rglob("*") if path.is_file()
    )
    for password in (READER_PASSWORD, "wr0ng-secret"):
        assert password not in said
        assert password.encode() not in written


def test_a_password_file_opens_the_table(ledger: Ledger, server: Server, tmp_path: Path) -> None:
    ledger.make("intent_events", INTENTS)
    table = ledger.sql("intent_events")
    server.sql(
        f'grant usage on schema "{ledger.schema}" to keeper; grant select on {table} to keeper; '
        f"insert into {table} (outcome) values ('ready')"
    )
    passfile = tmp_path / "passfile"
    passfile.write_text(f"127.0.0.1:{server.port}:*:keeper:{READER_PASSWORD}\n")
    passfile.chmod(0o600)
    dsn = f"postgresql://keeper@127.0.0.1:{server.port}/postgres?passfile={passfile}"
    entry = postgres_sources.new_entry(dsn, table)
    registry.add_postgres_source(ledger.settings, entry)
    assert ledger.collect().totals()["accepted"] == 1


def test_a_source_that_is_purged_leaves_nothing_and_is_read_anew_when_it_comes_back(
    ledger: Ledger, server: Server
) -> None:
    ledger.make("intent_events", INTENTS)
    table = ledger.sql("intent_events")
    server.sql(f"insert into {table} (outcome) values ('ready'), ('error')")
    ledger.add("intent_events")
    assert ledger.call("run").returncode == 0
    process = ledger.call(
        "source", "remove", "postgres", server.dsn, "--table", table, "--purge", "--yes"
    )
    assert process.returncode == 0, process.stdout + process.stderr
    for name in ("intent_events", "postgres_watermarks", "files", "sources"):
        assert ledger.values(f"select count(*) from raw.{name}") == [0], name
    ledger.add("intent_events")
    assert ledger.collect().totals()["accepted"] == 2


def test_rows_older_than_the_owner_keeps_them_never_land(ledger: Ledger, server: Server) -> None:
    ledger.make("intent_events", INTENTS)
    server.sql(
        f"insert into {ledger.sql('intent_events')} (ts, outcome) values "
        "(now() - interval '100 days', 'ready'), (now(), 'ready')"
    )
    ledger.add("intent_events")
    config = ledger.settings.config_path
    config.write_text("retention_days = 90\n" + config.read_text())
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["already_known"]) == (1, 1)
