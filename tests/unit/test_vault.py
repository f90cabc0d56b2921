"""The vault: texts of sources whose owner wants them, each once, and nothing that raw lost."""

import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agentledger import (
    privacy,
    publish,
    purge,
    purge_requests,
    purge_targets,
    registry,
    vault,
    vault_texts,
    warehouse,
)
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.ingest import collect, load, plan
from agentledger.ingest.event_formats import FORMATS
from agentledger.ingest.event_projection import columns_projection_sql
from agentledger.ingest.scan_roots import sources_with_texts
from agentledger.settings import process_environment
from tests.unit import telemetry_logs
from tests.unit.conftest import AS_OF, Ledger, Run
from tests.unit.telemetry_logs import call, summary

HISTORY = [{"role": "user", "content": "Zq7FIRST"}, {"role": "assistant", "content": "Zq7REPLY"}]
TEXTS = ("Zq7FIRST", "Zq7REPLY", "Zq7USER", "Zq7SYSTEM", "Zq7ANSWER", "Zq7THOUGHT", "Zq7PATH",
         "Zq7OUTPUT")  # fmt: skip


def records() -> list[dict[str, Any]]:
    """Two calls that repeat a history, and their summary."""
    shared = {"system_prompt": "Zq7SYSTEM", "chat_history": HISTORY}
    return [
        call(
            1, user_message="Zq7USER", response_text=None, response_thoughts="Zq7THOUGHT",
            tool_calls=[{"name": "read_file", "args": {"path": "Zq7PATH"}}], **shared,
        ),
        call(2, user_message="Zq7USER", response_text="Zq7ANSWER", **shared),
        summary(
            3, user_message="Zq7USER", response_text="Zq7ANSWER",
            tool_results=[{"name": "read_file", "ok": True, "output": "Zq7OUTPUT"}],
        ),
    ]  # fmt: skip


@pytest.fixture
def log(ledger: Ledger, tmp_path: Path) -> Path:
    return telemetry_logs.write(tmp_path / "logs" / "agent_telemetry.jsonl", *records())


def add(ledger: Ledger, log: Path, content: str | None = "vault") -> None:
    registry.add_source(ledger.settings, "events", str(log.parent), "UTC", content=content)


