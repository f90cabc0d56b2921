"""Files of OpenTelemetry from file to raw: what lands, what never does, what is refused."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentledger import registry
from agentledger.ingest import otlp_attributes, otlp_requests, otlp_values
from tests import otlp
from tests.unit.conftest import Ledger

KEY = b"k" * 32
TABLES = ("otlp_spans", "otlp_logs", "otlp_metrics")


class Collected:
    """A folder that a collector writes to, registered as a source."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        folder.mkdir()
        registry.add_source(ledger.settings, "otlp", str(folder), zone="UTC")

    def write(self, text: str | bytes, name: str = "traces.jsonl") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return path

    def counts(self) -> tuple[int, int, int]:
        totals = self.ledger.collect().totals()
        return totals["accepted"], totals["rejected"], totals["already_known"]

    def spans(self, columns: str) -> list[Any]:
        return self.ledger.rows(
            f"select {columns} from raw.otlp_spans order by file_id, line_no, ordinal"
        )

    def states(self) -> list[Any]:
        return self.ledger.rows("select state, message from raw.files order by file_id")


@pytest.fixture
def collected(ledger: Ledger, tmp_path: Path) -> Collected:
    return Collected(ledger, tmp_path / "collector")


def test_a_request_lands_span_by_span(collected: Collected) -> None:
    collected.write(otlp.lines(otlp.traces(otlp.chat(1, 9), otlp.span(9), otlp.span(10))))
    assert collected.counts() == (3, 0, 0)
    assert collected.spans(
        "line_no, ordinal, trace_id, span_id, parent_span_id, span_name, span_kind, status_code, "
        "started_ns, ended_ns, service_name, named_scope"
    )[0] == (
        1, 0, otlp.TRACE, "b7ad6b7169200001", "b7ad6b7169200009", "chat model-a", "client", "unset",
        "1781295601000000000", "1781295602000000000", "demo", "demo.scope",
    )  # fmt: skip
    # A span that says nothing of agents may have a path or a query as its name.
    assert collected.spans("span_name, attributes")[1] == (None, None)
    [(kept,)] = collected.spans("attributes")[:1]
    assert json.loads(kept) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "model-a", "gen_ai.response.model": "model-a-2026",
        "gen_ai.usage.input_tokens": "1200", "gen_ai.usage.output_tokens": "80",
        "gen_ai.usage.cache_read.input_tokens": "200", "gen_ai.conversation.id": "conv-1",
        "gen_ai.response.finish_reasons": ["stop"],
    }  # fmt: skip


def test_no_private_text_reaches_the_data_home(collected: Collected) -> None:
    collected.write(
        otlp.lines(
            otlp.traces(
                otlp.chat(1, status={"code": 2, "message": "SECRET"}),
                otlp.span(2, name="SECRET path", attrs={"http.url": "SECRET", "SECRET @": 1}),
                otlp.span(3, name="GET SECRET"),
                otlp.chat(4, attrs={"error.type": "a SECRET", "gen_ai.tool.name": "SECRET!"}),
            ),
            otlp.claude_code_session(),
            otlp.openinference_trace() | {"resourceLogs": "SECRET"},
            otlp.logs({"body": {"stringValue": "SECRET"}, "eventName": "a.b"}, "SECRET"),
            otlp.metrics({"name": "m", "description": "SECRET", "sum": {"dataPoints": [
                {"asInt": "1", "timeUnixNano": "1", "attributes": otlp.attributes({"p": "SECRET"}),
                 "exemplars": [{"filteredAttributes": otlp.attributes({"p": "SECRET"})}]}]}}),
        )
        + '{"resourceSpans": [{"SECRET'
        + "\nSECRET\n"
    )  # fmt: skip
    collected.write('{"context": {"trace_id": "SECRET"}}', "console.json")
    report = collected.ledger.collect()
    assert report.totals()["accepted"] == 18
    assert "SECRET" not in str(report)
    for path in collected.ledger.settings.home.rglob("*"):
        if path.is_file():
            assert b"SECRET" not in path.read_bytes(), path
            assert b"secret@example.com" not in path.read_bytes(), path


def test_unknown_names_are_counted_and_their_values_never_read(collected: Collected) -> None:
    attrs = {"copilot.mode": "x", "a.0.b": "x", "what did you say": "x", "gen_ai.prompt.0.x": "x"}
    collected.write(
        otlp.lines(otlp.traces(otlp.span(1, attrs=attrs), otlp.span(2, attrs=attrs), my_team="x"))
    )
    collected.counts()
    assert dict(
        collected.ledger.rows("select field_name, occurrences from raw.unknown_fields")
    ) == {
        "attributes.copilot.mode": 2, "attributes.a.N.b": 2, "attributes.other": 2,
        "resource.my.team": 1,
    }  # fmt: skip


