"""Transcripts that grow while the ledger runs again and again end like transcripts read at once."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import SHARED_DATA, Home

SOURCE = SHARED_DATA / "claude-code"
PARTS = 400
WRITING_SECONDS = 40
READ_SECONDS = 240
"""How long a writer waits for the first run; on a busy machine minutes."""
PLACE = {"load_seq", "file_id", "as_of", "run_id", "build_id"}
"""What tells when and from which reading a row came."""

MARTS = ("fct_llm_calls", "fct_tool_calls", "usage_quarter_hours", "llm_call_audit", "fct_turns")


class Writer(threading.Thread):
    """Copies the real transcripts piece by piece, cut at any byte, files in turn."""

    def __init__(self, target: Path) -> None:
        super().__init__(daemon=True)
        self.target = target
        self.go_on = threading.Event()
        self.rng = random.Random(5)  # noqa: S311 - where files are cut

    def run(self) -> None:
        waiting = [
            (file.relative_to(SOURCE), file.read_bytes()) for file in SOURCE.rglob("*.jsonl")
        ]
        size = sum(len(data) for _, data in waiting) // PARTS
        left = PARTS
        while waiting:
            left -= 1
            if left == PARTS // 4:
                self.go_on.wait(READ_SECONDS)
            place = self.rng.randrange(len(waiting))
            name, data = waiting[place]
            cut = self.rng.randrange(1, 2 * size)
            path = self.target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as stream:
                stream.write(data[:cut])
            waiting[place] = (name, data[cut:])
            if not data[cut:]:
                waiting.pop(place)
            time.sleep(WRITING_SECONDS / PARTS)


def add(home: Home, folder: Path) -> None:
    home.call("source", "add", "claude-code", str(folder), "--all-projects", "--yes", "--zone=UTC")


def marts(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    for name in MARTS:
        columns = home.rows(
            "select column_name from duckdb_columns() where schema_name = 'marts' "
            f"and table_name = '{name}' order by column_index"
        )
        kept = ", ".join(column for (column,) in columns if column not in PLACE)
        found[name] = home.rows(f"select {kept} from marts.{name} order by all")
    return found


@pytest.mark.slow
@pytest.mark.crash
def test_runs_beside_a_writer_end_like_one_run(
    make_home: Callable[[str], Home], tmp_path: Path
) -> None:
    if not SOURCE.is_dir():
        pytest.skip("the shared reference data is not beside this checkout")
    folder = tmp_path / "transcripts"
    folder.mkdir()
    live, once = make_home("live"), make_home("once")
    add(live, folder)
    writer = Writer(folder)
    writer.start()
    runs = 0
    while writer.is_alive():
        live.call("run")
        runs += 1
        writer.go_on.set()  # the last quarter is written while the second run reads
    live.call("run")
    add(once, folder)
    once.call("run")
    assert runs >= 2, "the writer was too fast to be read beside"
    expected = marts(once)
    [tokens] = once.rows("select sum(output_tokens) from marts.fct_llm_calls")
    assert tokens == (97_417,)
    for name, rows in marts(live).items():
        assert rows == expected[name], name
