"""The manifest is made when it is stale, and only then."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentledger.errors import UsageError
from agentledger.settings import Settings
from orchestration import clock, manifest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path, list]]:
    """A dbt project of two files whose parse is counted instead of done."""
    project_dir, models_dir = tmp_path / "dbt_project", tmp_path / "models"
    project_dir.mkdir()
    models_dir.mkdir()
    (project_dir / "dbt_project.yml").write_text("name: x")
    (models_dir / "m.sql").write_text("select 1")
    parses: list[Path] = []

    def parse(_settings: Settings, _project: Path, target: Path) -> None:
        parses.append(target)
        (target / "manifest.json").write_text("{}")
        (target / "partial_parse.msgpack").write_bytes(b"")

    monkeypatch.setattr(manifest, "_parse", parse)
    yield project_dir, models_dir, parses


def prepare(project: tuple[Path, Path, list]) -> bool:
    """Prepare the manifest of the fixture's project."""
    settings = Settings(home=project[0].parent, host_zone="UTC")
    return manifest.prepare_manifest(settings, project_dir=project[0], models_dir=project[1])


def test_a_manifest_is_made_once(project: tuple[Path, Path, list]) -> None:
    """Dbt takes seconds to start; an unchanged project must not pay them."""
    assert [prepare(project), prepare(project)] == [True, False]
    assert len(project[2]) == 1


@pytest.mark.parametrize(
    ("file", "is_stale"),
    [
        ("models/m.sql", True),
        ("models/new.yml", True),
        ("dbt_project/dbt_project.yml", True),
        ("dbt_project/target/run.sql", False),
        ("dbt_project/logs/dbt.sql", False),
        ("models/.m.sql.swp", False),
    ],
)
def test_a_manifest_is_made_anew_when_its_sources_change(
    project: tuple[Path, Path, list], file: str, is_stale: bool
) -> None:
    """What dbt itself writes into the project is no source."""
    prepare(project)
    changed = project[0].parent / file
    changed.parent.mkdir(exist_ok=True)
    changed.write_text("select 2")
    assert prepare(project) is is_stale


def test_a_parse_that_fails_leaves_the_old_manifest(
    project: tuple[Path, Path, list], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The UI keeps working on the last good graph while somebody mends a model."""
    prepare(project)
    (project[1] / "m.sql").write_text("select (")

    def fail(*_arguments: object) -> None:
        raise manifest.AgentLedgerError("dbt cannot parse")

    monkeypatch.setattr(manifest, "_parse", fail)
    with pytest.raises(manifest.AgentLedgerError):
        prepare(project)
    assert manifest.manifest_path(project[0]).exists()


def test_a_parse_that_cannot_go_on_from_the_last_one_begins_anew(
    project: tuple[Path, Path, list], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A description that moved to another file stands there twice, says dbt's partial parse."""
    prepare(project)
    (project[1] / "m.sql").write_text("select 2")
    parse = manifest._parse

    def stumble(settings: Settings, project_dir: Path, target: Path) -> None:
        if (target / "partial_parse.msgpack").exists():
            raise manifest.AgentLedgerError("dbt found two schema.yml entries")
        parse(settings, project_dir, target)

    monkeypatch.setattr(manifest, "_parse", stumble)
    assert prepare(project)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (None, "2026-03-01T12:30:00+00:00"),
        ("2026-02-01T01:04:59Z", "2026-02-01T01:00:00+00:00"),
        ("2026-02-01T01:09:00+05:30", "2026-01-31T19:35:00+00:00"),
        ("2026-02-01", "2026-02-01T00:00:00+00:00"),
    ],
)
def test_the_instant_of_a_run_is_floored_to_five_minutes(
    override: str | None, expected: str
) -> None:
    """Two runs moments apart must agree, and a replay must hit the same instant."""
    now = datetime(2026, 3, 1, 12, 34, 56, 789, tzinfo=UTC)
    assert clock.as_of(override, now).isoformat() == expected


def test_an_instant_that_is_none_is_refused() -> None:
    """Silently taking the clock instead would publish numbers of another day."""
    with pytest.raises(UsageError, match="AGENTLEDGER_AS_OF"):
        clock.as_of("yesterday", datetime(2026, 3, 1, tzinfo=UTC))