def test_events_of_claude_code_land_by_name(collected: Collected) -> None:
    collected.write(otlp.lines(otlp.claude_code_session()))
    assert collected.counts() == (7, 0, 0)
    rows = collected.ledger.rows(
        "select event_name, event_sequence, session_id, is_claude_code, "
        "attributes ->> '$.cost_usd', attributes ->> '$.\"skill.name\"' "
        "from raw.otlp_logs order by ordinal"
    )
    assert [row[0] for row in rows] == [
        "user_prompt", "api_request", "tool_result", "skill_activated", "api_error", "tool_result",
        "api_request",
    ]  # fmt: skip
    assert rows[1][1:] == ("2", otlp.SESSION, "true", "0.0125", None)


def test_metrics_land_with_their_temporality(collected: Collected) -> None:
    def metric(kind: str, temporality: Any, *points: Any) -> dict[str, Any]:
        data = {"dataPoints": list(points), "aggregationTemporality": temporality}
        return {"name": "claude_code.token.usage", "unit": "tokens", kind: data}

    def point(value: int, kind: str, user: str = "a") -> dict[str, Any]:
        values = {"type": kind, "user.id": user, "session.id": otlp.SESSION}
        return {"asInt": str(value), "timeUnixNano": str(otlp.BEGIN),
                "attributes": otlp.attributes(values)}  # fmt: skip

    collected.write(
        otlp.lines(
            otlp.metrics(
                metric("sum", 1, point(5, "input"), point(7, "output"), point(9, "output", "b")),
                metric("sum", "AGGREGATION_TEMPORALITY_CUMULATIVE", point(5, "input")),
                metric("histogram", 2, {"count": "3", "sum": 1.5, "timeUnixNano": "0"}, "x"),
            )
        )
    )
    assert collected.counts() == (5, 1, 0)
    rows = collected.ledger.rows(
        "select point_kind, temporality, value, point_count, point_sum, time_ns is null "
        "from raw.otlp_metrics order by ordinal"
    )
    assert rows == [
        ("sum", "delta", "5", None, None, False),
        ("sum", "delta", "7", None, None, False),
        ("sum", "delta", "9", None, None, False),
        ("sum", "cumulative", "5", None, None, False),
        ("histogram", "cumulative", None, "3", "1.5", True),
    ]
    # Two users are two series, although nobody is told apart by what is kept.
    [(series, keys)] = collected.ledger.rows(
        "select count(distinct series), count(distinct record_key) from raw.otlp_metrics"
    )
    assert (series, keys) == (4, 4)


def test_documents_of_every_shape_and_encoding_are_read(collected: Collected) -> None:
    request = otlp.traces(otlp.chat(1))
    pretty = json.dumps(request, indent=2)
    collected.write(pretty + pretty, "two-documents.jsonl")
    collected.write(pretty.encode("utf-16"), "utf16.json")
    collected.write(json.dumps(request).encode("utf-16-be"), "utf16be-without-bom.json")
    collected.write(b"\xef\xbb\xbf" + otlp.lines(request, request).encode(), "bom.json")
    collected.write(json.dumps([request, request]), "list.json")
    collected.write(json.dumps(request) * 2 + "\r\n\r\n" + json.dumps(request), "crlf.jsonl")
    assert collected.counts() == (11, 0, 0)
    assert len(set(collected.spans("record_key, content_hash"))) == 1


def test_strange_lines_cost_themselves_alone(collected: Collected) -> None:
    good = json.dumps(otlp.traces(otlp.chat(1)))
    deep = '{"resourceSpans":' + "[" * 20_000
    number = good.replace('"1200"', "NaN")
    texts = [good, "null", "[1]", '"x"', deep, "{}", number, good.replace("conv-1", "\\ud83d"),
             good.replace("conv-1", "a\\u0000b"), '{"resourceSpans": []}', "   ", '{"x": 1}',
             good.replace('"spans": [{', '"spans": [7, "x", {'), '{"resourceSpans": {"a": 1}}',
             good[:-1] + ', "resourceSpans": []}']  # fmt: skip
    collected.write("\n".join(texts) + "\n")
    accepted, rejected, known = collected.counts()
    assert (accepted, known) == (5, 0)
    reasons = dict(
        collected.ledger.rows("select reason, count(*) from raw.rejects group by reason")
    )
    assert sum(reasons.values()) == rejected == 9
    assert reasons["not_an_object"] == 6
    flags = {flag for (text,) in collected.spans("flags") for flag in (text or "").split(",")}
    assert {"not_a_number", "unsafe_characters"} <= flags


