"""A transcript cut at every byte: no crash, no wrong row, and all rows once it is whole again."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agentledger import registry
from tests.unit.conftest import AS_OF, Ledger


def _line(number: int, kind: str, message: Any) -> str:
    record = {
        "type": kind, "uuid": f"u{number}", "sessionId": "s", "message": message,
    }  # fmt: skip
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"


def _answer(output: int) -> dict[str, Any]:
    block = {"type": "tool_use", "id": f"t{output}", "name": "Bash", "input": "€\n"}
    usage = {"input_tokens": 12, "output_tokens": output}
    return {"id": "m1", "content": [block], "usage": usage}


LINES = (
    _line(1, "user", {"role": "user", "content": '"ü" \U0001f3b2'}),
    _line(2, "assistant", _answer(345)),
)
WHOLE = "".join(LINES).encode()
EXPECTED = [
    (1, "user", None, None, 0),
    (2, "assistant", "12", "345", 1),
]
"""Line, type, input, output, tool blocks."""


def _complete_lines(data: bytes) -> int:
    """How many lines of a cut file are records, the last one with or without its line end."""
    *ended, rest = data.split(b"\n")
    return len(ended) + (rest.endswith(b"}") and rest + b"\n" in WHOLE.splitlines(keepends=True))


def _write(path: Path, data: bytes, age_seconds: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    at = AS_OF.timestamp() - age_seconds
    os.utime(path, (at, at))


def _rows(ledger: Ledger) -> dict[str, list[Any]]:
    found = ledger.rows(
        "select regexp_extract(f.path, '[^/]+$'), l.line_no, line_type, input_tokens, "
        "output_tokens, (select count(*) from raw.claude_code_blocks b where b.file_id = l.file_id "
        "and b.line_no = l.line_no) from raw.claude_code_lines l join raw.files f using (file_id) "
        "order by all"
    )
    rows: dict[str, list[Any]] = {}
    for name, *row in found:
        rows.setdefault(name, []).append(tuple(row))
    return rows


@pytest.mark.parametrize("age_seconds", [0, 40 * 86_400], ids=["being written", "left alone"])
def test_a_file_cut_at_every_byte_gives_its_whole_lines_and_nothing_else(
    ledger: Ledger, tmp_path: Path, age_seconds: int
) -> None:
    folder = tmp_path / "transcripts"
    cuts = range(len(WHOLE) + 1)
    for cut in cuts:
        # A folder each, as files whose beginning is another one's end would be a renamed file.
        _write(folder / f"p{cut}" / f"{cut}.jsonl", WHOLE[:cut], age_seconds)
    registry.add_source(ledger.settings, "claude-code", str(folder), zone="UTC")
    ledger.collect()
    found = _rows(ledger)
    for cut in cuts:
        wanted = EXPECTED[: _complete_lines(WHOLE[:cut])]
        assert found.get(f"{cut}.jsonl", []) == wanted, (cut, WHOLE[:cut][-40:])
    states = dict(ledger.rows("select state, count(*) from raw.files group by 1"))
    assert set(states) <= {"loaded", "partial", "pending", "empty", "unrecognised_format"}, states
    for cut in cuts:
        _write(folder / f"p{cut}" / f"{cut}.jsonl", WHOLE, 0)
    ledger.collect()
    assert _rows(ledger) == {f"{cut}.jsonl": EXPECTED for cut in cuts}
