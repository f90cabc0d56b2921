"""Publishing: only the tested build, whole or not at all, readers undisturbed."""

from datetime import UTC, datetime

import duckdb
import pytest

from agentledger import fingerprints, publish, warehouse
from agentledger.errors import PublishRefusedError
from agentledger.publish import PublishedRelation
from agentledger.settings import KEPT_BUILDS, Settings

AS_OF = datetime(2026, 9, 1, 12, tzinfo=UTC)
TABLE = PublishedRelation("marts", "skill_aggregates", "table")
VIEW = PublishedRelation("marts", "top_skills", "view")


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = Settings(home=tmp_path / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    build(settings, "run-1", 1)
    return settings


def build(settings: Settings, run_id: str, load_seq: int, rows: int = 3) -> None:
    """Stand in for a dbt build of `rows` rows."""
    with warehouse.open_warehouse(settings) as connection:
        connection.execute("create schema if not exists marts")
        connection.execute(
            "create or replace table marts.skill_aggregates as select 'all' as time_window, "
            "'__all__' as project_id, date '1970-01-01' as bucket_start, "
            f"'skill-' || i as skill_name, i as total_invocations from range({rows}) as r(i)"
        )
        connection.execute(
            "create or replace view marts.top_skills as select skill_name, row_number() over "
            '(order by total_invocations desc) as rank_by_uses from "warehouse"."marts".'
            '"skill_aggregates"'
        )
        connection.execute("delete from raw.run_context")
        connection.execute(
            "insert into raw.run_context values (?, ?, ?, 'p', '0', 'm', '', null, null)",
            [run_id, AS_OF, load_seq],
        )


def do_publish(settings: Settings, run_id: str) -> publish.PublishReport:
    return publish.publish(settings, [VIEW, TABLE], run_id=run_id, as_of=AS_OF)


def test_tables_and_views_are_readable_from_the_snapshot_alone(settings: Settings) -> None:
    report = do_publish(settings, "run-1")
    assert report.rows == {"skill_aggregates": 3, "top_skills": 3}
    assert settings.published_pointer.read_text().strip() == report.path.name
    with duckdb.connect(str(report.path), read_only=True) as connection:
        assert connection.execute(
            "select skill_name from marts.top_skills order by rank_by_uses limit 1"
        ).fetchall() == [("skill-2",)]
        assert connection.execute(
            "select schema_version, run_id, load_seq from meta.build"
        ).fetchall() == [(1, "run-1", 1)]
    assert report.path.stat().st_mode & 0o777 == 0o600


def test_another_runs_build_is_refused(settings: Settings) -> None:
    with pytest.raises(PublishRefusedError, match="run-1"):
        do_publish(settings, "run-2")
    assert not settings.published_pointer.exists()


def test_an_unchanged_build_is_not_copied(settings: Settings) -> None:
    first = do_publish(settings, "run-1")
    build(settings, "run-2", 1)
    second = do_publish(settings, "run-2")
    assert (first.copied, second.copied) == (True, False)
    assert second.path == first.path
    assert fingerprints.context_of_published(settings) == fingerprints.Context(1, "p", "0", "m")


def test_old_builds_are_pruned_and_the_current_one_stays(settings: Settings) -> None:
    for number in range(1, KEPT_BUILDS + 3):
        build(settings, f"run-{number}", number)
        report = do_publish(settings, f"run-{number}")
    builds = list(settings.published_dir.glob("ledger-*.duckdb"))
    assert len(builds) == KEPT_BUILDS
    assert report.path in builds


def test_a_draft_of_a_killed_run_is_swept_and_never_read(settings: Settings) -> None:
    do_publish(settings, "run-1")
    leftover = settings.published_dir / ".ledger-x.duckdb.draft"
    leftover.write_bytes(b"half a file")
    build(settings, "run-2", 2)
    do_publish(settings, "run-2")
    assert not leftover.exists()


def test_a_kill_between_pointer_and_context_leaves_work_to_do(
    settings: Settings, monkeypatch
) -> None:
    """The tempting change is to write the context first: the next run would think it is done."""
    from agentledger import files

    write = files.replace_text

    def die_at_context(path, text):
        if path.name == "current.json":
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(files, "replace_text", die_at_context)
    with pytest.raises(KeyboardInterrupt):
        do_publish(settings, "run-1")
    assert settings.published_pointer.exists()
    assert fingerprints.context_of_published(settings) is None


def test_nothing_to_publish_is_refused(settings: Settings) -> None:
    with pytest.raises(PublishRefusedError, match="publish"):
        publish.publish(settings, [], run_id="run-1", as_of=AS_OF)
