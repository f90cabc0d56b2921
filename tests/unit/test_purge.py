"""A purge of one of three projects: nothing of it is left, the others stay, a kill is mended."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agentledger import (
    compaction,
    privacy,
    publish,
    purge,
    purge_requests,
    purge_targets,
    purge_traces,
    registry,
    status,
    warehouse,
)
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.ingest import plan
from agentledger.publish import PublishedRelation
from agentledger.raw_tables import RAW_TABLES
from tests.unit.conftest import AS_OF, Ledger

MARKER = "Zq7MARKER"
RELATION = PublishedRelation("raw", "skill_usage", "table")
OF_ROWS = ("skill_usage", "files", "file_loads", "rejects", "projects", "sources")


@pytest.fixture
def three(ledger: Ledger, make_invocation: Callable[..., dict[str, Any]]) -> Ledger:
    """Three projects that were collected, built and published once; the marker is in the second."""
    for name, skill in (("alpha", "review"), (MARKER, MARKER + "-skill"), ("gamma", "review")):
        records = [make_invocation(skill_name=skill, session_id=f"{name}-{n}") for n in range(4)]
        ledger.write({"invocations": [*records, 5]}, project=name)
    complete_run(ledger)
    return ledger


def complete_run(ledger: Ledger) -> list[str]:
    """What a whole run does, without dbt: collect, publish, complete purges."""
    ledger.collect()
    publish.publish(ledger.settings, [RELATION], run_id=ledger.runs[-1], as_of=AS_OF)
    return purge.finish(
        ledger.settings, run_id=ledger.runs[-1], forget_history=lambda requests: None
    )


def ask(ledger: Ledger, name: str = MARKER) -> purge_requests.PurgeRequest:
    """Ask for a purge as the command does."""
    folder = str(ledger.projects / name)
    target = purge_targets.project_target(ledger.settings, folder)
    request = purge_requests.write_request(ledger.settings, target.request)
    registry.unregister_project(ledger.settings, folder)
    return purge_requests.mark_unregistered(ledger.settings, request)


def content(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the other projects, and the whole of the other raw tables but the purges."""
    kept = {}
    for table in RAW_TABLES:
        if table in OF_ROWS:
            kept[table] = ledger.rows(
                f"select * exclude ({'last_seen_at' if table in ('projects', 'sources') else ''}"
                f"{'load_seq' if table not in ('projects', 'sources') else ''}) "
                f"from raw.{table} order by all"
            )
    return kept


def traces(home: Path, *needles: str) -> list[str]:
    """Files of the data home that hold one of the texts."""
    return [
        f"{path.relative_to(home)}: {needle}"
        for path in home.rglob("*")
        if path.is_file()
        for needle in needles
        if needle.encode() in path.read_bytes()
    ]


def test_nothing_of_a_purged_project_is_left_and_the_others_are_as_they_were(three: Ledger) -> None:
    home = three.settings.home
    key = privacy.load_or_create_key(three.settings)
    identity = privacy.project_id(key, str(three.projects / MARKER))
    assert traces(home, MARKER) and traces(home, identity)
    before = content(three)
    request = ask(three)
    (line,) = complete_run(three)
    assert "purged a project: 10 raw row(s) removed" in line
    gone = {identity, *request.source_ids}
    assert content(three) == {
        table: [row for row in rows if not gone & set(row)] for table, rows in before.items()
    }
    assert traces(home, MARKER, identity, *request.source_ids) == []
    assert list(home.rglob("*.wal")) == []
    assert len(list(three.settings.published_dir.glob("ledger-*"))) == 1


def test_what_was_removed_is_recorded_without_a_name(three: Ledger) -> None:
    ask(three)
    complete_run(three)
    [(kind, removed, total, before, after, finished)] = three.rows(
        "select kind, rows_removed, total_rows, bytes_before, bytes_after, finished_at is not null "
        "from raw.purges"
    )
    assert (kind, finished, total) == ("project", True, 10)
    assert json.loads(removed) == {
        "skill_usage": 4, "files": 1, "file_loads": 1, "rejects": 1, "projects": 1, "sources": 1,
        "collection_runs": 1,
    }  # fmt: skip
    assert before > 0 and after > 0
    shown = status.read_status(three.settings)
    assert shown.pending_purges == [] and [p["total_rows"] for p in shown.purges] == [total]


def test_a_purge_takes_a_load_number_so_that_none_is_used_twice(three: Ledger) -> None:
    """The purged project may have had the newest load; its number must not come again."""
    with warehouse.open_warehouse(three.settings) as connection:
        before = plan.latest_load_seq(connection)
    ask(three)
    complete_run(three)
    with warehouse.open_warehouse(three.settings) as connection:
        assert plan.latest_load_seq(connection) == before + 1


