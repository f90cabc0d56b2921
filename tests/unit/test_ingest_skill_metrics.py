"""What lands in raw.skill_usage, from files as writers and crashes leave them."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from agentledger.errors import AgentLedgerError

Build = Callable[..., dict[str, Any]]


def v1(*records: dict[str, Any], **root: Any) -> dict[str, Any]:
    """A V1 document."""
    return {
        "invocations": list(records),
        "skills": {},
        "last_updated": "2026-08-01T11:00:00",
    } | root


def design(**lists: Any) -> dict[str, Any]:
    """A V-D document; keywords are skill names."""
    return {"version": "1.0", "generated_at": "2026-08-01T00:00:00Z", "skills": lists}


DESIGN_RECORD = {
    "invoked_at": "2026-02-10T10:00:00Z",
    "completed_at": "2026-02-10T10:01:30Z",
    "duration_ms": 90000,
    "success": True,
    "followup_actions": 1,
    "session_id": "s-1",
    "metadata": {"workflow": "feature-dev", "agent": "python-pro"},
}


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


BAD_RECORDS = {
    "no name": ({"skill_name": ...}, "missing_skill_name"),
    "blank name": ({"skill_name": "  "}, "missing_skill_name"),
    "null name": ({"skill_name": None}, "missing_skill_name"),
    "number for a name": ({"skill_name": 7}, "wrong_type_skill_name"),
    "object for a name": ({"skill_name": {"a": 1}}, "wrong_type_skill_name"),
    "no time": ({"invoked_at": ...}, "missing_invoked_at"),
    "list for a time": ({"invoked_at": ["2026-08-01"]}, "wrong_type_invoked_at"),
}


@pytest.mark.parametrize(("change", "reason"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_without_name_or_time_is_rejected_alone(
    ledger, make_invocation: Build, change: dict[str, Any], reason: str
) -> None:
    ledger.write(v1(make_invocation(), make_invocation(**change), make_invocation(session_id="b")))
    report = ledger.collect()
    assert report.totals() | {"accepted": 2, "rejected": 1} == report.totals()
    assert ledger.rows("select reason, ordinal, length(bytes_hash) from raw.rejects") == [
        (reason, 1, 64)
    ]


ODD_VALUES = {
    "text for a duration": ("duration_seconds", "fast"),
    "negative duration": ("duration_seconds", -1.0),
    "huge duration": ("duration_seconds", 10**400),
    "list for a truth value": ("completed", [1]),
    "number for a truth value": ("completed", 1),
    "object for a session": ("session_id", {"id": 1}),
    "text for actions": ("follow_up_actions", "git commit"),
    "object for alternatives": ("alternatives_considered", {"a": "b"}),
    "fraction for a rank": ("selection_rank", 1.5),
    "list for an error": ("error_type", ["timeout"]),
}


@pytest.mark.parametrize(("field", "value"), ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_value_of_a_wrong_kind_becomes_unknown_and_keeps_the_row(
    ledger, make_invocation: Build, field: str, value: Any
) -> None:
    ledger.write(v1(make_invocation(**{field: value}), make_invocation(session_id="b")))
    report = ledger.collect()
    assert report.totals()["accepted"] == 2
    column = {
        "follow_up_actions": "followup_count", "alternatives_considered": "alternatives",
        "error_type": "error_class",
    }.get(field, field)  # fmt: skip
    assert ledger.rows(f"select {column}, flags from raw.skill_usage where flags is not null") == [
        (None, json.dumps([f"invalid:{field}"]))
    ]


def document(build: Build) -> dict[str, Any]:
    return v1(*[build(session_id=f"s-{n}") for n in range(3)])


ENCODINGS = {
    "utf-8 mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "utf-16 le with mark": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "utf-16 be with mark": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-16 le without mark": lambda text: text.encode("utf-16-le"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "pretty": lambda text: json.dumps(json.loads(text), indent=2).encode(),
    "carriage returns": lambda text: (
        json.dumps(json.loads(text), indent=2).replace("\n", "\r\n").encode()
    ),
    "padding": lambda text: text.encode() + b"\0" * 4096,
    "spaces around": lambda text: b"\n \n" + text.encode() + b"\n\n",
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_encodings_and_layouts_of_a_document_do_not_matter(
    ledger, make_invocation: Build, encode: Callable[[str], bytes]
) -> None:
    ledger.write(encode(json.dumps(document(make_invocation))))
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["rejected"]) == (3, 0)


STRANGE_TEXTS = {
    "nul escape": (rb'"s-1"', rb'"s\u0000-1"'),
    "lone surrogate": (rb'"s-1"', rb'"s\ud83d-1"'),
    "invalid utf-8": (rb'"s-1"', b'"s\xff-1"'),
    "duplicate key": (rb'"session_id": "s-1"', rb'"session_id": "s-0", "session_id": "s-1"'),
    "not a number": (b"1.5", b"NaN"),
    "infinity": (b"1.5", b"-Infinity"),
}


@pytest.mark.parametrize(("old", "new"), STRANGE_TEXTS.values(), ids=STRANGE_TEXTS)
def test_strange_characters_cost_no_record(
    ledger, make_invocation: Build, old: bytes, new: bytes
) -> None:
    good = json.dumps(document(make_invocation)).encode()
    assert old in good
    ledger.write(good.replace(old, new, 1))
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["rejected"]) == (3, 0)
    flagged = ledger.rows("select count(*) from raw.skill_usage where flags is not null")
    assert flagged[0][0] >= 1


NOT_THIS_FORMAT = {
    "prose": b"dear diary",
    "binary": bytes(range(256)),
    "other json": b'{"messages": [], "projectHash": "x"}',
    "numbers by name": b'{"a": 1, "b": 2}',
    "a list": b'[{"skill_name": "x"}]',
    "csv": b"skill_name,invoked_at\nx,2026-01-01\n",
    "damaged archive": gzip.compress(b"{}" * 1000)[:20],
}


@pytest.mark.parametrize("content", NOT_THIS_FORMAT.values(), ids=NOT_THIS_FORMAT)
def test_what_is_not_this_format_is_said_to_be_so(ledger, content: bytes) -> None:
    """Never `0 records, 0 errors`: the commonest silent failure of earlier readers."""
    path = ledger.write(content)
    report = ledger.collect()
    assert report.totals()["files_quarantined"] == 1
    problem = report.sources[0].problems[0]
    assert problem.path == str(path)
    assert problem.reason in {"unrecognised_format", "decompression_failed"}
    assert ledger.rows("select reason from raw.rejects") == [(problem.reason,)]


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"\xef\xbb\xbf", b"{}", b"[]", b'{"skills": {}}',
                b'{"invocations": [], "skills": {}, "last_updated": "x"}'],
)  # fmt: skip
def test_legal_emptiness_is_empty_and_no_error(ledger, content: bytes) -> None:
    ledger.write(content)
    report = ledger.collect()
    assert report.totals()["files_quarantined"] == 0
    assert ledger.rows("select state from raw.files") == [("empty",)]


def test_a_broken_record_in_the_middle_loses_no_neighbour(ledger, make_invocation: Build) -> None:
    text = json.dumps(document(make_invocation))
    ledger.write(text.replace('"s-1"', r'"\x"', 1).encode())
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["rejected"], totals["records_read"]) == (2, 1, 3)
    assert ledger.rows("select reason, ordinal, line_no from raw.rejects") == [
        ("malformed_record", 1, 1)
    ]


def test_deep_nesting_is_rejected_without_a_crash(ledger, make_invocation: Build) -> None:
    text = json.dumps(v1(make_invocation(), make_invocation(user_query="HERE")))
    deep = "[" * 100_000 + "]" * 100_000
    ledger.write(text.replace('"HERE"', deep).encode())
    totals = ledger.collect().totals()
    assert (totals["accepted"], totals["rejected"]) == (1, 1)


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


def test_a_document_cut_at_any_byte_gives_no_wrong_row(ledger, make_invocation: Build) -> None:
    """Every prefix: whole records before the cut land, nothing else, nothing crashes."""
    from agentledger.ingest.documents import DocumentError
    from agentledger.ingest.skill_metrics_records import read_document

    for content in (
        json.dumps(document(make_invocation)).encode(),
        json.dumps(design(a=[DESIGN_RECORD], b=[DESIGN_RECORD])).encode(),
    ):
        whole = [record.json_text for record in read_document(content).records]
        for length in range(len(content)):
            try:
                cut = read_document(content[:length])
            except DocumentError:
                continue
            texts = [record.json_text for record in cut.records]
            assert texts == whole[: len(texts)]
            if texts and len(texts) < len(whole):
                assert cut.rejected or cut.state != "loaded"


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


def test_a_sentence_in_place_of_a_time_does_not_land(ledger, make_invocation: Build) -> None:
    ledger.write(
        v1(
            make_invocation(invoked_at="zebra at noon"),
            make_invocation(invoked_at="2026-zebra-noon"),
            make_invocation(completed_at="x"),
        )
    )
    ledger.write(design(a=[DESIGN_RECORD | {"completed_at": "zebra"}]), "vd")
    assert ledger.collect().totals()["rejected"] == 2
    assert ledger.rows("select reason from raw.rejects") == [("invalid_invoked_at",)] * 2
    assert ledger.rows("select completed_at, flags from raw.skill_usage where variant = 'V-D'") == [
        (None, '["invalid:completed_at"]')
    ]
    for file in ledger.settings.home.rglob("*"):
        assert not file.is_file() or b"zebra" not in file.read_bytes(), file


def test_an_endless_field_name_is_cut(ledger, make_invocation: Build) -> None:
    ledger.write(v1(make_invocation(**{"n" * 5000: 1})))
    ledger.collect()
    assert ledger.rows("select length(field_name) from raw.unknown_fields") == [(200,)]


def test_a_lost_key_is_not_replaced(ledger, make_invocation: Build) -> None:
    """With a new key every project is another one, and what was read before leaves every mart."""
    ledger.write(v1(make_invocation()))
    ledger.collect()
    ledger.settings.key_path.unlink()
    with pytest.raises(AgentLedgerError, match="backup"):
        ledger.collect()
    assert not ledger.settings.key_path.exists()
