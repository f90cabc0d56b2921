"""Transcripts on which usage tools are known to disagree, with the truth by construction.

Belongs here: one small tree of files, a case per day, and what each day really used. Does not
belong here: running a tool on it (`tests/dbt/test_peer_fixture.py`, `benchmarks/peers.py`).

A case has a day of its own, so that the daily table of any tool shows it by itself. The truth is
the sum of the `Used` that each writer was given: nothing is computed from the files.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

FIRST_DAY = date(2026, 5, 1)

CLAUDE, CODEX = "claude-sonnet-4-5-20250929", "gpt-5"

USD_PER_MILLION = {
    # Fresh input, 5-minute write, 1-hour write, cache read, output: the makers' list prices.
    CLAUDE: (Decimal("3"), Decimal("3.75"), Decimal("6"), Decimal("0.30"), Decimal("15")),
    CODEX: (Decimal("1.25"), Decimal(0), Decimal(0), Decimal("0.125"), Decimal("10")),
}


@dataclass(frozen=True, slots=True)
class Used:
    """Tokens of one or more responses, in tiers that share no token."""

    fresh: int = 0
    write_5m: int = 0
    write_1h: int = 0
    read: int = 0
    output: int = 0

    def __add__(self, other: "Used") -> "Used":
        return Used(*(a + b for a, b in zip(self.tiers(), other.tiers(), strict=True)))

    def tiers(self) -> tuple[int, int, int, int, int]:
        """Give all tiers, in the order of the prices."""
        return self.fresh, self.write_5m, self.write_1h, self.read, self.output

    def cost(self, model: str) -> Decimal:
        """Cost at the list price."""
        prices = zip(self.tiers(), USD_PER_MILLION[model], strict=True)
        return sum((count * price for count, price in prices), Decimal(0)) / 1_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """One disagreement: what is in the files and what was really used."""

    name: str
    about: str
    day: date
    model: str
    truth: Used

    @property
    def cost(self) -> Decimal:
        return self.truth.cost(self.model)


class Day:
    """Writes the files of one case."""

    def __init__(self, root: Path, number: int, name: str) -> None:
        self.root = root
        self.number = number
        self.name = name
        self.day = FIRST_DAY + timedelta(days=number)
        self._lines = 0

    def session(self, number: int = 1) -> str:
        return f"5e0000{self.number:02x}-0000-4000-8000-{number:012x}"

    def stamp(self) -> str:
        """The next second of the day, from 10:00."""
        self._lines += 1
        return f"{self.day}T10:{self._lines // 60:02d}:{self._lines % 60:02d}.100Z"

    def line(self, kind: str, **members: Any) -> dict[str, Any]:
        stamp = self.stamp()
        return {
            "parentUuid": None, "isSidechain": False, "userType": "external",
            "cwd": "/home/user/app", "sessionId": self.session(), "version": "2.1.42",
            "gitBranch": "main", "type": kind,
            "uuid": f"aa0000{self.number:02x}-0000-4000-8000-{self._lines:012x}",
            "timestamp": stamp,
        } | members  # fmt: skip

    def prompt(self, **members: Any) -> dict[str, Any]:
        text = f"do the work of {self.name}"
        return self.line("user", message={"role": "user", "content": text}, **members)

    def answer(
        self,
        message: int,
        used: Used,
        block: str = "text",
        *,
        model: str = CLAUDE,
        request: bool = True,
        **members: Any,
    ) -> dict[str, Any]:
        """One content block of response `message`, with its usage as it stood then."""
        own = f"{self.number:02d}{message:02d}"
        blocks = {
            "text": {"type": "text", "text": "done"},
            "thinking": {"type": "thinking", "thinking": "let me see", "signature": "s"},
            "tool_use": {
                "type": "tool_use", "id": f"toolu_{own}", "name": "Bash",
                "input": {"command": "ls"},
            },
        }  # fmt: skip
        usage = {
            "input_tokens": used.fresh,
            "cache_creation_input_tokens": used.write_5m + used.write_1h,
            "cache_read_input_tokens": used.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": used.write_5m,
                "ephemeral_1h_input_tokens": used.write_1h,
            },
            "output_tokens": used.output,
            "service_tier": "standard",
        }
        body = {
            "id": f"msg_{own}", "type": "message", "role": "assistant", "model": model,
            "content": [blocks[block]], "stop_reason": None, "stop_sequence": None, "usage": usage,
        }  # fmt: skip
        named = {"requestId": f"req_{own}"} if request else {}
        return self.line("assistant", message=body, **named, **members)

    def write(
        self, lines: Sequence[dict[str, Any]], name: str = "", *, spaced: bool = False
    ) -> None:
        path = self.root / "claude" / "projects" / "-home-user-app" / (name or self.session())
        _write(path.with_name(path.name + ".jsonl"), lines, spaced=spaced)


def _write(path: Path, lines: Sequence[dict[str, Any]], *, spaced: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    separators = (", ", ": ") if spaced else (",", ":")
    text = "".join(json.dumps(line, separators=separators) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")


def growing_stream(day: Day) -> Used:
    """One response written three times while its output grew: the last figure is the true one."""
    whole = Used(fresh=3, write_5m=1_200, read=12_000, output=480)
    begun = [Used(fresh=3, write_5m=1_200, read=12_000, output=count) for count in (1, 130)]
    day.write([day.prompt(), *(day.answer(1, used) for used in (*begun, whole))])
    return whole


def content_blocks(day: Day) -> Used:
    """Two responses of several content blocks, each block a line that repeats the usage."""
    first = Used(fresh=5, write_5m=2_000, read=8_000, output=300)
    second = Used(fresh=2, write_5m=100, read=10_000, output=90)
    lines = [day.answer(1, first, block) for block in ("thinking", "text", "tool_use")]
    lines += [day.answer(2, second, block) for block in ("text", "tool_use")]
    day.write([day.prompt(), *lines])
    return first + second


def missing_request_id(day: Day) -> Used:
    """One response, of which a line names no request; and one that never names any."""
    first = Used(fresh=4, write_5m=900, read=7_000, output=200)
    second = Used(fresh=6, read=7_900, output=70)
    lines = [day.answer(1, first, "text"), day.answer(1, first, "tool_use", request=False)]
    lines += [day.answer(2, second, block, request=False) for block in ("text", "tool_use")]
    day.write([day.prompt(), *lines])
    return first + second


def one_hour_write(day: Day) -> Used:
    """Cache writes that live for an hour cost 1.6 times those of five minutes."""
    used = Used(fresh=10, write_5m=10_000, write_1h=100_000, read=20_000, output=1_000)
    day.write([day.prompt(), day.answer(1, used)])
    return used


def synthetic_lines(day: Day) -> Used:
    """Lines that the tool made up itself, one of them with figures: no model was asked."""
    used = Used(fresh=3, read=5_000, output=150)
    made_up = Used(fresh=700, write_5m=900, output=50)
    lines = [
        day.answer(2, Used(), model="<synthetic>", request=False, isApiErrorMessage=True),
        day.answer(3, made_up, model="<synthetic>", request=False),
    ]
    day.write([day.prompt(), day.answer(1, used), *lines])
    return used


def fork_copy(day: Day) -> Used:
    """A fork repeats its parent's lines under a session of its own, then goes on by itself."""
    shared, own = Used(fresh=3, write_5m=3_000, read=9_000, output=400), Used(5, 50, 0, 12_000, 60)
    lines = [day.prompt(), day.answer(1, shared, "text"), day.answer(1, shared, "tool_use")]
    day.write(lines)
    copied = [line | {"sessionId": day.session(2)} for line in lines]
    day.write([*copied, day.answer(2, own, sessionId=day.session(2))], day.session(2))
    return shared + own


