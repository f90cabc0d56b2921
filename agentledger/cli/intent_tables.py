"""Tables of the questions about intents: which columns, in which words.

Belongs here: headings and cells. A rate is written with its counts, interval and evidence.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Cells = dict[str, tuple[str, str]]
"""Heading: the column, and how it is written."""

EVIDENCE_WORDS = {"insufficient_data": "not enough data", "sufficient": "sufficient"}


def _rate_cells(name: str) -> Cells:
    return {
        "rate": (name, "percent"),
        "95 % interval": (name, "interval"),
        "evidence": ("evidence", "evidence"),
    }


QUESTION_CELLS: dict[str, Cells] = {
    "clarify": {
        "verb": ("verb", "text"),
        "clarified": ("clarify_count", "count"),
        "events": ("event_count", "count"),
        **_rate_cells("clarify_rate"),
        "last": ("last_seen_at", "instant"),
    },
    "denies": {
        "denied verb": ("denied_verb", "text"),
        "denied": ("deny_count", "count"),
        "offered": ("event_count", "count"),
        **_rate_cells("deny_rate"),
        "sessions": ("session_count", "count"),
        "last": ("last_denied_at", "instant"),
    },
    "macro-denies": {
        "denied verb": ("denied_verb", "text"),
        "denied": ("deny_count", "count"),
        "checked": ("event_count", "count"),
        **_rate_cells("deny_rate"),
        "sessions": ("session_count", "count"),
        "last": ("last_denied_at", "instant"),
    },
    "arg-failures": {
        "verb": ("verb", "text"),
        "argument": ("missing_arg", "text"),
        "missing": ("failure_count", "count"),
        "events": ("event_count", "count"),
        **_rate_cells("failure_rate"),
        "last": ("last_seen_at", "instant"),
    },
    "overrides": {
        "first choice": ("pre_choice", "text"),
        "forced": ("forced_verb", "text"),
        "overrides": ("override_count", "count"),
        "events": ("event_count", "count"),
        **_rate_cells("override_rate"),
        "last": ("last_seen_at", "instant"),
    },
    "override-events": {
        "at": ("occurred_at", "instant"),
        "chosen": ("chosen_verb", "text"),
        "forced": ("forced_verb", "text"),
        "source": ("selection_source", "text"),
        "mode": ("semreg_mode", "text"),
        "event": ("event_key", "text"),
    },
}
MODE_CELLS: Cells = {
    "outcome": ("outcome", "text"),
    "error": ("error_code", "text"),
    "events": ("event_count", "count"),
    "of": ("total_count", "count"),
    "share": ("share", "percent"),
    "95 % interval": ("share", "interval"),
    "evidence": ("evidence", "evidence"),
}
VERB_CELLS: Cells = {
    "verb": ("verb", "text"),
    "events": ("event_count", "count"),
    "ok": ("success_count", "count"),
    "clarified": ("clarify_count", "count"),
    "args asked": ("clarify_args_count", "count"),
    "failed": ("failure_count", "count"),
    "success": ("success_rate", "percent"),
    "95 % interval": ("success_rate", "interval"),
    "evidence": ("evidence", "evidence"),
}
_RIGHT = ("count", "percent", "interval")


def write_rows(rows: Sequence[Mapping[str, Any]], cells: Cells) -> None:
    """Write rows as a table; nothing known is a sentence, never an empty table."""
    from agentledger.cli import output

    if not rows:
        output.write_line("  none known")
        return
    output.write_table(
        list(cells),
        ([_cell(row, name, kind) for name, kind in cells.values()] for row in rows),
        numeric=[heading for heading, (_, kind) in cells.items() if kind in _RIGHT],
    )


def _cell(row: Mapping[str, Any], name: str, kind: str) -> str:
    from agentledger.cli import output

    if kind == "interval":
        return output.interval(row.get(f"{name}_low"), row.get(f"{name}_high"))
    value = row.get(name)
    if kind == "evidence":
        return EVIDENCE_WORDS.get(value or "", output.text_of(value))
    writers = {"count": output.count, "percent": output.percent, "instant": output.instant}
    return writers.get(kind, output.text_of)(value)


def write_rates(rates: Sequence[Mapping[str, Any]]) -> None:
    """Write the rates of the report; without a period before there is nothing to compare."""
    from agentledger.cli import output

    words = {"no_clear_change": "no clear change", "insufficient_data": "not enough data"}
    rows = [
        [
            row["rate_name"].replace("_", " "),
            output.percent(row["rate"]),
            output.interval(row["rate_low"], row["rate_high"]),
            f"{output.count(row['numerator'])}/{output.count(row['denominator'])}",
            EVIDENCE_WORDS.get(row["evidence"], output.UNKNOWN),
            output.percent(row["previous_rate"]),
            words.get(row["change"] or "", output.text_of(row["change"]).replace("_", " ")),
        ]
        for row in rates
    ]
    headings = ["rate", "now", "95 % interval", "of", "evidence", "before", "change"]
    output.write_table(headings, rows, numeric=["now", "95 % interval", "of", "before"])
