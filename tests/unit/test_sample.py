"""The sample is deterministic, holds every variant, and the ledger finds what was announced."""

import hashlib
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from agentledger import registry, warehouse
from agentledger.errors import UsageError
from agentledger.ingest import collect
from agentledger.sample import SampleReport, write_sample
from agentledger.sample.history import invent, seeded
from agentledger.sample.writers import VARIANTS, write_document
from agentledger.settings import Settings


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    return write_sample(tmp_path_factory.mktemp("sample"), projects=7, records=3000, seed=11)


def _digest(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_the_same_arguments_write_the_same_bytes(sample: SampleReport, tmp_path: Path) -> None:
    """Should not depend on the clock, the directory, or hash randomisation."""
    again = write_sample(tmp_path / "again", 7, 3000, 11)
    assert _digest(again.directory) == _digest(sample.directory)


def test_another_seed_writes_other_bytes(sample: SampleReport, tmp_path: Path) -> None:
    """Should change every undamaged file."""
    other = write_sample(tmp_path / "other", 7, 3000, 12)
    before, after = _digest(sample.directory), _digest(other.directory)
    good = [f.path for p in other.projects for f in p.files if not f.bad_on_purpose]
    assert all(before[path] != after[path] for path in good)


def test_every_variant_is_there_and_the_counts_add_up(sample: SampleReport) -> None:
    """Should share out exactly the asked number of valid records."""
    assert set(sample.variants) == set(VARIANTS)
    assert sample.records == 3000
    assert [p.name for p in sample.projects if p.is_bad_on_purpose]
    assert sum(not p.is_bad_on_purpose for p in sample.projects) == 7


@pytest.mark.parametrize("indent", [False, True], ids=["compact", "indented"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_document_is_what_the_standard_encoder_would_write(variant: str, indent: bool) -> None:
    """The templates must not drift from JSON: a reader sees no difference to a real writer."""
    calls = list(invent(seeded("document"), 40, date(2026, 9, 1)))
    text = write_document(variant, calls, indent=indent, written_at=datetime(2026, 9, 1))
    separators = None if indent else (",", ":")
    parsed = json.loads(text)
    assert text == json.dumps(
        parsed, indent=2 if indent else None, separators=separators, ensure_ascii=False
    )
    records = parsed.get("invocations") or [r for rs in parsed["skills"].values() for r in rs]
    assert len(records) == 40


def test_the_history_lies_in_the_120_days_before_the_reference_date() -> None:
    """Should never invent an event of the future."""
    calls = list(invent(seeded("days"), 2000, date(2026, 9, 1)))
    assert min(call.at for call in calls) >= datetime(2026, 5, 4)
    assert max(call.at for call in calls) < datetime(2026, 9, 1)
    assert {"success", "failure", "abandoned", "pending"} == {call.outcome for call in calls}


def test_a_v2_file_holds_both_kinds_of_time_and_the_placeholder(sample: SampleReport) -> None:
    """Should look like a store whose writer was upgraded in between."""
    file = next(f for p in sample.projects for f in p.files if f.variant == "V2")
    records = json.loads((sample.directory / file.path).read_text("utf-8"))["invocations"]
    aware = Counter(record["invoked_at"].endswith("+00:00") for record in records)
    assert aware[True] and aware[False]
    assert any(record["duration_seconds"] == 0.01 for record in records)


@pytest.mark.parametrize("records", [0, 1, 3, 40])
def test_a_tiny_sample_still_has_exactly_its_records(tmp_path: Path, records: int) -> None:
    """Should keep the total even where there are fewer records than projects."""
    assert write_sample(tmp_path / "tiny", 5, records, 1).records == records


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    """The tempting change is to just write: it would overwrite somebody's real telemetry."""
    (tmp_path / "real.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a sample"):
        write_sample(tmp_path, 1, 10, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["real.txt"]


def test_the_ledger_accepts_every_valid_record_and_rejects_what_was_announced(
    sample: SampleReport, tmp_path: Path
) -> None:
    """Should lose nothing and count nothing twice, file by file and reason by reason."""
    settings = Settings(home=tmp_path / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    for project in sample.projects:
        registry.register_project(settings, str(project.path), name=project.name)
    with warehouse.open_warehouse(settings) as connection:
        report = collect.collect(
            settings, connection, run_id="r1", as_of=datetime(2026, 9, 1, tzinfo=UTC)
        )
        files = connection.execute(
            "select path, state, variant, accepted, rejected, records_read from raw.files"
        ).fetchall()
        rejects = dict(
            connection.execute(
                "select reason, count(*) from raw.rejects "
                "where reason <> 'unrecognised_format' group by reason"
            ).fetchall()
        )
        unknown = dict(
            connection.execute(
                "select field_name, sum(occurrences) from raw.unknown_fields group by field_name"
            ).fetchall()
        )
    announced = {
        str((sample.directory / file.path).resolve()): file
        for project in sample.projects
        for file in project.files
    }
    found = {
        path: (state, variant, accepted, rejected, read)
        for path, state, variant, accepted, rejected, read in files
    }
    assert found == {
        path: (
            file.state,
            file.variant,
            file.records,
            sum(file.rejects.values()),
            file.records + sum(file.rejects.values()),
        )
        for path, file in announced.items()
    }
    totals = report.totals()
    assert totals["accepted"] == sample.records == 3000
    assert totals["rejected"] == sum(sample.rejects.values())
    assert rejects == sample.rejects
    assert unknown == {"model_temperature": 4}


def test_the_logs_of_events_are_found_as_announced(tmp_path: Path) -> None:
    """Should give the ledger exactly the events that the report names, none of them bad."""
    report = write_sample(tmp_path / "sample", 3, 30, 5, events=200)
    settings = Settings(home=tmp_path / "home", host_zone="UTC")
    warehouse.prepare_home(settings)
    for project in report.projects:
        registry.register_project(settings, str(project.path), zone="UTC")
    as_of = datetime(2026, 9, 1, 12, tzinfo=UTC)
    with warehouse.open_warehouse(settings) as connection:
        collect.collect(settings, connection, run_id="r", as_of=as_of)
        for name, count in report.events.items():
            rows = connection.execute(f"select count(*) from raw.{name}").fetchall()
            assert rows == [(count,)]
    assert report.events["intent_events"] == 200
    assert report.events["workflow_executions"] == 16 * 3