def growing_copies(day: Day) -> Used:
    """A checkpoint tool copied one session three times while it grew, under other file names."""
    answers = [Used(fresh=2, write_5m=1_000 * n, read=4_000, output=100 * n) for n in (1, 2, 3)]
    lines = [day.prompt(), *(day.answer(n, used) for n, used in enumerate(answers, start=1))]
    for number in (2, 3, 4):
        day.write(lines[:number], day.session(number))
    return answers[0] + answers[1] + answers[2]


def subagent_file(day: Day) -> Used:
    """A subagent has a file of its own; the total in its parent's result is no further use."""
    main, child = Used(fresh=8, write_5m=500, read=6_000, output=120), Used(20, 800, 0, 3_000, 210)
    result = day.line(
        "user",
        message={
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": f"toolu_{day.number:02d}01", "content": "ok"}
            ],
        },
        toolUseResult={
            "status": "completed", "agentId": "a1b2c3", "totalDurationMs": 5_000,
            "totalTokens": sum(child.tiers()), "totalToolUseCount": 0,
        },
    )  # fmt: skip
    day.write([day.prompt(), day.answer(1, main, "tool_use"), result])
    inner = {"isSidechain": True, "agentId": "a1b2c3"}
    day.write(
        [day.prompt(**inner), day.answer(2, child, **inner)],
        f"{day.session()}/subagents/agent-a1b2c3",
    )
    return main + child


