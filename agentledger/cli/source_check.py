"""`agentledger source check`: what a run would make of a file or folder.

Belongs here: arguments and printing. Does not belong here: reading (`agentledger.ingest.check`).
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples
from agentledger.errors import AgentLedgerError, UsageError

if TYPE_CHECKING:
    from agentledger.ingest.check import CheckReport

CELL_CHARACTERS = 40
"""Of a value in the first rows; --json shows all of it."""


def add_commands(app: typer.Typer) -> None:
    """Put the command under `source`."""
    app.command(
        name="check",
        short_help="Try a source out: nothing is written.",
        epilog=examples(
            "source check ~/aider.jsonl --mapping aider",
            "source check ~/runs --mapping ./our-log.toml --rows 10",
            "source check events ~/exports --json",
        ),
    )(check)


def check(
    first: Annotated[
        str, typer.Argument(metavar="[KIND]", help="Kind; `mapped` where --mapping is given.")
    ],
    second: Annotated[
        str | None, typer.Argument(metavar="LOCATION", help="File or folder.")
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping", metavar="NAME|FILE", help="A mapping that ships, or a file of yours."
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="TZ", help="IANA zone of times without an offset."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, max=100, help="First rows to show.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Read a location as a run would and show what would land; nothing is written.

    Shows the format of each file, the first rows, members that no field takes, the share of rows
    in which each field is unknown, and what is refused. Exit code 1 when nothing would land.
    """
    from agentledger.cli import output
    from agentledger.ingest import check as checking

    kind, location = _what(first, second, mapping)
    report = checking.check(
        options.current_settings(),
        kind,
        location,
        mapping_reference=mapping,
        zone=zone,
        n_rows=rows,
    )
    if as_json:
        output.write_json(asdict(report))
    else:
        _write(report)
    if not report.records["accepted"]:
        raise AgentLedgerError("Nothing would land.")


def _what(first: str, second: str | None, mapping: str | None) -> tuple[str, str]:
    if second is not None:
        return first, second
    if mapping is None:
        raise UsageError(
            "Give the kind and the location, or a mapping: agentledger source check events "
            "LOCATION, agentledger source check LOCATION --mapping NAME|FILE"
        )
    return "mapped", first


def _write(report: "CheckReport") -> None:
    from agentledger.cli import output

    by_mapping = "" if report.mapping is None else f" by the mapping {report.mapping}"
    output.write_line(
        f"{report.kind} at {output.text_of(report.location)}{by_mapping}; "
        f"times without an offset are in {report.zone}."
    )
    output.write_line(
        f"{report.records['files']:,} file(s), {report.records['records']:,} record(s): "
        f"{report.records['accepted']:,} would land, {report.records['rejected']:,} refused."
    )
    _section("Files")
    output.write_rows(report.files, ["path", "format", "variant", "state", "records", "message"])
    if report.more_files:
        output.write_line(f"... and {report.more_files:,} more")
    for problem in report.problems:
        output.write_line(
            output.printable(f"{problem['path']}: {problem['reason']}: {problem['detail']}")
        )
    for table in report.tables:
        _write_table(table)
    if report.unmapped:
        _section("Members of records that no field takes")
        output.write_table(
            ["name", "records"],
            [[row["name"], output.count(row["occurrences"])] for row in report.unmapped],
            numeric=["records"],
        )
    if report.rejected:
        _section("Refused (the first of them)")
        output.write_rows(report.rejected, ["path", "line_no", "ordinal", "reason", "detail"])


def _write_table(table: dict[str, Any]) -> None:
    from agentledger.cli import output

    _section(f"First rows of {table['table']} ({table['rows']:,} in all)")
    names = list(table["first_rows"][0]) if table["first_rows"] else []
    output.write_table(
        names,
        [[_cell(row[name]) for name in names] for row in table["first_rows"]],
    )
    is_mapped = any(fact["from"] is not None for fact in table["fields"])
    _section(f"Fields of {table['table']}")
    output.write_table(
        ["field", "from", "unit", "unknown", "other"],
        [
            [
                fact["field"],
                output.text_of(fact["from"]),
                output.text_of(fact["unit"]),
                output.percent(fact["null_share"]),
                output.count(fact["other"]),
            ]
            for fact in table["fields"]
            if fact["from"] is not None or not is_mapped
        ],
        numeric=["unknown", "other"],
    )
    if is_mapped:
        left = ", ".join(fact["field"] for fact in table["fields"] if fact["from"] is None)
        output.write_line(f"Not mapped, so unknown: {left or 'none'}.")


def _section(heading: str) -> None:
    from agentledger.cli import output

    output.write_line()
    output.write_line(heading)


def _cell(value: Any) -> str:
    from agentledger.cli import output

    text = output.text_of(value if not isinstance(value, bytes) else json.dumps(str(value)))
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"