def kept(ledger: Ledger, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(ledger.settings.vault_path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def finish(ledger: Ledger) -> None:
    """The end of a whole run, without dbt."""
    relation = publish.PublishedRelation("raw", "agent_telemetry", "table")
    publish.publish(ledger.settings, [relation], run_id=ledger.runs[-1], as_of=AS_OF)
    purge.finish(ledger.settings, run_id=ledger.runs[-1], forget_history=lambda requests: None)


def found_in(home: Path, *texts: str) -> list[tuple[str, str]]:
    """Files of the data home that hold one of the texts, in any of its bytes."""
    return [
        (path.name, text)
        for path in sorted(home.rglob("*"))
        if path.is_file()
        for text in texts
        if text.encode() in path.read_bytes()
    ]


def test_by_default_no_text_reaches_any_byte_of_the_data_home(ledger: Ledger, log: Path) -> None:
    add(ledger, log, content=None)
    ledger.collect()
    assert ledger.rows("select count(*) from raw.agent_telemetry") == [(3,)]
    assert not ledger.settings.vault_path.exists()
    assert found_in(ledger.settings.home, *TEXTS) == []


def test_texts_live_in_the_vault_alone_each_of_them_once(ledger: Ledger, log: Path) -> None:
    add(ledger, log)
    ledger.collect()
    assert {name for name, _ in found_in(ledger.settings.home, *TEXTS)} == {"vault.duckdb"}
    assert stat.S_IMODE(ledger.settings.vault_path.stat().st_mode) == 0o600
    # Two calls repeat two messages, the user's words stand in three records.
    for text in TEXTS:
        found = kept(ledger, f"select count(*) from contents where contains(text, '{text}')")
        assert found == [(1,)], text
    assert kept(
        ledger, "select len(text_hashes) from call_contents where field = 'chat_history'"
    ) == [(2,), (2,)]


def test_texts_come_back_in_order_by_record_and_version(ledger: Ledger, log: Path) -> None:
    add(ledger, log)
    ledger.collect()
    versions = [
        (str(key), str(version))
        for key, version in ledger.rows(
            "select record_key, content_hash from raw.agent_telemetry order by ts"
        )
    ]
    sources = sources_with_texts(ledger.settings)
    with vault_texts.opened(ledger.settings, sources) as texts:
        found = texts.texts_of(versions)
    assert found[versions[0]]["chat_history"] == [
        '{"role":"user","content":"Zq7FIRST"}', '{"role":"assistant","content":"Zq7REPLY"}',
    ]  # fmt: skip
    assert found[versions[0]]["response_thoughts"] == ["Zq7THOUGHT"]
    assert found[versions[1]]["response_text"] == ["Zq7ANSWER"]
    assert "Zq7OUTPUT" in found[versions[2]]["tool_results"][0]
    with vault_texts.opened(ledger.settings, ()) as texts:
        assert texts.texts_of(versions) == {}


def test_loading_twice_keeps_the_same_texts(ledger: Ledger, log: Path) -> None:
    add(ledger, log)
    ledger.collect()
    before = kept(ledger, "select * from call_contents order by all")
    log.write_bytes(b"\n" + log.read_bytes())  # read anew from its start
    ledger.collect()
    assert kept(ledger, "select * from call_contents order by all") == before
    assert kept(ledger, "select count(*) = count(distinct text_hash) from contents") == [(True,)]


def test_strange_lines_and_double_encoded_lists_keep_their_texts(ledger: Ledger, log: Path) -> None:
    line = call(9, user_message="Zq7NUL\x00END", chat_history='[{"role":"user","content":"Zq7IN"}]')
    telemetry_logs.write(log, line)
    add(ledger, log)
    ledger.collect()
    assert kept(ledger, "select count(*) from contents where contains(text, 'Zq7NUL')") == [(1,)]
    assert kept(
        ledger,
        "select text from contents join (select unnest(text_hashes) as text_hash "
        "from call_contents where field = 'chat_history') using (text_hash)",
    ) == [('{"role":"user","content":"Zq7IN"}',)]


def test_a_project_keeps_the_texts_of_its_own_logs(ledger: Ledger) -> None:
    folder = ledger.project()
    registry.register_project(ledger.settings, str(folder), content="vault")
    telemetry_logs.write(folder / ".session-buddy" / "agent_telemetry.jsonl", *records())
    ledger.collect()
    assert kept(ledger, "select count(*) > 0 from contents") == [(True,)]


def test_a_run_killed_between_vault_and_warehouse_loses_nothing(
    ledger: Ledger, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tempting change is to write the vault last: then a row could lack its text for ever."""
    add(ledger, log)

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(load.EventLander, "insert", killed)
        with pytest.raises(KeyboardInterrupt):
            ledger.collect()
    assert ledger.rows("select count(*) from raw.agent_telemetry") == [(0,)]
    assert kept(ledger, "select count(*) > 0 from contents") == [(True,)]
    # What is written now is another text: the one that was left belongs to no row.
    log.write_text(log.read_text().replace("Zq7PATH", "Zq7CHANGED").replace("12:00:01", "12:00:00"))
    ledger.collect()
    assert found_in(ledger.settings.home, "Zq7PATH") == []
    assert kept(ledger, "select count(*) from contents where contains(text, 'Zq7CHANGED')") == [
        (1,)
    ]
    assert kept(ledger, "select count(distinct record_key) from call_contents") == [(3,)]


_KILLED = """
import os, sys
from datetime import datetime
from agentledger import warehouse
from agentledger.ingest import collect, load
from agentledger.settings import load_settings

load.EventLander.insert = lambda *arguments: os._exit(9)
settings = load_settings()
with warehouse.open_warehouse(settings) as connection:
    collect.collect(settings, connection, run_id="k", as_of=datetime.fromisoformat(sys.argv[1]))
"""


@pytest.mark.crash
def test_a_process_that_dies_between_vault_and_warehouse_loses_nothing(
    ledger: Ledger, log: Path
) -> None:
    """Should sweep what the dead process wrote, from the write-ahead log of the vault, too."""
    add(ledger, log)
    died = subprocess.run(
        [sys.executable, "-c", _KILLED, AS_OF.isoformat()],
        env=process_environment(ledger.settings, {}),
        check=False,
    )
    assert died.returncode == 9
    log.write_text(log.read_text().replace("Zq7PATH", "Zq7CHANGED"))
    ledger.collect()
    assert found_in(ledger.settings.home, "Zq7PATH") == []
    assert kept(ledger, "select count(distinct record_key) from call_contents") == [(3,)]
    assert ledger.rows("select count(*) from raw.agent_telemetry") == [(3,)]


def test_an_owner_who_changes_their_mind_has_the_texts_removed(ledger: Ledger, log: Path) -> None:
    add(ledger, log)
    ledger.collect()
    add(ledger, log, content="drop")
    assert "texts of 1 source(s) are to be removed" in plan.new_work(ledger.settings).reasons
    ledger.collect()
    assert found_in(ledger.settings.home, *TEXTS) == []
    assert ledger.rows("select count(*) from raw.agent_telemetry") == [(3,)]
    assert "texts of 1 source(s) are to be removed" not in plan.new_work(ledger.settings).reasons


def test_a_purge_removes_the_texts(ledger: Ledger, log: Path, tmp_path: Path) -> None:
    add(ledger, log)
    other = telemetry_logs.write(
        tmp_path / "other" / "agent_telemetry.jsonl", call(7, user_message="Zq7KEPT")
    )
    add(ledger, other)
    ledger.collect()
    target = purge_targets.source_target(ledger.settings, "events", str(log.parent))
    request = purge_requests.write_request(ledger.settings, target.request)
    registry.remove_source(ledger.settings, "events", str(log.parent))
    purge_requests.mark_unregistered(ledger.settings, request)
    ledger.collect()
    finish(ledger)
    assert found_in(ledger.settings.home, *TEXTS) == []
    assert kept(ledger, "select count(*) from contents where text = 'Zq7KEPT'") == [(1,)]
    assert stat.S_IMODE(ledger.settings.vault_path.stat().st_mode) == 0o600


def test_retention_removes_the_texts(ledger: Ledger, log: Path) -> None:
    new = call(8, user_message="Zq7NEW", created_at=(AS_OF - timedelta(days=2)).isoformat())
    telemetry_logs.write(log, *records(), new)
    add(ledger, log)
    ledger.collect()
    config = ledger.settings.config_path
    config.write_text("retention_days = 7\n" + config.read_text())
    ledger.collect()
    finish(ledger)
    assert ledger.rows("select count(*) from raw.agent_telemetry") == [(1,)]
    assert found_in(ledger.settings.home, *TEXTS) == []
    assert kept(ledger, "select count(*) from contents where text = 'Zq7NEW'") == [(1,)]


def test_what_is_too_old_when_it_is_read_leaves_no_text(ledger: Ledger, log: Path) -> None:
    add(ledger, log)
    config = ledger.settings.config_path
    config.write_text("retention_days = 7\n" + config.read_text())
    ledger.collect()
    assert kept(ledger, "select count(*) from contents") == [(0,)]


def test_the_command_warns_and_asks_before_texts_are_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    code, _, err = run("source", "add", "events", str(tmp_path / "logs"), "--content", "vault")
    assert code == 2
    assert "secrets included" in err
    assert "--yes" in err
    arguments = ("source", "add", "events", str(tmp_path / "logs"), "--content")
    assert run(*arguments, "vault", "--yes")[0] == 0
    assert '"content": "vault"' in run("source", "list", "--json")[1]
    assert run(*arguments, "all")[0] == 2
    other = ("source", "add", "skill-metrics", *arguments[3:])
    code, _, err = run(*other, "vault")
    assert code == 2
    assert "No texts of skill-metrics sources are kept" in err


def test_a_config_with_an_unknown_content_is_refused(ledger: Ledger) -> None:
    ledger.settings.config_path.write_text(
        '[[sources]]\nkind = "events"\nlocation = "/x"\ncontent = "yes"\n'
    )
    with pytest.raises(AgentLedgerError, match="does not say what becomes of private texts"):
        registry.load_config(ledger.settings)


def test_reading_without_a_vault_says_what_to_do(ledger: Ledger) -> None:
    with (
        pytest.raises(UsageError, match="--content vault"),
        vault_texts.opened(ledger.settings, ()),
    ):
        pass


def test_texts_that_raw_cannot_tell_apart_give_one_answer(ledger: Ledger, log: Path) -> None:
    """Should not depend on which file was read first: raw knows a history by its length alone."""
    telemetry_logs.write(log, call(1, chat_history=[{"role": "user", "content": "aaa"}]))
    telemetry_logs.write(
        log.with_name("agent_telemetry_2.jsonl"),
        call(1, chat_history=[{"role": "user", "content": "bbb"}]),
    )
    add(ledger, log)
    ledger.collect()
    [(key, version)] = ledger.rows(
        "select distinct record_key, content_hash from raw.agent_telemetry"
    )
    with vault_texts.opened(ledger.settings, sources_with_texts(ledger.settings)) as texts:
        [found] = texts.texts_of([(str(key), str(version))]).values()
    assert len(found["chat_history"]) == 1
    rows = kept(ledger, "select count(distinct texts_key) from call_contents")
    assert rows == [(2,)]


def test_the_keyed_hash_of_a_text_is_the_ledgers_own(ledger: Ledger, log: Path) -> None:
    add(ledger, log)
    ledger.collect()
    key = privacy.load_or_create_key(ledger.settings)
    [(found,)] = kept(ledger, "select text_hash from contents where text = 'Zq7USER'")
    assert found.hex == privacy.keyed_hash(key, "Zq7USER")[:32]


def test_rows_of_a_table_on_a_server_keep_their_texts(ledger: Ledger) -> None:
    """Should share the projection of logs: the fields come as columns of a page."""
    event_format = FORMATS["agent_telemetry"]
    fields = json.dumps(dict(event_format.fields))
    with (
        warehouse.open_warehouse(ledger.settings) as connection,
        vault.attached(ledger.settings, connection),
    ):
        privacy.set_hmac_pads(connection, privacy.load_or_create_key(ledger.settings))
        connection.execute(
            "create temp table batch_files as select 1::bigint as file_id, 's' as source_id, "
            "'p' as project_id, false as names_projects, true as keeps_texts"
        )
        connection.execute(
            "create temp table page as select ? as record", [json.dumps(records()[0])]
        )
        rows = (
            "(select 1::bigint as file_id, 1::bigint as line_no, 0::bigint as byte_offset, "
            f"0 as ordinal, null::varchar as flags, json_transform(record, '{fields}') as x "
            "from page)"
        )
        sql = columns_projection_sql(event_format, rows, keeps_texts=True)
        left = connection.execute(vault_texts.keep_texts(connection, event_format.table, sql))
        assert "private_texts" not in [column[0] for column in left.description or []]
        found = connection.execute(
            "select field, len(text_hashes) from vault.call_contents order by all"
        ).fetchall()
    assert found == [
        ("chat_history", 2), ("response_thoughts", 1), ("system_prompt", 1), ("tool_calls", 1),
        ("user_message", 1),
    ]  # fmt: skip


def test_collecting_leaves_the_vault_detached(ledger: Ledger, log: Path) -> None:
    add(ledger, log)
    with warehouse.open_warehouse(ledger.settings) as connection:
        collect.collect(ledger.settings, connection, run_id="r", as_of=AS_OF)
        names = connection.execute("select database_name from duckdb_databases()").fetchall()
    assert ("vault",) not in names
