"""How the command line writes: JSON, tables, numbers; safe for any terminal and any pipe.

Belongs here: formatting of values, escaping, tables. Does not belong here: what is asked for (the
command modules), any computation on measures.

Names come from files that anyone may have written. Control characters and the marks that reorder
text never reach the terminal raw, in no format.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agentledger.query.answers import Answer

UNKNOWN: Final = "–"
"""What a table shows where nothing is known; never 0."""

NOT_ENOUGH: Final = "not enough data"
"""What stands in place of a judgement that too few known outcomes allow."""

PIPE_WIDTH: Final = 100_000
"""Columns of a table that goes into a pipe: as many as it needs, nothing is cut."""

# C0, DEL, C1, line and paragraph separators, bidirectional marks and overrides, lone surrogates.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""Escape what could steer a terminal, as \xNN or \uNNNN."""
    return _UNSAFE.sub(lambda match: ascii(match.group())[1:-1], text)


def write_line(text: str = "") -> None:
    """Write one line to standard output."""
    sys.stdout.write(text + "\n")


def write_note(text: str) -> None:
    """Write one line for a person to standard error, out of the way of data."""
    sys.stderr.write(printable(text) + "\n")


def write_json(value: Any) -> None:
    """Write a JSON document to standard output."""
    write_line(json_text(value, indent=2))


def answer_head(answer: "Answer") -> dict[str, Any]:
    """What the JSON of every answer begins with: the build that it comes from, and its instant."""
    return {"build_id": answer.build.build_id, "as_of": iso(answer.build.as_of)}


def write_answer(answer: "Answer", **asked: Any) -> None:
    """Write an answer as JSON: its head, what was asked, the rows."""
    write_json({**answer_head(answer), **asked, "rows": answer.records()})


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON that any parser takes and any terminal survives."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    # json.dumps leaves DEL, C1 and the reordering marks raw; inside strings they may be escaped.
    return _UNSAFE.sub(
        lambda match: match.group() if match.group() == "\n" else f"\\u{ord(match.group()):04x}",
        text,
    )


def count(value: Any) -> str:
    """A whole number with thousands apart."""
    return UNKNOWN if value is None else f"{value:,}"


def decimal(value: float | None, digits: int = 1) -> str:
    """A number, half rounded away from zero."""
    if value is None:
        return UNKNOWN
    step = Decimal(1).scaleb(-digits)
    return f"{Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP):,}"


def percent(fraction: float | None) -> str:
    """A fraction 0..1 as a percentage."""
    return UNKNOWN if fraction is None else f"{decimal(fraction * 100)} %"


def interval(low: float | None, high: float | None) -> str:
    """The interval of a rate."""
    if low is None or high is None:
        return UNKNOWN
    return f"{decimal(low * 100)}–{decimal(high * 100)} %"


def p_value(value: float | None) -> str:
    """A p-value; one too small to print is no zero."""
    return "<0.0001" if value is not None and value < 0.00005 else decimal(value, 4)


def duration(milliseconds: float | None) -> str:
    """A duration in the unit that a person would use."""
    if milliseconds is None:
        return UNKNOWN
    for limit, divisor, unit in ((1e3, 1, "ms"), (6e4, 1e3, "s"), (3.6e6, 6e4, "min")):
        if milliseconds < limit:
            return f"{decimal(milliseconds / divisor, 0 if unit == 'ms' else 1)} {unit}"
    return f"{decimal(milliseconds / 3.6e6)} h"


def iso(value: datetime) -> str:
    """An instant as ISO-8601 UTC, as it stands in JSON."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant(text: str | None) -> str:
    """An ISO instant to the minute, UTC."""
    if not text:
        return UNKNOWN
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def text_of(value: Any) -> str:
    """Any value of a row as table text, escaped."""
    if value is None:
        return UNKNOWN
    if isinstance(value, (dict, list)):
        return printable(json_text(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


def write_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[str] = ()
) -> None:
    """Write a table: coloured and fitted on a terminal, plain and uncut in a pipe.

    Args:
        columns: Headings.
        rows: Cells, formatted; they are escaped here.
        numeric: Headings of the columns that are aligned on the right.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, width=None if is_terminal else PIPE_WIDTH, highlight=False, emoji=False
    )
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in columns:
        right = heading in numeric
        table.add_column(
            Text(printable(heading)), justify="right" if right else "left", no_wrap=right
        )
    for row in rows:
        # Text and not str: a name with square brackets is not markup.
        table.add_row(*(Text(printable(cell)) for cell in row))
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        write_line(line.rstrip())


def write_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write dicts as a table of the named columns."""
    write_table(columns, ([text_of(row.get(name)) for name in columns] for row in rows))