def json_with_spaces(day: Day) -> Used:
    """The same records with a space after each colon and comma, as other writers print JSON."""
    used = Used(fresh=7, write_5m=600, read=11_000, output=330)
    day.write([day.prompt(), day.answer(1, used)], spaced=True)
    return used


Totals = tuple[int, int, int, int]
"""What a thread of Codex has used so far: input with what was cached, cached, output, reasoning."""


class Thread:
    """Writes one rollout of Codex; a step is the difference of two totals."""

    def __init__(self, day: Day, number: int, **head: Any) -> None:
        self.day = day
        self.id = f"019e00{day.number:02x}-0000-7000-8000-{number:012x}"
        self.name = f"rollout-{day.day}T10-0{number}-00-{self.id}.jsonl"
        self.lines: list[dict[str, Any]] = []
        self._before: Totals = (0, 0, 0, 0)
        self.add(
            "session_meta", id=self.id, timestamp=f"{day.day}T10:00:00.000Z", cwd="/home/user/app",
            originator="codex_cli_rs", cli_version="0.128.0", source="cli",
            model_provider="openai", **head,
        )  # fmt: skip

    def add(self, kind: str, **payload: Any) -> None:
        self.lines.append({"timestamp": self.day.stamp(), "type": kind, "payload": payload})

    def turn(self, name: str, total: Totals, *, emitted: int = 1) -> None:
        """A turn and its total, which the interface emits once or more often."""
        step = tuple(a - b for a, b in zip(total, self._before, strict=True))
        self._before = total
        self.add("turn_context", turn_id=name, cwd="/home/user/app", model=CODEX)
        for role, kind, text in (("user", "input", "do"), ("assistant", "output", "done")):
            content = [{"type": f"{kind}_text", "text": f"{text} the work of {name}"}]
            self.add("response_item", type="message", role=role, content=content)
        info = {"total_token_usage": _usage(total), "last_token_usage": _usage(step)}
        for _ in range(emitted):
            self.add("event_msg", type="token_count", info=info | {"model_context_window": 272_000})

    def write(self) -> None:
        folder = self.day.root / "codex" / "sessions" / self.day.day.strftime("%Y/%m/%d")
        _write(folder / self.name, self.lines)


def _usage(counts: Sequence[int]) -> dict[str, int]:
    names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
    return dict(zip(names, counts, strict=True)) | {"total_tokens": counts[0] + counts[2]}


def codex_replay(day: Day) -> Used:
    """A forked thread begins with its parent's turns, all with the time of the fork."""
    parent = Thread(day, 1)
    for name, total in (("t1", (1_000, 100, 200, 20)), ("t2", (2_500, 600, 450, 60))):
        parent.turn(name, total)
    parent.write()
    child = Thread(day, 2, forked_from_id=parent.id)
    at = day.stamp()
    child.lines += [line | {"timestamp": at} for line in parent.lines]
    child._before = (2_500, 600, 450, 60)
    child.turn("t3", (4_000, 1_500, 700, 100))
    child.write()
    # The parent's 2,500 and the child's own 1,500 of input, of which 600 and 900 were cached.
    return Used(fresh=1_900, read=600, output=450) + Used(fresh=600, read=900, output=250)


def codex_emitted_again(day: Day) -> Used:
    """The interface emits an unchanged total again: nothing was used in between."""
    thread = Thread(day, 1)
    thread.turn("t1", (3_000, 1_000, 500, 50), emitted=3)
    thread.turn("t2", (7_000, 4_000, 900, 120), emitted=2)
    thread.write()
    return Used(fresh=3_000, read=4_000, output=900)


WRITERS: dict[str, tuple[Callable[[Day], Used], str]] = {
    "growing stream": (growing_stream, CLAUDE),
    "content blocks": (content_blocks, CLAUDE),
    "missing request id": (missing_request_id, CLAUDE),
    "1-hour cache write": (one_hour_write, CLAUDE),
    "synthetic lines": (synthetic_lines, CLAUDE),
    "fork copy": (fork_copy, CLAUDE),
    "growing copies": (growing_copies, CLAUDE),
    "subagent file": (subagent_file, CLAUDE),
    "JSON with spaces": (json_with_spaces, CLAUDE),
    "Codex: replayed turns": (codex_replay, CODEX),
    "Codex: total emitted again": (codex_emitted_again, CODEX),
}


def write_cases(root: Path) -> list[Case]:
    """Write `claude/projects` and `codex/sessions` below a folder; say what was really used."""
    cases = []
    for number, (name, (writer, model)) in enumerate(WRITERS.items()):
        day = Day(root, number, name)
        truth = writer(day)
        cases.append(Case(name, (writer.__doc__ or "").strip(), day.day, model, truth))
    return cases
