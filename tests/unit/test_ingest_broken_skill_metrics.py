"""What lands in raw.skill_usage from files as careless writers and crashes leave them."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.skill_documents import DESIGN_RECORD, Build, design, document, v1

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
