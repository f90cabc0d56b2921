"""What lands in raw.skill_usage from metrics files: every variant, both paths, true repeats."""

import json

import pytest

from agentledger.errors import AgentLedgerError
from tests.unit.skill_documents import DESIGN_RECORD, Build, design, v1


def test_each_variant_is_told_by_its_shape(ledger, make_invocation: Build) -> None:
    """The tempting change is to trust a version field or the name: both are absent or stale."""
    no_session = make_invocation(session_id=...)
    ledger.write(design(review=[DESIGN_RECORD]), "vd")
    ledger.write(v1(no_session), "v0")
    ledger.write(v1(make_invocation()), "v1")
    ledger.write(
        {"summary": {}, "skills": {}, "invocations": [no_session], "exported_at": "x"}, "vx"
    )
    ledger.write({"invocations": [make_invocation()]}, "v2")
    ledger.collect()
    variants = dict(
        ledger.rows(
            "select p.project_name, variant from raw.skill_usage join raw.projects p "
            "using (project_id)"
        )
    )
    assert variants == {"vd": "V-D", "v0": "V0", "v1": "V1", "vx": "VX", "v2": "V2"}


def test_a_design_record_lands_with_its_fields(ledger) -> None:
    ledger.write(design(**{"code.review": [DESIGN_RECORD]}))
    ledger.collect()
    assert ledger.rows(
        "select skill_name, invoked_at, completed_at, duration_ms, success, followup_count, "
        "session_id, workflow, agent, completed, duration_seconds from raw.skill_usage"
    ) == [
        (
            "code.review", "2026-02-10T10:00:00Z", "2026-02-10T10:01:30Z", "90000", "true", "1",
            "s-1", "feature-dev", "python-pro", None, None,
        )
    ]  # fmt: skip


def test_free_text_is_kept_only_as_hash_length_and_class(ledger, make_invocation: Build) -> None:
    """Prompts and error messages hide in enum-like fields; their bytes must not reach the disk."""
    marker = "zebra secret 4711"
    for name, path in (("plain", "fast"), ("[odd", "tolerant")):
        ledger.write(
            v1(
                make_invocation(
                    user_query=f"{name} {marker}", error_type=f"failed: {marker}",
                    workflow_path=marker, follow_up_actions=["git commit", marker],
                    alternatives_considered=[marker, "other-skill"], completed=False,
                    workflow_phase=marker, workflow_step_id=marker,
                )
            ),
            path,
        )  # fmt: skip
    ledger.write(design(x=[DESIGN_RECORD | {"metadata": {"note": marker, "agent": marker}}]), "vd")
    ledger.collect()
    rows = ledger.rows(
        "select error_class, error_length, length(error_hash), query_length > 20, "
        "length(query_hash), workflow_path, workflow_phase, followup_count, followup_actions, "
        "alternatives, withheld->'workflow_path'->>'length' from raw.skill_usage "
        "where variant = 'V1'"
    )
    assert rows == [
        (
            "other", 25, 64, True, 64, "other", "other", "2", '["git commit","other"]',
            '["other","other-skill"]', "17",
        )
    ] * 2  # fmt: skip
    home = ledger.settings.home
    for file in home.rglob("*"):
        if file.is_file():
            assert b"zebra" not in file.read_bytes(), file


def test_the_same_query_has_the_same_hash_on_both_paths(ledger, make_invocation: Build) -> None:
    ledger.write(v1(make_invocation(user_query="Fix  the BUG\n")), "fast")
    ledger.write(v1(make_invocation(user_query="fix the bug", selection_rank="x")), "tolerant")
    ledger.collect()
    assert ledger.rows("select count(distinct query_hash), count(*) from raw.skill_usage") == [
        (1, 2)
    ]
    assert sorted(ledger.rows("select fast_path from raw.file_loads")) == [(False,), (True,)]


def test_both_paths_give_the_same_row_for_the_same_record(ledger, make_invocation: Build) -> None:
    """A file that turns strange later is read the other way: its old records must be recognised."""
    records = [
        make_invocation(),
        make_invocation(duration_seconds=12.50, selection_rank=None, session_id="é\u00a0✓"),
        make_invocation(
            skill_name="x", follow_up_actions=["git push", "a b"], error_type="TypeError"
        ),
        make_invocation(
            skill_name="y", duration_seconds=1e-05, user_query="😀 ok", completed=False
        ),
        make_invocation(skill_name="z", workflow_path="a b", duration_seconds=None),
    ]
    ledger.write(v1(*records))
    first = ledger.collect()
    ledger.write(v1(*records, make_invocation(skill_name="odd", selection_rank={"a": 1})))
    second = ledger.collect()
    assert first.totals()["accepted"] == 5
    assert (second.totals()["already_known"], second.totals()["accepted"]) == (5, 1)


