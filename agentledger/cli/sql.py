"""`agentledger sql`: a query of the user's own, on the snapshot alone.

Belongs here: reading the query, writing its rows as table, JSON or CSV. Which statements are let
through is decided in `agentledger.query.sql`.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from agentledger.cli import options
from agentledger.cli.options import examples

if TYPE_CHECKING:
    from agentledger.query.sql import SqlResult

TABLE_ROWS = 1_000
"""Rows that a table shows; column widths need them all at once. JSON and CSV have no limit."""


def add_commands(app: typer.Typer) -> None:
    """Put this command under the root."""
    app.command(
        name="sql",
        short_help="Query the published snapshot, read-only.",
        epilog=examples(
            'sql "from marts.top_skills where rank_by_uses <= 5"',
            'sql "show all tables" --format csv',
            "sql - --format json < query.sql",
        ),
    )(run_query)


def run_query(
    query: Annotated[
        str, typer.Argument(metavar="SELECT|-", help="One query; - reads it from standard input.")
    ],
    output_format: Annotated[
        Literal["table", "json", "csv"], typer.Option("--format", help="How to print the rows.")
    ] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Query the published snapshot: read-only, nothing else within reach.

    Rows with '__all__' as project_id hold totals over projects: filter on project_id.
    """
    from agentledger.query.sql import open_sql

    output_format = "json" if as_json else output_format
    text = sys.stdin.read() if query == "-" else query
    with open_sql(text, settings=options.current_settings()) as result:
        {"table": _write_table, "json": _write_json, "csv": _write_csv}[output_format](result)


def _write_table(result: "SqlResult") -> None:
    from agentledger.cli import output
    from agentledger.query.answers import json_value

    rows: list[list[str]] = []
    more = False
    for batch in result.batches():
        rows += [[output.text_of(json_value(value)) for value in row] for row in batch]
        if len(rows) > TABLE_ROWS:
            more = True
            break
    numbers = [
        name
        for name, kind in zip(result.columns, result.types, strict=True)
        if kind.endswith("INT") or kind.startswith(("DOUBLE", "FLOAT", "DECIMAL", "INTEGER"))
    ]
    output.write_table(result.columns, rows[:TABLE_ROWS], numeric=numbers)
    if more:
        output.write_note(f"Only the first {TABLE_ROWS:,} rows; --format csv or json gives all.")


def _write_json(result: "SqlResult") -> None:
    """Write an array of objects, one per line, while the rows arrive."""
    from agentledger.cli import output
    from agentledger.query.answers import json_value

    names = unique_names(result.columns)
    separator = "[\n"
    for batch in result.batches():
        for row in batch:
            record = dict(zip(names, map(json_value, row), strict=True))
            sys.stdout.write(separator + output.json_text(record))
            separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def _write_csv(result: "SqlResult") -> None:
    r"""Write CSV; an empty cell is unknown, control characters are escaped as \xNN."""
    import csv

    from agentledger.cli import output
    from agentledger.query.answers import json_value

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([output.printable(name) for name in result.columns])
    for batch in result.batches():
        for row in batch:
            values = map(json_value, row)
            writer.writerow([_csv_cell(value) for value in values])


def _csv_cell(value: Any) -> str:
    from agentledger.cli import output

    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else output.text_of(value)


def unique_names(columns: tuple[str, ...]) -> list[str]:
    """Names that can be keys: a repeated one gets a number, as `select 1 as a, 2 as a` gives."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names:
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names
