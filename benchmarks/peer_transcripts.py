"""A tree of made-up Claude Code transcripts, large enough to time readers on.

Belongs here: sizes, writing the tree, adding to it. Does not belong here: what is timed
(`peer_speed.py`), the truth on small files (`tests/peer_cases.py`).

Lines are what a busy session has: a prompt, then responses of two content blocks that repeat one
growing usage, each followed by a tool result of some kilobytes.
"""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FIRST = datetime(2026, 3, 1, 8, tzinfo=UTC)
MODELS = ("claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001", "claude-opus-4-6")
RESPONSES_PER_TURN = 6
LINES_PER_TURN = 1 + 3 * RESPONSES_PER_TURN
RESULT_CHARACTERS = (150, 1_900)


@dataclass(frozen=True, slots=True)
class Size:
    """Turns of all sessions, and how they are spread over files."""

    turns: int
    turns_per_file: int
    largest_turns: int = 0
    """Turns of one more file that holds a single session."""


SIZES = {
    "tiny": Size(60, 20),
    "small": Size(1_680, 40),  # 32,000 lines, 38 MB
    "full": Size(33_700, 50),  # 640,000 lines, 760 MB
    "one-file": Size(2_700, 50, 31_000),  # the same, with 700 MB of it in one file
}


def generate(cache: Path, name: str) -> Path:
    """Write the tree of a size once; the folder that holds `projects`."""
    size = SIZES[name]
    folder = cache / f"transcripts-{name}"
    if folder.exists():
        return folder
    draft = cache / f"transcripts-{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    filler = _filler()
    files = [size.turns_per_file] * (size.turns // size.turns_per_file)
    for number, turns in enumerate([*files, *([size.largest_turns] * bool(size.largest_turns))]):
        path = draft / "projects" / f"-home-user-app{number % 12}" / f"{session_id(number)}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as stream:
            stream.writelines(_lines(number, 0, turns, filler))
    draft.rename(folder)
    return folder


def append(folder: Path, share: float) -> int:
    """Add that share of lines, to the sessions written last; the number of lines added."""
    files = sorted((folder / "projects").rglob("*.jsonl"))
    lines = sum(1 for file in files for _ in file.open("rb"))
    turns = max(1, round(lines * share / LINES_PER_TURN))
    chosen = files[: max(1, len(files) // 100)]
    added = 0
    for place, file in enumerate(chosen):
        number = int(file.stem.rpartition("-")[2], 16)
        count = turns // len(chosen) + (place < turns % len(chosen))
        with file.open("a", encoding="utf-8") as stream:
            for line in _lines(number, 1_000_000, count, _filler()):
                stream.write(line)
                added += 1
    return added


def session_id(number: int) -> str:
    """Id of a session, which ends with its number."""
    return f"5e000000-0000-4000-8000-{number:012x}"


def _filler() -> str:
    rng = random.Random(7)  # noqa: S311 - made-up text
    return " ".join(f"{rng.getrandbits(28):x}" for _ in range(4_000))


def _lines(session: int, first_turn: int, turns: int, filler: str) -> Iterator[str]:
    rng = random.Random(session * 1_000_003 + first_turn)  # noqa: S311 - made-up text
    at = FIRST + timedelta(hours=session * 5 % 4_000, days=30 if first_turn else 0)
    count = 0

    def text(least: int, most: int) -> str:
        length = rng.randrange(least, most)
        start = rng.randrange(len(filler) - length)
        return filler[start : start + length]

    def line(kind: str, **members: Any) -> str:
        nonlocal count, at
        count += 1
        at += timedelta(seconds=rng.randrange(1, 6))
        record = {
            "parentUuid": f"{session:08x}-{first_turn // 1000:04x}-4000-8000-{count - 1:012x}",
            "isSidechain": False, "userType": "external", "cwd": f"/home/user/app{session % 12}",
            "sessionId": session_id(session), "version": "2.1.42", "gitBranch": "main",
            "type": kind, **members,
            "uuid": f"{session:08x}-{first_turn // 1000:04x}-4000-8000-{count:012x}",
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }  # fmt: skip
        return json.dumps(record, separators=(",", ":")) + "\n"

    for turn in range(first_turn, first_turn + turns):
        yield line("user", message={"role": "user", "content": text(40, 400)})
        for step in range(RESPONSES_PER_TURN):
            own = f"{session:x}_{turn:x}_{step}"
            yield from _response(own, rng, text, line)


def _response(own: str, rng: random.Random, text: Any, line: Any) -> Iterator[str]:
    tokens = {
        "input_tokens": rng.randrange(1, 20),
        "cache_creation_input_tokens": rng.randrange(0, 3_000),
        "cache_read_input_tokens": rng.randrange(5_000, 90_000),
    }
    split = {"ephemeral_5m_input_tokens": tokens["cache_creation_input_tokens"]}
    usage = {
        **tokens,
        "cache_creation": {**split, "ephemeral_1h_input_tokens": 0},
        "service_tier": "standard",
    }
    output = rng.randrange(20, 900)
    name = rng.choice(("Bash", "Read", "Edit", "Grep"))
    said = {"type": "text", "text": text(60, 900)}
    used = {
        "type": "tool_use", "id": f"toolu_{own}", "name": name,
        "input": {"command": text(20, 300), "description": text(10, 60)},
    }  # fmt: skip
    model = MODELS[len(own) % len(MODELS)]
    for block, so_far in ((said, 1 + output // 3), (used, output)):
        message = {
            "id": f"msg_{own}", "type": "message", "role": "assistant", "model": model,
            "content": [block], "stop_reason": None, "stop_sequence": None,
            "usage": {**usage, "output_tokens": so_far},
        }  # fmt: skip
        yield line("assistant", message=message, requestId=f"req_{own}")
    result = {
        "type": "tool_result", "tool_use_id": f"toolu_{own}", "content": text(*RESULT_CHARACTERS),
        "is_error": rng.random() < 0.04,
    }  # fmt: skip
    yield line("user", message={"role": "user", "content": [result]})
