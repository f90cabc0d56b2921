"""`agentledger explain …`: from a number to the rows behind it, with file, line and reason.

Belongs here: arguments and printing. Does not belong here: the rows (`query/explain.py`,
`query/explain_skills.py`).
"""

from typing import Annotated, Any

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, ProjectOption, examples

ROWS_SHOWN = 50

explain_app = typer.Typer(
    help="From a number to the rows behind it: file, line, and why a row does not count.",
    epilog=examples(
        "explain usage --session 3f2a9c1d", "explain usage --day 2026-03-12 --project shop",
        "explain skill commit --day 2026-03-12 --json",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip

RowsOption = Annotated[
    int, typer.Option("--rows", min=0, metavar="N", help="Rows printed at most; --json has all.")
]


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.add_typer(explain_app, name="explain")


@explain_app.command(
    epilog=examples("explain usage --session 3f2a9c1d", "explain usage --day 2026-03-12 --json")
)
def usage(
    session: Annotated[
        str | None,
        typer.Option(
            "--session",
            metavar="SESSION",
            help="Id of the session as its producer wrote it, or its key (8 characters do).",
        ),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", metavar="DAY", help="A day, instead of a session.")
    ] = None,
    project: ProjectOption = None,
    zone: Annotated[
        str, typer.Option("--zone", metavar="TZ", help="IANA zone whose day is meant.")
    ] = "UTC",
    rows: RowsOption = ROWS_SHOWN,
    as_json: JsonOption = False,
) -> None:
    """Every line behind the tokens of a session, or of a day."""
    from agentledger.cli import output
    from agentledger.query.explain import explain_usage

    found = explain_usage(
        session, day, project, zone, on_wait=_say_waiting, settings=options.current_settings()
    )
    if as_json:
        output.write_json(found)
        return
    if "session_key" in found:
        output.write_line(
            f"Session {output.text_of(found['session_key'] or found['session_id'])} of "
            f"{output.text_of(found['project_name'])}: {output.count(found['calls'])} model calls"
        )
    else:
        output.write_line(
            f"{found['day']} ({found['zone']}): {output.count(found['calls'])} model calls"
        )
    columns = ["naive", "dropped", "kept", "figure"]
    output.write_table(
        ["tokens", *columns],
        [
            [item["tier"].replace("_", " "), *(output.count(item[name]) for name in columns)]
            for item in found["tokens"]
        ],
        numeric=columns,
    )
    columns = ["rows", "naive", "dropped", "kept"]
    output.write_table(
        ["verdict", *columns],
        [
            [item["verdict"], *(output.count(item[name]) for name in columns)]
            for item in found["verdicts"]
        ],
        numeric=columns,
    )
    _write_rows(found["rows"], rows, _usage_place)
    _write_end(found)


@explain_app.command(epilog=examples("explain skill commit --day 2026-03-12"))
def skill(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the skill.")],
    day: Annotated[str, typer.Option("--day", metavar="DAY", help="UTC day.")],
    project: ProjectOption = None,
    rows: RowsOption = ROWS_SHOWN,
    as_json: JsonOption = False,
) -> None:
    """Every record behind the uses of a skill on a day."""
    from agentledger.cli import output
    from agentledger.query.explain_skills import explain_skill

    found = explain_skill(
        name, day, project, on_wait=_say_waiting, settings=options.current_settings()
    )
    if as_json:
        output.write_json(found)
        return
    uses = {name: output.count(value) for name, value in found["uses"].items()}
    output.write_line(
        f"{output.text_of(found['skill'])} on {found['day']} (UTC): {uses['naive']} records − "
        f"{uses['dropped']} dropped = {uses['kept']} kept; the mart says {uses['figure']}"
    )
    output.write_table(
        ["verdict", "records"],
        [[item["verdict"], output.count(item["rows"])] for item in found["verdicts"]],
        numeric=["records"],
    )
    _write_rows(found["rows"], rows, _skill_place)
    _write_end(found)


def _usage_place(row: dict[str, Any]) -> dict[str, str]:
    from agentledger.cli import output

    tiers = ("input_fresh", "cache_write", "cache_read", "output")
    return {
        "verdict": row["verdict"],
        "call": row["llm_call_key"][:8],
        "at": output.instant(row["occurred_at"]),
        "model": output.text_of(row["model"]),
        "tokens": output.count(sum(row[f"{tier}_tokens"] for tier in tiers)),
        "output": output.count(row["output_tokens"]),
        "counted": output.count(sum(row[f"kept_{tier}_tokens"] for tier in tiers)),
        "file and line": _place(row),
    }


def _skill_place(row: dict[str, Any]) -> dict[str, str]:
    from agentledger.cli import output

    return {
        "verdict": row["verdict"],
        "use": row["usage_key"][:8],
        "at": output.instant(row["occurred_at"]),
        "outcome": output.text_of(row["outcome"]),
        "project": output.text_of(row["project_name"]),
        "file and line": _place(row),
    }


def _place(row: dict[str, Any]) -> str:
    """Where a row lies: `file:line`, and which record of the line it is, from 0, after the first.

    A document of metrics and a store have no lines, but records in order.
    """
    from agentledger.cli import output

    place = output.text_of(row["file_path"])
    if row["line_no"] is None:
        return f"{place}, record {row['ordinal']}"
    further = f", record {row['ordinal']}" if row["ordinal"] else ""
    return f"{place}:{row['line_no']}{further}"


def _write_rows(rows: list[dict[str, Any]], at_most: int, cells_of: Any) -> None:
    from agentledger.cli import output

    cells = [cells_of(row) for row in rows[:at_most]]
    if cells:
        numeric = [name for name in ("tokens", "output", "counted") if name in cells[0]]
        output.write_table(list(cells[0]), [list(row.values()) for row in cells], numeric=numeric)
    if len(rows) > at_most:
        output.write_note(
            f"… and {output.count(len(rows) - at_most)} more: --rows {len(rows)}, or --json"
        )


def _write_end(found: dict[str, Any]) -> None:
    """What is wrong with the figure; a difference is a defect, and ends with 1."""
    from agentledger.cli import output

    if found.get("note"):
        output.write_note(found["note"])
    if not found["agrees"]:
        output.write_note(
            "The rows do not add up to the mart's figure: it was built before they came. Type "
            "`agentledger run`; if it stays, `agentledger run --full-refresh`."
        )
        raise typer.Exit(1)


def _say_waiting() -> None:
    from agentledger.cli import output

    output.write_note("Another run is writing; waiting for it.")