def test_a_pending_purge_is_work_and_a_completed_one_is_not(three: Ledger) -> None:
    request = ask(three)
    assert plan.new_work(three.settings).reasons[0] == "1 purge(s) to complete"
    complete_run(three)
    assert not plan.new_work(three.settings).anything
    assert not purge.is_pending(three.settings)
    assert not (three.settings.purges_dir / f"{request.request_id}.json").exists()


def test_a_project_registered_again_is_read_from_the_start(three: Ledger) -> None:
    ask(three)
    complete_run(three)
    three.project(MARKER)
    report = three.collect()
    assert report.totals()["accepted"] == 4


def test_a_run_that_leaves_models_out_does_not_purge(three: Ledger) -> None:
    """A model that is left out would keep the rows and publish them."""
    from agentledger.ingest import collect

    ask(three)
    with warehouse.open_warehouse(three.settings) as connection:
        collect.collect(
            three.settings, connection, run_id="partial", as_of=AS_OF, is_whole_run=False
        )
    assert three.rows("select count(*) from raw.projects where project_name = 'Zq7MARKER'") == [
        (1,)
    ]
    assert purge.is_pending(three.settings)


STEPS = [
    (purge_traces, "forget_reads"),
    (purge, "record"),
    (publish, "prune"),
    (status, "forget"),
    (purge_traces, "forget_files"),
    (compaction, "compact"),
    (compaction, "_refuse_without_room"),
    (purge, "_record_end"),
    (status, "record_purges"),
    (purge_requests, "remove_request"),
]


@pytest.mark.parametrize(
    ("module", "step"), STEPS, ids=[f"{module.__name__}.{step}" for module, step in STEPS]
)
def test_a_purge_killed_before_any_step_is_completed_by_the_next_run(
    three: Ledger, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    request = ask(three)
    with monkeypatch.context() as patched:
        patched.setattr(module, step, killed)
        with pytest.raises(KeyboardInterrupt):
            complete_run(three)
    assert plan.new_work(three.settings).anything
    assert status.read_status(three.settings).pending_purges[0]["kind"] == "project"
    complete_run(three)
    assert traces(three.settings.home, MARKER, *request.needles) == []
    assert three.rows("select total_rows > 4, finished_at is not null from raw.purges") == [
        (True, True)
    ]
    assert not plan.new_work(three.settings).anything


def test_a_command_killed_before_it_unregistered_is_completed(three: Ledger) -> None:
    folder = str(three.projects / MARKER)
    target = purge_targets.project_target(three.settings, folder)
    purge_requests.write_request(three.settings, target.request)
    complete_run(three)
    assert [p.name for p in registry.load_config(three.settings).projects] == ["alpha", "gamma"]
    assert traces(three.settings.home, MARKER) == []


def test_a_project_registered_again_before_the_purge_ran_stays_registered(three: Ledger) -> None:
    """Its old rows go; what its files hold is read anew."""
    ask(three)
    three.project(MARKER)
    complete_run(three)
    assert MARKER in [p.name for p in registry.load_config(three.settings).projects]
    assert three.rows("select count(*) from raw.skill_usage") == [(12,)]
    assert three.rows("select count(*) from raw.purges") == [(1,)]


def test_an_unregistered_project_can_still_be_purged_by_path_or_name(three: Ledger) -> None:
    registry.unregister_project(three.settings, str(three.projects / MARKER))
    three.collect()
    by_name = purge_targets.project_target(three.settings, MARKER)
    by_path = purge_targets.project_target(three.settings, str(three.projects / MARKER))
    assert by_name.request.project_ids == by_path.request.project_ids
    assert by_name.rows["skill_usage"] == 4 and not by_name.is_registered
    with pytest.raises(UsageError, match="holds nothing of it"):
        purge_targets.project_target(three.settings, "/no/such/place")


def test_a_vanished_source_file_removes_nothing(three: Ledger) -> None:
    (three.projects / "alpha" / ".session-buddy" / "skill_metrics.json").unlink()
    complete_run(three)
    assert three.rows("select count(*) from raw.skill_usage") == [(12,)]
    assert three.rows("select count(*) from raw.purges") == [(0,)]


def test_a_source_goes_with_the_projects_that_only_it_names(three: Ledger, tmp_path: Path) -> None:
    log = tmp_path / "elsewhere" / "runs.jsonl"
    log.parent.mkdir()
    log.write_text(
        json.dumps(
            {
                "workflow_id": "w-1", "workflow_name": MARKER, "project_id": "their-shop",
                "started_at": "2026-08-01T10:00:00Z", "status": "completed",
                "skills_used": ["review"],
            }
        )
        + "\n"
    )  # fmt: skip
    settings = three.settings
    registry.add_source(settings, "events", str(log))
    three.collect()
    assert three.rows("select count(*) from raw.projects") == [(5,)]
    target = purge_targets.source_target(settings, "events", str(log))
    assert target.rows["workflow_executions"] == 1
    purge_requests.write_request(settings, target.request)
    complete_run(three)  # the entry itself goes with the request
    assert registry.load_config(settings).sources == ()
    assert three.rows("select count(*) from raw.projects") == [(3,)]
    assert three.rows("select count(*) from raw.workflow_executions") == [(0,)]
    assert traces(settings.home, "their-shop", str(log)) == []


def test_questions_about_the_purged_alone_are_forgotten(three: Ledger) -> None:
    reads = three.settings.reads_dir
    reads.mkdir()
    (reads / "reads.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "event_id": f"q-{skill}", "ts": "2026-08-02T10:00:00Z", "surface": "cli",
                    "question": "skills show", "subject_kind": "skill", "subject_name": skill,
                }
            )
            + "\n"
            for skill in ("review", MARKER + "-skill")
        )
    )  # fmt: skip
    three.collect()
    ask(three)
    complete_run(three)
    assert traces(three.settings.home, MARKER) == []
    assert three.rows("select subject_name from raw.ledger_reads") == [("review",)]
    three.collect()
    assert three.rows("select count(*) from raw.ledger_reads") == [(1,)]


