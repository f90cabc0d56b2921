"""Decisions about what to read, and properties of loading that hold for any files."""

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agentledger.ingest.documents import DocumentError
from agentledger.ingest.plan import KnownFile, Load, cut_batches, plan_loads
from agentledger.ingest.scan import FoundFile
from agentledger.ingest.scan_roots import ScanRoot
from agentledger.ingest.skill_metrics_records import read_document

ROOT = ScanRoot("s", "skill-metrics", "/p", "id", "p", None, "UTC")


def found(
    path: str = "/p/a.json", size: int = 10, modified: int = 1, changed: int = 1
) -> FoundFile:
    return FoundFile(ROOT, path, size, modified, changed, "1:1")


def known(size: int = 10, modified: int = 1, changed: int = 1, state: str = "loaded") -> KnownFile:
    return KnownFile(7, size, modified, changed, "1:1", state, has_rows=True)


@pytest.mark.parametrize(
    ("file", "before", "is_read"),
    [
        (found(), known(), False),
        (found(size=11), known(), True),
        (found(size=9), known(), True),
        (found(modified=2), known(), True),
        (found(changed=2), known(), True),
        (found(), known(state="changing"), True),
        (found(), known(state="unreadable"), True),
    ],
    ids=["as it was", "grew", "shrank", "touched", "replaced", "was changing", "was unreadable"],
)
def test_a_file_is_read_when_anything_about_it_changed(file, before, is_read: bool) -> None:
    plan = plan_loads([file], {("s", file.path): before})
    assert (len(plan.loads), len(plan.unchanged)) == ((1, 0) if is_read else (0, 1))


def test_a_file_that_stays_unreadable_is_no_reason_for_a_run() -> None:
    """The tempting change is one rule for both: the sensor would start a run every minute."""
    plan = plan_loads(
        [found()], {("s", "/p/a.json"): known(state="unreadable")}, retry_unreadable=False
    )
    assert plan.loads == ()


@given(st.lists(st.integers(0, 300)))
def test_batches_hold_every_file_once_in_order_and_within_bounds(sizes: list[int]) -> None:
    loads = [Load(found(f"/p/{n}.json", size), None) for n, size in enumerate(sizes)]
    batches = cut_batches(loads, max_bytes=256, max_files=3)
    assert [load for batch in batches for load in batch] == loads
    for batch in batches:
        assert 0 < len(batch) <= 3
        assert len(batch) == 1 or sum(load.file.size_bytes for load in batch) <= 256


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.dictionaries(
    st.sampled_from(
        ["skill_name", "invoked_at", "session_id", "completed", "duration_seconds", "error_type",
         "follow_up_actions", "alternatives_considered", "selection_rank", "user_query", "odd"]
    ),
    JSON_VALUES,
)  # fmt: skip


@given(st.lists(RECORDS | JSON_VALUES, max_size=6), st.booleans())
def test_every_element_of_a_list_is_a_record_or_a_reject(elements: list[Any], pretty: bool) -> None:
    text = json.dumps({"invocations": elements}, indent=2 if pretty else None)
    document = read_document(text.encode())
    assert len(document.records) + len(document.rejected) == len(elements)
    ordinals = [r.ordinal for r in document.records] + [r.ordinal for r in document.rejected]
    assert sorted(ordinals) == list(range(len(elements)))
    for record in document.records:
        fields = json.loads(record.json_text)
        assert isinstance(fields["skill_name"], str)
        assert fields["skill_name"].strip()


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_read_without_a_crash(data: bytes) -> None:
    try:
        document = read_document(data)
    except DocumentError as error:
        assert error.reason
    else:
        assert document.state in {"loaded", "empty", "unrecognised_format"}


@given(data=st.data())
def test_a_document_with_flipped_bytes_gives_no_crash_and_no_extra_record(data) -> None:
    record = {"skill_name": "a", "invoked_at": "2026-01-01T00:00:00", "completed": True}
    original = bytearray(json.dumps({"invocations": [record] * 4}).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(original) - 1))
        original[position] = data.draw(st.integers(0, 255))
    try:
        document = read_document(bytes(original))
    except DocumentError:
        return
    assert len(document.records) <= 8


@given(seed=st.integers(0, 2**32))
@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_order_of_loading_gives_the_same_rows(tmp_path_factory, seed: int) -> None:
    """Files of one project, loaded in any order and number of runs, give the same raw content."""
    from datetime import UTC, datetime

    from agentledger import privacy, registry, warehouse
    from agentledger.ingest import collect
    from agentledger.settings import Settings

    shuffled = random.Random(seed)  # noqa: S311 - a shuffle, no secret
    base = tmp_path_factory.mktemp("order")
    states: list[set[Any]] = []
    versions = [
        [{"skill_name": f"s{n % 3}", "invoked_at": f"2026-01-0{1 + n % 5}T00:00:00",
          "completed": n < limit, "duration_seconds": 1.0 if n < limit else None} for n in range(7)]
        for limit in (0, 3, 7)
    ]  # fmt: skip
    for attempt in range(2):
        settings = Settings(home=base / f"home{attempt}", host_zone="UTC")
        warehouse.prepare_home(settings)
        settings.key_path.write_text("00" * privacy.KEY_BYTES)
        project = base / "project"
        project.mkdir(exist_ok=True)
        registry.register_project(settings, str(project))
        order = list(versions)
        if attempt:
            shuffled.shuffle(order)
        for number, records in enumerate(order):
            (project / "skill_metrics.json").write_text(json.dumps({"invocations": records}))
            with warehouse.open_warehouse(settings) as connection:
                collect.collect(
                    settings,
                    connection,
                    run_id=f"r{number}",
                    as_of=datetime(2026, 2, 1, tzinfo=UTC),
                )
                rows = connection.execute(
                    "select record_key, content_hash from raw.skill_usage"
                ).fetchall()
        states.append(set(rows))
    assert states[0] == states[1]
