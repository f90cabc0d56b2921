"""The torture list of files, on every reader of what people already have.

Each case is the same whoever wrote the file: the readers share their way through bytes and lines,
and this test keeps it so. What one format does with a strange record is tested with that format.
Source of the cases: formats.md section 10 of the shared documents.
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry
from agentledger.ingest import event_file, event_lines
from tests import otlp
from tests.unit import test_ingest_codex, test_ingest_langfuse, test_ingest_transcripts
from tests.unit.conftest import AS_OF, Ledger

LONG = "x" * 1_100_000
"""Text of a line beyond one megabyte, and nothing that lands."""


def transcript_line(number: int, text: str = "short") -> dict[str, Any]:
    block = {"type": "text", "text": text}
    return test_ingest_transcripts.response(number, f"msg_{number}", number, block)


def rollout_line(number: int, text: str = "short") -> dict[str, Any]:
    if number == 1:
        return test_ingest_codex.meta()
    return test_ingest_codex.line(number, "response_item", type="reasoning", content=text)


def request(number: int, text: str = "short") -> dict[str, Any]:
    return otlp.traces(otlp.chat(number, attrs={"gen_ai.input.messages": text}))


def observation(number: int, text: str = "short") -> dict[str, Any]:
    return test_ingest_langfuse.BLOB | {"id": f"ob-{number}", "input": text}


@dataclass(frozen=True)
class Reader:
    """One kind of source: how a line of it looks, and how what landed is told apart."""

    kind: str
    line: Callable[..., dict[str, Any]]
    table: str
    identity: str
    folder: str = "."

    def foreign(self) -> str:
        """A whole document of some other tool."""
        return json.dumps({"projectHash": "h", "messages": [{"tokens": {}}]}, indent=2)


READERS = (
    Reader("claude-code", transcript_line, "claude_code_lines", "message_id"),
    Reader("codex", rollout_line, "codex_lines", "ts", "sessions"),
    Reader("otlp", request, "otlp_spans", "span_id"),
    Reader("langfuse", observation, "langfuse_observations", "observation_id"),
)


class Tortured:
    """A source of one kind, whose file is treated badly."""

    def __init__(self, reader: Reader, ledger: Ledger, folder: Path) -> None:
        self.reader, self.ledger, self.folder = reader, ledger, folder
        self.inside = folder / reader.folder
        self.inside.mkdir(parents=True)
        self.path = self.inside / "a.jsonl"
        registry.add_source(ledger.settings, reader.kind, str(folder), zone="UTC")

    def text(self, *numbers: int) -> str:
        return "".join(json.dumps(self.reader.line(number)) + "\n" for number in numbers)

    def counts(self) -> tuple[int, int, int]:
        totals = self.ledger.collect().totals()
        return totals["accepted"], totals["rejected"], totals["already_known"]

    def problems_beside_one_record(self) -> list[tuple[str, str]]:
        """Path and reason of what a collection could not read, when it took one record."""
        report = self.ledger.collect()
        assert report.totals()["accepted"] == 1
        problems = [problem for source in report.sources for problem in source.problems]
        return [(problem.path, problem.reason) for problem in problems]

    def landed(self) -> int:
        """How many different records are in raw."""
        [(rows,)] = self.ledger.rows(
            f"select count(distinct {self.reader.identity}) from raw.{self.reader.table}"
        )
        return rows

    def places(self) -> list[Any]:
        return self.ledger.rows(
            f"select line_no, ordinal from raw.{self.reader.table} order by all"
        )

    def states(self) -> dict[str, str]:
        return dict(self.ledger.rows("select regexp_extract(path, '[^/]*$'), state from raw.files"))


@pytest.fixture(params=READERS, ids=lambda reader: reader.kind)
def tortured(request: pytest.FixtureRequest, ledger: Ledger, tmp_path: Path) -> Tortured:
    return Tortured(request.param, ledger, tmp_path / "source")


def test_two_objects_on_one_line_are_two_records(tortured: Tortured) -> None:
    line = tortured.reader.line
    two = json.dumps(line(2)) + json.dumps(line(3))
    tortured.path.write_text(tortured.text(1) + two + "\n" + tortured.text(4))
    assert tortured.counts() == (4, 0, 0)
    assert tortured.places() == [(1, 0), (2, 0), (2, 1), (3, 0)]
    assert tortured.landed() == 4
    assert tortured.counts() == (0, 0, 0)


def test_documents_printed_over_many_lines_are_read_value_by_value(tortured: Tortured) -> None:
    line = tortured.reader.line
    tortured.path.write_text("\n".join(json.dumps(line(number), indent=2) for number in (1, 2)))
    assert tortured.counts() == (2, 0, 0)
    assert tortured.landed() == 2


def test_a_compact_line_after_a_printed_document_is_read(tortured: Tortured) -> None:
    line = tortured.reader.line
    tortured.path.write_text(json.dumps(line(1), indent=2) + "\n" + tortured.text(2))
    assert tortured.counts() == (2, 0, 0)
    assert tortured.landed() == 2


def test_the_document_of_another_tool_is_refused_and_costs_nothing(tortured: Tortured) -> None:
    tortured.path.write_text(tortured.text(1))
    (tortured.inside / "foreign.jsonl").write_text(tortured.reader.foreign())
    assert tortured.counts()[0] == 1
    assert tortured.states() == {"a.jsonl": "loaded", "foreign.jsonl": "unrecognised_format"}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_half_written_last_line_waits_and_is_picked_up(tortured: Tortured, share: float) -> None:
    whole = tortured.text(1, 2)
    last = len(tortured.text(2))
    tortured.path.write_text(whole[: len(whole) - last + int(last * share)])
    os.utime(tortured.path, (AS_OF.timestamp(), AS_OF.timestamp()))  # nobody has gone away yet
    assert tortured.counts() == (1, 0, 0)
    assert tortured.states() == {"a.jsonl": "pending"}
    tortured.path.write_text(whole)
    assert tortured.counts() == (1, 0, 0)
    assert tortured.landed() == 2
    assert tortured.states() == {"a.jsonl": "loaded"}


def test_a_line_of_more_than_a_megabyte_is_a_line(tortured: Tortured) -> None:
    line = tortured.reader.line
    long = json.dumps(line(2, LONG)) + "\n"
    tortured.path.write_text(tortured.text(1) + long + tortured.text(3))
    assert tortured.counts() == (3, 0, 0)
    assert tortured.landed() == 3
    assert b"x" * 100 not in tortured.ledger.settings.warehouse_path.read_bytes()


def test_a_line_beyond_the_limit_costs_itself(
    tortured: Tortured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_lines, "CHUNK_BYTES", 4000)
    monkeypatch.setattr(event_lines, "MAX_LINE_BYTES", 6000)
    long = json.dumps(tortured.reader.line(2, LONG[:50_000])) + "\n"
    tortured.path.write_text(tortured.text(1) + long + tortured.text(3))
    assert tortured.counts() == (2, 1, 0)
    assert tortured.ledger.rows("select reason, line_no from raw.rejects") == [("too_long", 2)]


def test_a_file_that_shrank_loses_no_fact_and_may_grow_again(tortured: Tortured) -> None:
    tortured.path.write_text(tortured.text(1, 2, 3))
    assert tortured.counts() == (3, 0, 0)
    tortured.path.write_text(tortured.text(1))
    assert tortured.counts() == (0, 0, 1)
    assert tortured.landed() == 3
    tortured.path.write_text(tortured.text(1, 4))
    assert tortured.counts()[0] == 1
    assert tortured.landed() == 4


def test_a_file_that_was_replaced_is_read_anew(tortured: Tortured) -> None:
    """Should know the records that stayed, whichever way the file came into its place."""
    tortured.path.write_text(tortured.text(1, 2))
    assert tortured.counts() == (2, 0, 0)
    other = tortured.path.with_suffix(".new")
    other.write_text(tortured.text(3, 1))
    other.replace(tortured.path)
    assert tortured.counts() == (1, 0, 1)
    assert tortured.landed() == 3


def test_a_file_that_is_gone_leaves_its_facts(tortured: Tortured) -> None:
    tortured.path.write_text(tortured.text(1, 2))
    assert tortured.counts() == (2, 0, 0)
    tortured.path.unlink()
    assert tortured.counts() == (0, 0, 0)
    assert tortured.landed() == 2


def test_loops_of_links_and_second_paths_are_read_once(tortured: Tortured) -> None:
    tortured.path.write_text(tortured.text(1, 2))
    (tortured.inside / "loop").symlink_to(tortured.inside)
    (tortured.inside / "self").symlink_to(tortured.inside / "self")
    (tortured.inside / "again.jsonl").symlink_to(tortured.path)
    os.link(tortured.path, tortured.inside / "hard.jsonl")
    assert tortured.counts() == (2, 0, 0)
    assert len(tortured.places()) == 2


def test_a_folder_a_pipe_and_a_dead_link_in_place_of_a_file_stop_nothing(
    tortured: Tortured,
) -> None:
    tortured.path.write_text(tortured.text(1))
    (tortured.inside / "folder.jsonl").mkdir()
    os.mkfifo(tortured.inside / "pipe.jsonl")
    (tortured.inside / "dead.jsonl").symlink_to(tortured.inside / "nowhere.jsonl")
    assert tortured.counts() == (1, 0, 0)


def refused_when(
    read: Callable[[Any], Any], is_refused: Callable[[Any], bool]
) -> Callable[[Any], Any]:
    """A way to read that is denied some: root may read everything, so nothing else denies it."""

    def refuse(given: Any = ".") -> Any:
        if is_refused(given):
            raise PermissionError(13, "Permission denied")
        return read(given)

    return refuse


def test_a_file_that_may_not_be_read_costs_that_file(
    tortured: Tortured, monkeypatch: pytest.MonkeyPatch
) -> None:
    tortured.path.write_text(tortured.text(1))
    bad = tortured.inside / "bad.jsonl"
    bad.write_text(tortured.text(2))
    refuse = refused_when(event_file.open_log, lambda load: load.file.path == str(bad))
    monkeypatch.setattr(event_file, "open_log", refuse)
    assert tortured.problems_beside_one_record() == [(str(bad), "unreadable")]
    monkeypatch.undo()
    assert tortured.counts() == (1, 0, 0)


def test_a_folder_that_may_not_be_listed_costs_that_folder(
    tortured: Tortured, monkeypatch: pytest.MonkeyPatch
) -> None:
    tortured.path.write_text(tortured.text(1))
    closed = tortured.inside / "closed"
    closed.mkdir()
    (closed / "b.jsonl").write_text(tortured.text(2))
    refuse = refused_when(os.scandir, lambda path: Path(os.fspath(path)) == closed)
    monkeypatch.setattr(os, "scandir", refuse)
    [(_, reason)] = tortured.problems_beside_one_record()
    assert reason == "unreadable"


def test_a_copied_tree_adds_no_row_of_meaning(tortured: Tortured) -> None:
    """Should keep the copies beside their originals: dropping them is for the models."""
    tortured.path.write_text(tortured.text(1, 2))
    tortured.counts()
    shutil.copytree(tortured.inside, tortured.inside / "copy")
    tortured.counts()
    assert tortured.landed() == 2
