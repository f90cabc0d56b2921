"""The numbers of the shared reference page for OTLP, and sessions and traces worked out by hand.

The reference numbers were computed independently of this project, straight from the files.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry
from tests import otlp
from tests.dbt.source_ledger import SHARED, SourceLedger

ROOT = SHARED / "otlp"
OTHER: dict[str, Any] = {"traceId": "f" * 32}

_CALLS = (
    "select source_kind, model, provider, input_basis, input_fresh_tokens, cache_write_5m_tokens, "
    "cache_read_tokens, output_tokens, cast(cost_as_billed_usd as double), duration_ms, "
    "is_sidechain, attribution_skill from marts.fct_llm_calls order by all"
)
_TOOLS = (
    "select source_kind, tool_name, outcome, error_class, duration_ms, has_result "
    "from marts.fct_tool_calls order by all"
)
_DROPPED = (
    "select coalesce(drop_reason, 'kept'), count(*), sum(output_tokens)::bigint "
    "from intermediate.int_otlp_call_versions group by 1 order by 1"
)


@pytest.fixture(scope="module")
def new_ledger(
    dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], SourceLedger]:
    if not ROOT.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    return lambda: SourceLedger(tmp_path_factory.mktemp("otlp"), dbt, "otlp")


def reference_files() -> list[Path]:
    return [*sorted(path for path in ROOT.rglob("*") if path.is_file()),
            SHARED / "torture" / "utf16le-bom.json",
            SHARED / "torture" / "gemini-document-named.jsonl"]  # fmt: skip


# A call that has not ended; then its end, twice; then the calls of which it is the sum.
_GROWING = (
    otlp.traces(
        otlp.chat(1, **OTHER, endTimeUnixNano="0", attrs={"gen_ai.usage.output_tokens": 7})
    ),
    otlp.traces(otlp.chat(1, **OTHER), otlp.chat(1, **OTHER)),
    otlp.traces(
        otlp.span(2, 1, **OTHER),
        otlp.chat(3, 2, **OTHER, attrs={"gen_ai.usage.output_tokens": 60}),
        otlp.chat(4, 2, **OTHER, attrs={"gen_ai.usage.output_tokens": 20}),
    ),
)
FIRST = {
    "openinference.jsonl": otlp.lines(otlp.openinference_trace()),
    "events.jsonl": otlp.lines(otlp.claude_code_session()),
    "growing-1.jsonl": otlp.lines(_GROWING[0]),
}
SECOND = {f"growing-{number}.jsonl": otlp.lines(_GROWING[number - 1]) for number in (2, 3)}


def add_transcript(ledger: SourceLedger, folder: Path) -> None:
    """Opt in to the transcript of the session whose events the telemetry tells, too."""
    line = {
        "type": "assistant", "uuid": "aa000000-0000-4000-8000-000000000001", "requestId": "req_1",
        "sessionId": otlp.SESSION, "timestamp": "2026-06-12T20:20:02Z", "cwd": "/home/u/app",
        "message": {"id": "msg_1", "model": "claude-opus-4-6", "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}],
                    "usage": {"input_tokens": 10, "output_tokens": 201}},
    }  # fmt: skip
    folder.mkdir()
    (folder / "s.jsonl").write_text(json.dumps(line) + "\n")
    registry.add_source(ledger.settings, "claude-code", str(folder), projects="all")


@dataclass(frozen=True)
class Answers:
    """What a ledger says at one moment."""

    calls: list[tuple[Any, ...]]
    tools: list[tuple[Any, ...]]
    quarters: list[tuple[Any, ...]]
    dropped: list[tuple[Any, ...]]
    reference: dict[str, Any]
    facts: list[list[tuple[Any, ...]]]


def ask(ledger: SourceLedger) -> Answers:
    return Answers(
        calls=ledger.rows(_CALLS),
        tools=ledger.rows(_TOOLS),
        quarters=ledger.rows(
            "select source_kind, sum(calls)::bigint, sum(output_tokens)::bigint "
            "from marts.usage_quarter_hours group by 1 order by 1"
        ),
        dropped=ledger.rows(_DROPPED),
        reference=reference_numbers(ledger),
        facts=ledger.facts(),
    )


def reference_numbers(ledger: SourceLedger) -> dict[str, Any]:
    """What the reference page tells, from raw and from the models."""
    at = "from raw.{0} as r join raw.files as f using (file_id) where f.path like '%/{1}/%'"
    [copilot] = ledger.rows(
        "select count(*), count(distinct span_key), count(distinct trace_key), "
        "count(*) filter (operation = 'execute_tool'), "
        "count(*) filter (operation = 'invoke_agent'), "
        "count(output_tokens), count(input_fresh_tokens) "
        "from intermediate.int_otlp_spans where service_name = 'vs-copilot' and is_kept"
    )
    return {
        "copilot": copilot,
        "examples": tuple(
            ledger.rows("select count(*) " + at.format(table, "proto-examples"))[0][0]
            for table in ("otlp_spans", "otlp_metrics", "otlp_logs")
        ),
        "utf16": ledger.rows("select trace_id, span_id " + at.format("otlp_spans", "torture")),
        "refused": ledger.rows(
            "select state, message from raw.files where path like '%gemini-document-named%'"
        ),
    }


REFERENCE = {
    # Spans, distinct, traces, tools, agents; tokens that nobody tells are no zeros.
    "copilot": (16, 16, 4, 11, 5, 0, 0),
    "examples": (1, 4, 2),
    "utf16": [("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")],
    "refused": [("unrecognised_format", "this is no OTLP/JSON")],
}


@dataclass(frozen=True)
class Told:
    """One ledger after its first run, after its second, and built from nothing."""

    first: Answers
    second: Answers
    rebuilt: Answers


@pytest.fixture(scope="module")
def told(new_ledger: Callable[[], SourceLedger], tmp_path_factory: pytest.TempPathFactory) -> Told:
    ledger = new_ledger()
    ledger.take(reference_files(), SHARED)
    for name, text in FIRST.items():
        ledger.write(name, text)
    ledger.run("build")
    first = ask(ledger)
    for name, text in SECOND.items():
        ledger.write(name, text)
    add_transcript(ledger, tmp_path_factory.mktemp("transcripts") / "t")
    ledger.run()
    second = ask(ledger)
    ledger.run("run", "--full-refresh")
    return Told(first, second, ask(ledger))


def test_the_reference_numbers_on_the_first_and_the_second_run(told: Told) -> None:
    for answers in (told.first, told.second):
        assert answers.reference == REFERENCE
        # A status that is unset is no success.
        copilot = [row for row in answers.tools if row[0] == "otlp" and row[1] != "search"]
        assert len(copilot) == 11
        assert {row[2] for row in copilot} == {"unknown"}


def test_sums_of_agents_and_chains_do_not_count(told: Told) -> None:
    """Should keep the two model calls alone: 30 out of 90 tokens, 3 cents of 9."""
    calls = [row for row in told.first.calls if row[1] == "model-b"]
    assert calls == [
        ("otlp", "model-b", "gcp.gemini", "unknown", 100, None, None, 10, 0.01, 1000.0, False,
         None),
        ("otlp", "model-b", "gcp.gemini", "unknown", 150, None, 50, 20, 0.02, 1000.0, False, None),
    ]  # fmt: skip
    assert told.first.dropped == [("kept", 6, 287), ("parent_repeats_children", 2, 60)]


def test_events_of_claude_code_are_calls_and_tools(told: Told) -> None:
    calls = [row for row in told.first.calls if row[0] == "claude_code_otel"]
    assert calls == [
        # The request that failed: a call of no tokens.
        ("claude_code_otel", "claude-opus-4-6", "anthropic", "exclusive", 0, 0, 0, 0, None, None,
         False, None),
        ("claude_code_otel", "claude-opus-4-6", "anthropic", "exclusive", 10, 300, 5000, 50,
         0.005, 1500.0, True, "review"),
        ("claude_code_otel", "claude-opus-4-6", "anthropic", "exclusive", 10, 300, 5000, 200,
         0.0125, 1500.0, False, None),
    ]  # fmt: skip
    assert [row for row in told.first.tools if row[2] != "unknown"] == [
        ("claude_code_otel", "Bash", "success", None, 250.0, True),
        ("claude_code_otel", "Edit", "failure", "other", 40.0, True),
        ("otlp", "search", "failure", "other", 1000.0, True),
    ]


def test_a_transcript_takes_back_what_telemetry_told(told: Told) -> None:
    """Should count a session once, although its transcript arrives last."""
    assert told.first.quarters == [("claude_code_otel", 3, 250), ("otlp", 3, 37)]
    assert told.second.quarters == [("claude_code", 1, 201), ("otlp", 4, 110)]
    assert ("told_by_transcript", 3, 250) in told.second.dropped
    assert {row[0] for row in told.second.calls} == {"claude_code", "otlp"}
    assert {row[0] for row in told.second.tools} == {"claude_code", "otlp"}


def test_a_trace_that_gains_spans_is_judged_anew(told: Told) -> None:
    """Should count a call until it turns out to be the sum of the calls below it."""
    outputs = [
        [row[7] for row in answers.calls if row[1] == "model-a-2026"]
        for answers in (told.first, told.second)
    ]
    assert outputs == [[7], [20, 60]]
    # Of the sum one copy ended, one repeats it, one never ended.
    assert told.second.dropped == [
        ("kept", 4, 110), ("parent_repeats_children", 3, 140), ("snapshot_copy", 1, 80),
        ("superseded_version", 1, 7), ("told_by_transcript", 3, 250),
    ]  # fmt: skip


def test_a_full_refresh_changes_nothing(told: Told) -> None:
    assert told.rebuilt == told.second


@pytest.mark.slow
@pytest.mark.rebuilds
def test_files_in_another_order_give_the_same_facts(
    told: Told, new_ledger: Callable[[], SourceLedger], tmp_path: Path
) -> None:
    ledger = new_ledger()
    files = reference_files()
    random.Random(5).shuffle(files)  # noqa: S311 - test data
    texts = list((FIRST | SECOND).items())
    add_transcript(ledger, tmp_path / "t")
    for part, half in ((files[:4], texts[3:]), (files[4:], texts[:3])):
        ledger.take(part, SHARED)
        for name, text in half:
            ledger.write(name, text)
        ledger.run()
    assert ask(ledger) == told.second