def test_true_repeats_at_one_instant_are_kept_and_not_doubled(
    ledger, make_invocation: Build
) -> None:
    """The tempting change is a key of (time, skill): two runs in one instant would collapse."""
    twice = make_invocation(invoked_at="2026-08-01T10:00:00")
    ledger.write(v1(twice, twice, make_invocation(session_id="s-2")))
    ledger.collect()
    ledger.write(v1(twice, twice, make_invocation(session_id="s-2"), make_invocation()))
    report = ledger.collect()
    assert report.totals()["already_known"] == 3
    assert ledger.rows(
        "select repeat_ordinal, count(*) from raw.skill_usage group by 1 order by 1"
    ) == [(0, 3), (1, 1)]


def test_a_changed_record_arrives_as_a_further_version(ledger, make_invocation: Build) -> None:
    ledger.write(v1(make_invocation(completed=False, duration_seconds=None)))
    ledger.collect()
    ledger.write(v1(make_invocation()))
    ledger.collect()
    assert ledger.rows(
        "select count(*), count(distinct record_key), count(distinct content_hash), max(load_seq) "
        "from raw.skill_usage"
    ) == [(2, 1, 2, 2)]


def test_a_shrunk_or_emptied_file_removes_nothing(ledger, make_invocation: Build) -> None:
    ledger.write(v1(make_invocation(), make_invocation(session_id="s-2")))
    ledger.collect()
    path = ledger.write(b"")
    ledger.collect()
    path.unlink()
    ledger.collect()
    assert ledger.rows("select count(*) from raw.skill_usage") == [(2,)]


def test_unknown_names_are_counted_and_their_values_never_kept(
    ledger, make_invocation: Build
) -> None:
    ledger.write(
        v1(make_invocation(mood="zebra"), make_invocation(mood="x", session_id="b"), extra=1)
    )
    ledger.collect()
    assert sorted(ledger.rows("select field_name, occurrences from raw.unknown_fields")) == [
        ("extra", 1),
        ("mood", 2),
    ]


def test_an_injection_in_a_skill_name_is_a_skill_name(ledger, make_invocation: Build) -> None:
    name = "x'); drop table raw.skill_usage; --"
    ledger.write(v1(make_invocation(skill_name=name)))
    ledger.collect()
    assert ledger.rows("select skill_name from raw.skill_usage") == [(name,)]


def test_a_large_single_object_is_read(ledger, make_invocation: Build) -> None:
    """DuckDB's default object limit is 16 MB; real files are larger."""
    records = [make_invocation(session_id=f"s-{n}", user_query="q" * 300) for n in range(60_000)]
    path = ledger.write(v1(*records))
    assert path.stat().st_size > 30_000_000
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["rejected"]) == (60_000, 0)
    assert ledger.rows("select fast_path from raw.file_loads") == [(True,)]


@pytest.mark.parametrize("session", ["1e5", "1.50", "true", "-7", "12"])
def test_a_session_that_is_no_text_is_the_same_on_both_paths(
    ledger, make_invocation: Build, session: str
) -> None:
    """DuckDB writes numbers anew (1e5 becomes 100000.0): one record would be counted twice."""
    text = json.dumps(v1(make_invocation(session_id="HERE"))).replace('"HERE"', session)
    ledger.write(text.encode())
    ledger.collect()
    odd = json.dumps(make_invocation(session_id="odd", completed={}))
    ledger.write(text.replace('"invocations": [', '"invocations": [' + odd + ", ").encode())
    totals = ledger.collect().totals()
    assert (totals["already_known"], totals["accepted"]) == (1, 1)


def test_records_without_a_session_are_told_apart_however_that_is_written(
    ledger, make_invocation: Build
) -> None:
    unknown = ["", None, "migrated", "00000000-0000-0000-0000-000000000000"]
    ledger.write(v1(*[make_invocation(session_id=session) for session in unknown]))
    ledger.collect()
    assert ledger.rows("select repeat_ordinal from raw.skill_usage order by 1") == [
        (0,), (1,), (2,), (3,),
    ]  # fmt: skip


def test_a_lost_key_is_not_replaced(ledger, make_invocation: Build) -> None:
    """With a new key every project is another one, and what was read before leaves every mart."""
    ledger.write(v1(make_invocation()))
    ledger.collect()
    ledger.settings.key_path.unlink()
    with pytest.raises(AgentLedgerError, match="backup"):
        ledger.collect()
    assert not ledger.settings.key_path.exists()
