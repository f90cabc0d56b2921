"""Turns from real files: late records, versions, copies and forks, in slices and at once."""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry, warehouse
from agentledger.ingest import collect
from agentledger.sample.agent_turns import write_agent_turns
from agentledger.settings import Settings

AS_OF = datetime(2026, 9, 1, 12, tzinfo=UTC)
MARTS = (
    "fct_turns", "turn_stop_reasons", "turn_cutoff_rates", "turns_cut_off_early",
    "session_trajectories", "fct_llm_calls",
)  # fmt: skip
OF_A_LOAD = {"load_seq", "file_id", "line_no"}
"""What tells where and when a row was loaded, and not what it says."""

Line = dict[str, Any]


class Ledger:
    """A data home with a folder of telemetry and one of transcripts."""

    def __init__(self, folder: Path, dbt: Callable[..., Any]) -> None:
        self.settings = Settings(home=folder / "home", host_zone="UTC")
        self.logs, self.transcripts = folder / "logs", folder / "transcripts"
        self._dbt, self._runs = dbt, 0
        self.logs.mkdir(parents=True)
        self.transcripts.mkdir()
        warehouse.prepare_home(self.settings)
        registry.add_source(self.settings, "events", str(self.logs), zone="UTC")
        registry.add_source(
            self.settings, "claude-code", str(self.transcripts), zone="UTC", projects="all"
        )

    def write(self, name: str, lines: Sequence[Line]) -> None:
        folder = self.transcripts if name.startswith("session") else self.logs
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with (folder / name).open("a", encoding="utf-8") as stream:
            stream.write(text)

    def collect(self) -> None:
        self._runs += 1
        with warehouse.open_warehouse(self.settings) as connection:
            collect.collect(self.settings, connection, run_id=str(self._runs), as_of=AS_OF)

    def build(self, *arguments: str) -> None:
        selected = [f"+{name}" for name in MARTS]
        self._dbt(self.settings.warehouse_path, "run", *arguments, "--select", *selected)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with warehouse.open_warehouse(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def marts(self, leave_out: Sequence[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for name in MARTS:
            columns = [row[0] for row in self.rows(f"describe marts.{name}")]
            kept = ", ".join(column for column in columns if column not in leave_out)
            found[name] = self.rows(f"select {kept} from marts.{name} order by all")
        return found


def _telemetry(folder: Path) -> list[Line]:
    write_agent_turns(folder, random.Random(3), 60, date(2026, 8, 1))  # noqa: S311
    text = (folder / "agent_telemetry.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    for number, line in enumerate(lines):
        line["project_id"] = "shop"
        if number % 17 == 0:
            line["session_id"] = None
    return lines


def _changed(lines: Sequence[Line]) -> Iterator[Line]:
    """Further versions: a reason that was known later, a record that moved to another session."""
    summaries = [line for line in lines if line["record_type"] == "turn_summary"]
    for line in summaries[:5]:
        yield line | {"stop_reason": "completed", "total_tokens": 10_000_000}
    sessions = [line["session_id"] for line in lines if line["session_id"]]
    for line in lines[40:43]:
        yield line | {"session_id": sessions[0], "total_tokens": 9_000_000, "duration_ms": 70_000}
    yield lines[7] | {"created_at": "2099-01-01T00:00:00Z", "total_tokens": 9_500_000}


def _session(session: str, start: datetime, count: int) -> list[Line]:
    lines: list[Line] = []
    for number in range(count):
        at = start + timedelta(minutes=number)

        def line(
            kind: str, seconds: int, at: datetime = at, number: int = number, **more: Any
        ) -> Line:
            stamp = (at + timedelta(seconds=seconds)).isoformat().replace("+00:00", ".000Z")
            return {
                "type": kind, "uuid": f"{session}-{number}-{seconds}", "sessionId": session,
                "timestamp": stamp, "cwd": "/home/u/app", "version": "2.1.42", **more,
            }  # fmt: skip

        lines.append(line("user", 0, message={"role": "user", "content": "please"}))
        lines += [
            line("assistant", 5 + step, requestId=f"r{session}{number}", message={
                "id": f"m{session}{number}", "model": "model-a",
                "stop_reason": "end_turn" if step else None,
                "content": [{"type": "text", "text": "x"}],
                "usage": {"input_tokens": 3, "output_tokens": 5 + 10 * step},
            })
            for step in range(2)
        ]  # fmt: skip
        lines.append(line("system", 9, subtype="turn_duration", durationMs=9000 + number))
    return lines


Slices = list[list[tuple[str, list[Line]]]]


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Slices:
    records = _telemetry(tmp_path_factory.mktemp("told"))
    random.Random(5).shuffle(records)  # noqa: S311
    first, second, third = records[:80], records[80:160], records[160:]
    session = _session("s1", datetime(2026, 8, 1, 10, tzinfo=UTC), 4)
    fork = [line | {"sessionId": "s0"} for line in session[:8]]
    return [
        [("a.jsonl", first), ("session-1.jsonl", session[:6])],
        [("a.jsonl", second), ("b.jsonl", first[:20]), ("session-1.jsonl", session[6:])],
        [("c.jsonl", [*third, *_changed(records)]), ("session-0.jsonl", fork)],
    ]


@pytest.fixture(scope="module")
def grown(
    slices: Slices, dbt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Ledger:
    """A ledger that took the slices one after the other."""
    ledger = Ledger(tmp_path_factory.mktemp("grown"), dbt)
    for arriving in slices:
        for name, lines in arriving:
            ledger.write(name, lines)
        ledger.collect()
        ledger.build()
    return ledger


def test_tokens_of_turns_are_those_of_the_calls(grown: Ledger) -> None:
    """Should lose no call and count none twice, summaries least of all."""
    [told] = grown.rows(
        "select sum(llm_calls), sum(call_tokens) from marts.fct_turns where not ts_suspicious"
    )
    [calls] = grown.rows(
        "select count(*), sum(input_fresh_tokens + coalesce(cache_read_tokens, 0) + output_tokens) "
        "from marts.fct_llm_calls where not ts_suspicious"
    )
    assert told == calls
    [(naive, right)] = grown.rows(
        "select sum(naive_tokens), sum(total_tokens) from marts.fct_turns where has_summary"
    )
    assert naive > 1.8 * right


def test_a_fork_takes_no_turn_from_its_session(grown: Ledger) -> None:
    """Should keep the copied prompts and answers together, and the rest where it was."""
    found = grown.rows(
        "select session_id, count(*), sum(llm_calls), sum(total_tokens), min(duration_ms) "
        "from marts.fct_turns where source_kind = 'claude_code' group by all order by 1"
    )
    assert found == [("s0", 2, 2, 36, 9000), ("s1", 2, 2, 36, 9002)]


@pytest.mark.slow
@pytest.mark.rebuilds
def test_slices_in_another_order_and_one_load_give_the_same_turns(
    grown: Ledger, slices: Slices, dbt: Callable[..., Any], tmp_path: Path
) -> None:
    """Should not depend on when a record was read, nor on whether it was read twice."""
    other = Ledger(tmp_path, dbt)
    for name, lines in reversed([member for arriving in slices for member in arriving]):
        other.write(name, list(reversed(lines)) if name != "b.jsonl" else lines)
    other.collect()
    shutil.copyfile(other.logs / "c.jsonl", other.logs / "again.jsonl")
    other.collect()
    other.build()
    # Other folders are other sources, and the projects that they name are their own.
    keys = {
        "project_id", "session_key", "turn_unit", "turn_key", "telemetry_key", "llm_call_key",
        "message_key",
    }  # fmt: skip
    leave_out = (*OF_A_LOAD, *keys)
    assert other.marts(leave_out) == grown.marts(leave_out)


@pytest.mark.slow
@pytest.mark.rebuilds
def test_a_full_refresh_gives_what_the_slices_gave(grown: Ledger) -> None:
    """Should find every row as it was: sessions that lost a record included."""
    before = grown.marts()
    assert all(before.values())
    grown.build("--full-refresh")
    assert grown.marts() == before