def test_values_of_an_unexpected_type_are_unknown(collected: Collected) -> None:
    odd = otlp.span(
        1, attrs={"gen_ai.usage.input_tokens": ["1"], "gen_ai.request.model": "model-a"}
    )
    odd |= {"name": {"a": 1}, "kind": "SPAN_KIND_INTERNAL", "status": "ok", "startTimeUnixNano": 0,
            "endTimeUnixNano": 1.5e18, "traceId": otlp.TRACE.upper(),
            "parentSpanId": "0" * 16}  # fmt: skip
    odd["attributes"] += [7, {"key": 1}, {"key": "session.id", "value": "x"}]
    missing = {"attributes": "x", "traceId": 5}
    collected.write(otlp.lines(otlp.traces(odd, missing)))
    assert collected.counts() == (2, 0, 0)
    assert collected.spans(
        "trace_id, parent_span_id, span_name, span_kind, status_code, started_ns, ended_ns, "
        "attributes, flags"
    ) == [
        (otlp.TRACE, None, None, "internal", "unset", None, "1500000000000000000",
         '{"gen_ai.request.model":"model-a"}', "unexpected_type"),
        (None, None, None, "unspecified", "unset", None, None, None, "derived_id"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "chat", "context": {"trace_id": "0x1"}, "end_time": null}\n', "console"),
        ('{\n "name": "chat",\n "context": {"trace_id": "0x1"}\n}\n' * 2, "console"),
        ('{"data": [{"traceID": "1", "spans": []}]}', "Jaeger"),
        ('{"traceID": "1", "spans": []}\n', "Jaeger"),
        ('{"a": 1}', "no OTLP"),
        ("event_id,ts,session_id\n1,2,3\n", "no OTLP"),
    ],
)
def test_what_only_looks_like_otlp_is_refused_with_a_word(
    collected: Collected, text: str, said: str
) -> None:
    collected.write(text)
    assert collected.counts()[0] == 0
    [(state, message)] = collected.states()
    assert state == "unrecognised_format"
    assert said in message


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", "{}", "[]"])
def test_files_with_nothing_in_them_are_empty(collected: Collected, text: str) -> None:
    collected.write(text)
    assert collected.counts() == (0, 0, 0)
    assert collected.states()[0][0] == "empty"


def test_a_growing_file_goes_on_where_it_ended(collected: Collected) -> None:
    first, second = (otlp.lines(otlp.traces(otlp.chat(n))) for n in (1, 2))
    path = collected.write(first + second[:80])
    assert collected.counts() == (1, 0, 0)
    with path.open("a") as stream:
        stream.write(second[80:])
    assert collected.counts() == (1, 0, 0)
    assert collected.counts() == (0, 0, 0)
    collected.write(otlp.lines(otlp.traces(otlp.chat(3))) + first + second)
    assert collected.counts() == (1, 0, 2)


def test_files_in_any_order_give_the_same_keys(tmp_path: Path, ledger: Ledger) -> None:
    texts = [otlp.lines(otlp.traces(otlp.chat(n), otlp.chat(1))) for n in range(6)]
    found = []
    for seed in (1, 2):
        here = Collected(ledger, tmp_path / str(seed))
        order = list(enumerate(texts))
        random.Random(seed).shuffle(order)  # noqa: S311 - test data
        for number, text in order:
            here.write(text, f"{number}.json")
            here.counts()
        found.append(
            ledger.rows(
                "select record_key, content_hash from raw.otlp_spans s join raw.sources o "
                f"on o.source_id = s.source_id where o.location = '{here.folder}' order by all"
            )
        )
    assert found[0] == found[1]
    assert len(found[0]) == 12


def test_cut_at_every_byte_no_wrong_row_appears(collected: Collected) -> None:
    whole = otlp.lines(otlp.traces(otlp.span(1, events=[], links=[], attributes=[]))).encode()
    for length in range(1, len(whole), 7):
        collected.write(whole[:length], f"{length:04}.json")
    accepted = collected.counts()[0]
    assert accepted == (1 if (len(whole) - 1 - 1) % 7 == 0 else 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(["stringValue", "intValue", "arrayValue", "values", "key", "value"])
            | st.text(max_size=5),
            inside,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"key": st.sampled_from(sorted(otlp_attributes.CLAUDE_CODE)) | st.text(max_size=10)},
            optional={"value": json_values},
        )
        | json_values,
        max_size=6,
    )
)
def test_whatever_an_attribute_holds_only_plain_values_are_kept(listed: list[Any]) -> None:
    kept = otlp_attributes.read(listed, otlp_attributes.CLAUDE_CODE, KEY)
    for name, value in kept.values.items():
        for text in value if isinstance(value, list) else [value]:
            assert name in otlp_attributes.CLAUDE_CODE
            assert len(text) <= 300
            assert "@" not in text or "." not in text.split("@", 1)[1]
            assert text.isprintable()


@given(json_values)
def test_a_request_of_any_shape_breaks_nothing(value: Any) -> None:
    data = {"dataPoints": [{"attributes": value, "count": value}], "isMonotonic": value}
    member = {"name": value, "sum": data, "status": value, "attributes": value, "body": value}
    for root, (_, scopes, members) in otlp_requests.SIGNALS.items():
        for request in (
            {root: value},
            {root: [value]},
            {root: [{scopes[0]: value, "resource": value}]},
            {root: [{scopes[0]: [{members[0]: value, "scope": value}]}]},
            {root: [{scopes[0]: [{members[0]: [member]}]}]},
        ):
            for part in otlp_requests.parts(request, KEY):
                json.dumps(part.record, default=str)


@given(st.integers(min_value=-(2**70), max_value=2**70) | st.floats() | st.text(max_size=30))
def test_nanoseconds_are_digits_or_nothing(value: Any) -> None:
    found = otlp_values.nanoseconds(value)
    assert found is None or (found.isdigit() and len(found) <= 30 and found.strip("0"))