def test_the_lake_the_vault_and_exports_are_purged_where_they_exist(three: Ledger) -> None:
    settings = three.settings
    request = ask(three)
    identity = request.project_ids[0]
    partition = settings.lake_dir / "host=a" / "skill_usage"
    partition.mkdir(parents=True)
    settings.exports_dir.mkdir()
    (settings.exports_dir / "report.md").write_text(MARKER)
    rows = f"(values ('{identity}', '{MARKER}'), ('other', 'kept')) as r (project_id, text)"
    with duckdb.connect() as connection:
        connection.execute(f"copy (from {rows}) to '{partition}/part.parquet'")
    with duckdb.connect(str(settings.vault_path)) as connection:
        connection.execute(f"create table texts as from {rows}")
    complete_run(three)
    assert traces(settings.home, MARKER, identity) == []
    with duckdb.connect(str(settings.vault_path)) as connection:
        assert connection.execute("select text from texts").fetchall() == [("kept",)]
        assert connection.execute(f"select text from '{partition}/part.parquet'").fetchall() == [
            ("kept",)
        ]


def test_a_damaged_request_is_told_and_not_forgotten(three: Ledger) -> None:
    request = ask(three)
    path = three.settings.purges_dir / f"{request.request_id}.json"
    path.write_text("{")
    with pytest.raises(AgentLedgerError, match="asks for a purge and cannot be read"):
        plan.new_work(three.settings)
    assert path.exists()


def test_a_worktree_goes_without_its_main_repository(
    ledger: Ledger, make_invocation: Callable[..., dict[str, Any]]
) -> None:
    """Both are one project; only what was read in the worktree goes."""
    for name in ("main", "tree"):
        ledger.write({"invocations": [make_invocation(session_id=name)]}, project=name)
    git = ledger.projects / "main" / ".git" / "worktrees" / "tree"
    git.mkdir(parents=True)
    (ledger.projects / "tree" / ".git").write_text(f"gitdir: {git}\n")
    complete_run(ledger)
    assert ledger.rows("select count(*), count(distinct project_id) from raw.skill_usage") == [
        (2, 1)
    ]
    ask(ledger, "tree")
    complete_run(ledger)
    assert ledger.rows("select session_id from raw.skill_usage") == [("main",)]
    assert ledger.rows("select count(*) from raw.projects") == [(1,)]


def test_free_space_is_given_back(ledger: Ledger) -> None:
    path = ledger.settings.warehouse_path
    with warehouse.open_warehouse(ledger.settings) as connection:
        connection.execute("create table big as select random() as x from range(2000000)")
        connection.execute("create table small (id integer primary key, t text default 'x')")
        connection.execute("insert into small values (1, 'kept')")
        connection.execute("create schema marts")
        connection.execute("create view marts.seen as from warehouse.main.small")
        connection.execute("checkpoint")
        connection.execute("drop table big")
    before = path.stat().st_size
    compaction.compact(path, ledger.settings.spill_dir)
    assert path.stat().st_size < before / 2
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert ledger.rows("select t from marts.seen") == [("kept",)]
    with (
        pytest.raises(duckdb.ConstraintException),
        warehouse.open_warehouse(ledger.settings) as connection,
    ):
        connection.execute("insert into small values (1, 'again')")


def test_a_full_disk_leaves_the_purge_pending(
    three: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(three)
    usage = purge_traces.shutil.disk_usage(three.settings.home)
    with monkeypatch.context() as patched:
        patched.setattr(compaction.shutil, "disk_usage", lambda _: usage._replace(free=10))
        with pytest.raises(AgentLedgerError, match="Make room"):
            complete_run(three)
    assert purge.is_pending(three.settings)
    complete_run(three)
    assert not purge.is_pending(three.settings)


def test_requests_stand_in_the_order_in_which_they_were_made() -> None:
    first, second = (purge_requests.new_request("project") for _ in range(2))
    assert first.request_id < second.request_id
    assert datetime.fromisoformat(first.requested_at).tzinfo == UTC
