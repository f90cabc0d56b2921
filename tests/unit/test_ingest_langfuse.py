"""Exports of Langfuse: every variant lands the same, no text does, and others are refused."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agentledger import registry
from tests.unit.conftest import Ledger

BLOB = {
    "id": "ob-1", "trace_id": "tr-1", "project_id": "pj-1", "environment": "default",
    "type": "GENERATION", "parent_observation_id": "", "start_time": "2026-05-01 10:00:00.000000",
    "end_time": "2026-05-01 10:00:02.500000", "name": "answer", "level": "DEFAULT",
    "status_message": "SECRET status", "input": "SECRET input", "output": "SECRET output",
    "metadata": {"SECRET": "SECRET"}, "provided_model_name": "model-a",
    "usage_details": {"input": 1200, "output": 80, "total": 1280, "input_cache_read": 1000},
    "total_cost": 0.0042, "latency": 2.5, "session_id": "", "tags": ["demo"],
}  # fmt: skip
CAMEL = {
    "id": "ob-1", "traceId": "tr-1", "projectId": "pj-1", "environment": "default",
    "type": "GENERATION", "parentObservationId": None, "startTime": "2026-05-01 10:00:00.000000",
    "endTime": "2026-05-01 10:00:02.500000", "name": "answer", "level": "DEFAULT",
    "statusMessage": "SECRET status", "input": "SECRET input", "model": "model-a",
    "usageDetails": BLOB["usage_details"], "totalCost": 0.0042,
}  # fmt: skip


def as_csv(path: Path) -> None:
    row = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in BLOB.items()}
    row["input"] = "SECRET, with\na line break"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(row))
        writer.writeheader()
        writer.writerow(row)


def as_parquet(path: Path) -> None:
    usage = pa.array([list(BLOB["usage_details"].items())], pa.map_(pa.string(), pa.int64()))
    columns = {name: pa.array([value]) for name, value in BLOB.items() if name != "usage_details"}
    pq.write_table(pa.table({**columns, "usage_details": usage}), path)


VARIANTS: dict[str, Any] = {
    "blob.jsonl": lambda path: path.write_text(json.dumps(BLOB) + "\n"),
    "blob.json": lambda path: path.write_text(json.dumps([BLOB], indent=1)),
    "list.json": lambda path: path.write_text(json.dumps([CAMEL])),
    "trace.json": lambda path: path.write_text(
        json.dumps({"trace": {"id": "tr-1", "input": "SECRET"}, "observations": [CAMEL]}, indent=1)
    ),
    "traces.jsonl": lambda path: path.write_text(
        json.dumps({"trace": {"id": "tr-1"}, "observations": {"ob-1": CAMEL}}) + "\n"
    ),
    "blob.csv": as_csv,
    "blob.parquet": as_parquet,
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_an_export_lands_the_same(
    name: str, ledger: Ledger, tmp_path: Path
) -> None:
    folder = tmp_path / "langfuse"
    folder.mkdir()
    registry.add_source(ledger.settings, "langfuse", str(folder))
    VARIANTS[name](folder / name)
    assert ledger.collect().totals()["accepted"] == 1
    assert ledger.rows(
        "select observation_ref, parent_observation_id, named_project, session_id, "
        "observation_type, model, started_at, usage_input, usage_output, usage_cache_read, "
        "cast(total_cost as double) from raw.langfuse_observations"
    ) == [
        ("tr-1/ob-1", None, "pj-1", None, "GENERATION", "model-a", "2026-05-01 10:00:00.000000",
         "1200", "80", "1000", 0.0042)
    ]  # fmt: skip
    assert ledger.rows(
        "select p.project_name, p.is_active from raw.langfuse_observations o "
        "join raw.projects p using (project_id)"
    ) == [("pj-1", True)]
    data = b"".join(p.read_bytes() for p in ledger.settings.home.rglob("*") if p.is_file())
    assert b"SECRET" not in data
    assert ledger.collect().totals()["accepted"] == 0


def test_what_is_no_export_is_refused_and_a_broken_value_costs_itself(
    ledger: Ledger, tmp_path: Path
) -> None:
    folder = tmp_path / "langfuse"
    folder.mkdir()
    registry.add_source(ledger.settings, "langfuse", str(folder))
    (folder / "chatml.json").write_text(json.dumps({"ob-1": {"input": [{"role": "user"}]}}))
    (folder / "damaged.parquet").write_bytes(b"PAR1" + b"\0" * 40)
    (folder / "empty.json").write_text("[]")
    other = BLOB | {"id": "ob-2"}
    (folder / "mixed.jsonl").write_text(
        json.dumps(BLOB) + "\n" + json.dumps(BLOB) + json.dumps(other) + '\n42\n{"id": 1\n'
    )
    ledger.collect()
    states = ledger.rows("select regexp_extract(path, '[^/]*$'), state from raw.files order by 1")
    assert states == [
        ("chatml.json", "unrecognised_format"), ("damaged.parquet", "unrecognised_format"),
        ("empty.json", "empty"), ("mixed.jsonl", "partial"),
    ]  # fmt: skip
    assert ledger.rows(
        "select line_no, ordinal, observation_id from raw.langfuse_observations order by all"
    ) == [(1, 0, "ob-1"), (2, 0, "ob-1"), (2, 1, "ob-2")]
    assert ledger.rows("select line_no, reason from raw.rejects where line_no > 0 order by 1") == [
        (3, "not_an_object"), (4, "malformed_record")
    ]  # fmt: skip


def test_traces_and_scores_land_without_a_word_of_anybody(ledger: Ledger, tmp_path: Path) -> None:
    """Should read a trace beside its observations and from a file of its own, and scores."""
    folder = tmp_path / "langfuse"
    folder.mkdir()
    registry.add_source(ledger.settings, "langfuse", str(folder))
    trace = {
        "id": "tr-1", "name": "shop bot", "timestamp": "2026-05-01T10:00:00.000Z",
        "userId": "SECRET", "sessionId": "s-1", "input": "SECRET", "output": "SECRET",
        "metadata": {"SECRET": "SECRET"}, "tags": ["SECRET"], "scores": [{"comment": "SECRET"}],
    }  # fmt: skip
    (folder / "document.json").write_text(json.dumps({"trace": trace, "observations": [CAMEL]}))
    exported = {
        "id": "tr-2", "name": "what SECRET people, ask!", "timestamp": "2026-05-01 10:00:00.000000",
        "user_id": "SECRET", "session_id": "", "input": "SECRET", "project_id": "pj-1",
    }  # fmt: skip
    (folder / "traces.jsonl").write_text(json.dumps(exported) + "\n")
    score = {
        "id": "sc-1", "timestamp": "2026-05-01 10:05:00.000000", "trace_id": "tr-1",
        "observation_id": "", "name": "helpful", "value": 1, "string_value": "",
        "comment": "SECRET", "data_type": "BOOLEAN", "source": "ANNOTATION",
    }  # fmt: skip
    said = score | {"id": "sc-2", "data_type": "TEXT", "value": 0, "string_value": "SECRET words"}
    (folder / "scores.jsonl").write_text(json.dumps(score) + "\n" + json.dumps(said) + "\n")
    assert ledger.collect().totals()["accepted"] == 5
    assert ledger.rows(
        "select trace_id, session_id, trace_name from raw.langfuse_traces order by 1"
    ) == [("tr-1", "s-1", "shop bot"), ("tr-2", None, "other")]
    assert ledger.rows(
        "select score_id, trace_id, observation_id, data_type, score_value, score_label "
        "from raw.langfuse_scores order by 1"
    ) == [
        ("sc-1", "tr-1", None, "BOOLEAN", "1", None), ("sc-2", "tr-1", None, "TEXT", None, None)
    ]  # fmt: skip
    data = b"".join(p.read_bytes() for p in ledger.settings.home.rglob("*") if p.is_file())
    assert b"SECRET" not in data
    assert ledger.collect().totals()["accepted"] == 0
