"""The page of results: ours beside theirs beside the truth, a row per disagreement and tool.

Belongs here: running every tool on the small cases, the page. Does not belong here: the cases
(`tests/peer_cases.py`), the peers themselves (`peer_tools.py`).
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from benchmarks.ledger import Ledger
from benchmarks.peer_tools import Agentsview, Ccusage, DayUse, Sources
from tests.peer_cases import Case, write_cases

OURS = "agentledger"
SMALLEST_COST = Decimal("0.000002")
"""A peer rounds each event to a millionth of a dollar."""

INTRODUCTION = """# Ours beside other tools, where tools disagree

Written by `make bench-peers`; the figures are as each tool gave them. The files are made by
`tests/peer_cases.py`: one small case per day, with the truth by construction. Every tool reads the
same files and is asked for its daily table in UTC. A figure in bold is not the truth.

That our figures are the truth is a test, too: `tests/dbt/test_peer_fixture.py`.
"""


def results_page(scratch: Path, work: Path, absent: Mapping[str, str]) -> str:
    """Run every tool that is there on the cases; the page as Markdown.

    Raises:
        LookupError: When our own figures are not the truth.
    """
    cases = write_cases(work / "files")
    sources = Sources(work / "files" / "claude", work / "files" / "codex")
    found = {OURS: _ours(work / "home", sources)}
    versions = {OURS: version(OURS)}
    if "ccusage" not in absent:
        ccusage = Ccusage(scratch, sources, work / "home-ccusage")
        found[ccusage.name] = ccusage.days(ccusage.daily().output)
        versions[ccusage.name] = ccusage.version
    if "agentsview" not in absent:
        agentsview = Agentsview(scratch, sources, work / "home-agentsview")
        agentsview.sync()
        found[agentsview.name] = agentsview.days(agentsview.daily().output)
        versions[agentsview.name] = agentsview.version
    wrong = [case.name for case in cases if _wrong(case, found[OURS].get(case.day))]
    if wrong:
        raise LookupError(f"our own figures are wrong: {', '.join(wrong)}")
    return _page(cases, found, versions, absent)


def _ours(home: Path, sources: Sources) -> dict[date, DayUse]:
    ledger = Ledger.fresh(home, [])
    for kind, folder in (
        ("claude-code", sources.claude / "projects"),
        ("codex", (sources.codex or sources.claude) / "sessions"),
    ):
        options = ("--all-projects", "--yes", "--zone", "UTC")
        ledger.command("source", "add", kind, str(folder), *options)
    ledger.command("run")
    answer = json.loads(ledger.command("usage", "daily", "--zone", "UTC", "--json").output)
    return {
        date.fromisoformat(row["bucket_start"][:10]): DayUse(
            row["input_fresh_tokens"],
            row["cache_write_5m_tokens"] + row["cache_write_1h_tokens"],
            row["cache_read_tokens"],
            row["output_tokens"],
            None if row["cost_usd"] is None else Decimal(str(row["cost_usd"])),
        )
        for row in answer["rows"]
    }


def _truth(case: Case) -> DayUse:
    used = case.truth
    written = used.write_5m + used.write_1h
    return DayUse(used.fresh, written, used.read, used.output, case.cost)


def _wrong(case: Case, use: DayUse | None) -> list[bool]:
    """Which of the five figures are not the truth; empty when all are."""
    truth = _truth(case)
    use = use or DayUse(0, 0, 0, 0, Decimal(0))
    names = ("fresh", "written", "read", "output")
    wrong = [getattr(use, name) != getattr(truth, name) for name in names]
    wrong.append(use.cost is None or abs(use.cost - case.cost) > SMALLEST_COST)
    return wrong if any(wrong) else []


def _page(
    cases: list[Case],
    found: Mapping[str, Mapping[date, DayUse]],
    versions: Mapping[str, str],
    absent: Mapping[str, str],
) -> str:
    lines = [INTRODUCTION, "| tool | version | cases told right |", "|---|---|---|"]
    for name, days in found.items():
        right = sum(1 for case in cases if not _wrong(case, days.get(case.day)))
        lines.append(f"| {name} | {versions[name]} | {right} of {len(cases)} |")
    lines += [
        f"| {name} | not run | {' '.join(why.split())[:80]} |" for name, why in absent.items()
    ]
    for case in cases:
        lines += [
            "", f"## {case.name}", "", case.about, "",
            "| | fresh input | cache written | cache read | output | USD |",
            "|---|---|---|---|---|---|",
            _row("truth", _truth(case), []),
        ]  # fmt: skip
        for name, days in found.items():
            use = days.get(case.day)
            lines.append(
                f"| {name} | **none** | **none** | **none** | **none** | **none** |"
                if use is None
                else _row(name, use, _wrong(case, use))
            )
    return "\n".join(lines) + "\n"


def _row(name: str, use: DayUse, wrong: list[bool]) -> str:
    cost = "unknown" if use.cost is None else f"{use.cost:.6f}"
    texts = [*(f"{count:,}" for count in (use.fresh, use.written, use.read, use.output)), cost]
    marked = wrong or [False] * len(texts)
    cells = (f"**{text}**" if bad else text for text, bad in zip(texts, marked, strict=True))
    return f"| {name} | " + " | ".join(cells) + " |"
