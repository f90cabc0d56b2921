"""`agentledger usage …`: model calls, tokens and cost by time, session, project or model.

Belongs here: arguments and printing. Does not belong here: any sum (`query/usage.py`).
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, ProjectOption, SinceOption, UntilOption, examples

usage_app = typer.Typer(
    help="Model calls, tokens and cost, by time, session, project or model; prices of models.",
    epilog=examples(
        "usage daily",
        "usage weekly --zone Europe/Paris",
        "usage model --json",
        "usage unpriced",
        "usage reconcile --gaps",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)

ZoneOption = Annotated[
    str,
    typer.Option("--zone", metavar="TZ", help="IANA zone whose days are meant, as Europe/Paris."),
]


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.add_typer(usage_app, name="usage")


_GROUPINGS = (
    ("daily", "One row per day of a time zone.", ("--since 7d", "--zone Asia/Tokyo")),
    ("weekly", "One row per week, from Monday, of a time zone.", ("", "--since 4w --json")),
    ("monthly", "One row per month of a time zone.", ("", "--project shop")),
    ("session", "One row per session, the latest first.", ("--since 1d", "--json")),
    ("project", "One row per project, the largest first.", ("", "--since 30d")),
    ("model", "One row per model, the largest first.", ("", "--project shop --json")),
)
"""What a row stands for: the command, its help, the options of its examples."""


def _add_grouping(by: str, summary: str, shown: tuple[str, ...]) -> None:
    """Add the command of one grouping; all of them take the same options."""

    @usage_app.command(
        by,
        help=summary,
        epilog=examples(*(f"usage {by} {options}".rstrip() for options in shown)),
    )
    def answer_grouped(
        zone: ZoneOption = "UTC",
        project: ProjectOption = None,
        since: SinceOption = None,
        until: UntilOption = None,
        as_json: JsonOption = False,
    ) -> None:
        _answer(by, zone, project, since, until, as_json)


for _grouping in _GROUPINGS:
    _add_grouping(*_grouping)


@usage_app.command(epilog=examples("usage unpriced", "usage unpriced --json"))
def unpriced(as_json: JsonOption = False) -> None:
    """Models with calls of unknown cost, and how to give them a price."""
    from agentledger.cli import output
    from agentledger.query import prices

    answer = prices.unpriced_models(settings=options.current_settings())
    rows = answer.records()
    if as_json:
        output.write_json({"as_of": output.iso(answer.build.as_of), "unpriced_models": rows})
        return
    if not rows:
        output.write_note("Every model call has a price.")
        return
    output.write_table(
        ["provider", "model", "calls", "without a price", "tokens", "reason", "last call"],
        [
            [
                output.text_of(row["provider"] or None),
                output.text_of(row["model"]),
                output.count(row["calls"]),
                output.count(row["unpriced_calls"]),
                output.count(row["unpriced_tokens"]),
                _REASONS.get(row["reason"], ""),
                output.instant(row["last_called_at"]),
            ]
            for row in rows
        ],
        numeric=["calls", "without a price", "tokens"],
    )
    output.write_note(
        'Give a model a price in config.toml: [[prices]] model = "…", input = 3.0, output = 15.0 '
        "(USD per million tokens), then `agentledger run`."
    )


@usage_app.command(epilog=examples("usage prices", "usage prices opus --json"))
def prices(
    model: Annotated[str | None, typer.Argument(help="Part of a model's name.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prices that calls were priced with, since when, and where they come from."""
    from agentledger.cli import output
    from agentledger.query import prices as questions

    answer = questions.model_prices(model, settings=options.current_settings())
    rows = answer.records()
    if as_json:
        output.write_json({"as_of": output.iso(answer.build.as_of), "prices": rows})
        return
    if not rows:
        output.write_note("No price is known here. `agentledger usage unpriced` lists the models.")
        return
    output.write_table(
        ["model", "tier", "class", "input above", "USD per M", "from", "to", "source"],
        [
            [
                output.text_of(row["model"]),
                output.text_of(row["service_tier"]),
                row["token_class"].replace("_", " "),
                output.count(row["context_threshold"]) if row["context_threshold"] else "",
                output.decimal(row["usd_as_quoted"], 4),
                "" if row["valid_from"].startswith("1970") else output.instant(row["valid_from"]),
                output.instant(row["valid_to"]) if row["valid_to"] else "",
                f"{row['source']} {row['source_version']}".strip(),
            ]
            for row in rows
        ],
        numeric=["input above", "USD per M"],
    )
    output.write_note("Web searches are priced per thousand.")


@usage_app.command(epilog=examples("usage reconcile --gaps", "usage reconcile --json"))
def reconcile(
    project: ProjectOption = None,
    gaps: Annotated[bool, typer.Option("--gaps", help="Only what differs too much.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What two sources say of the same sessions and costs, side by side."""
    from agentledger.cli import output
    from agentledger.query.reconciliation import reconciliation

    answer = reconciliation(project, gaps, settings=options.current_settings())
    if as_json:
        output.write_answer(answer, project=project)
        return
    rows = answer.records()
    if not rows:
        output.write_note(
            "No figure differs beyond the tolerance."
            if gaps
            else "No two sources tell of the same session, and none tells what its calls cost."
        )
        return
    numeric = ["calls", "first", "second", "gap", "share"]
    output.write_table(
        ["what", "project", "by", "against", "measure", *numeric, ""],
        [_reconciled_cells(row) for row in rows],
        numeric=numeric,
    )
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


def _reconciled_cells(row: Mapping[str, Any]) -> list[str]:
    from agentledger.cli import output

    is_cost = row["comparison"] == "recorded_cost"
    place = f"{row['occurred_on'] or '(no time)'} {row['model']}"
    digits = 6 if is_cost else 0
    return [
        output.text_of(place if is_cost else row["session_key"][:8]),
        output.text_of(row["project_name"]),
        row["first_source"],
        row["second_source"],
        row["measure"].replace("_", " "),
        output.count(row["calls"]),
        *(output.decimal(row[name], digits) for name in ("first_value", "second_value", "gap")),
        output.percent(row["gap_share"]),
        "" if row["is_within_tolerance"] else "differs",
    ]


_REASONS: dict[str, str] = {
    "no_price": "no price",
    "not_every_class_or_time": "not for every token class, tier or time",
}


def _answer(
    by: str,
    zone: str,
    only: str | None,
    since: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    from agentledger.cli import output
    from agentledger.query import usage

    settings = options.current_settings()
    answer, total = usage.usage_and_total(by, only, zone, since, until, settings=settings)
    rows = answer.records()
    if as_json:
        output.write_json(
            {
                **output.answer_head(answer),
                "by": by,
                "zone": zone,
                "project": only,
                "rows": rows,
                "total": total,
            }
        )
        return
    if not rows:
        output.write_note(
            "No model call is known here. Sessions are read from `agentledger source add "
            "claude-code`; those of registered projects count, or all with --all-projects."
        )
        return
    _write_rows(by, rows, total)
    if total is not None and total["unpriced_calls"]:
        output.write_note(
            f"≥: {output.count(total['unpriced_calls'])} calls with "
            f"{output.count(total['unpriced_tokens'])} tokens have no price; "
            "`agentledger usage unpriced` lists their models."
        )
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}; zone {zone}.")


def _write_rows(by: str, rows: list[dict[str, Any]], total: Mapping[str, Any] | None) -> None:
    from agentledger.cli import output

    first: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "session": lambda row: output.text_of(row["session_key"])[:8],
        "project": lambda row: output.text_of(row["project_name"]),
        "model": lambda row: output.text_of(row["model"]),
    }
    heading = {"daily": "day", "weekly": "week from", "monthly": "month from"}.get(by, by)
    cells: dict[str, Callable[[Mapping[str, Any]], str]] = {
        heading: first.get(by, lambda row: output.text_of(row["bucket_start"] or "(no time)")),
    }
    if by == "session":
        cells["project"] = first["project"]
        cells["last call"] = lambda row: output.instant(row["last_called_at"])
    else:
        cells["sessions"] = lambda row: output.count(row["sessions"])
    words = set(cells) - {"sessions"}
    for name, column in (
        ("calls", "calls"),
        ("input", "input_fresh_tokens"),
        ("cache write 5m", "cache_write_5m_tokens"),
        ("cache write 1h", "cache_write_1h_tokens"),
        ("cache read", "cache_read_tokens"),
        ("output", "output_tokens"),
        ("total", "total_tokens"),
    ):
        cells[name] = lambda row, column=column: output.count(row[column])
    cells["cost $"] = lambda row: _dollars(row["cost_usd"], row["cost_is_lower_bound"])
    if any(row["billed_calls"] for row in rows):
        cells["as billed $"] = lambda row: _dollars(row["cost_as_billed_usd"])
    cells["cache saved $"] = lambda row: _dollars(
        row["cache_savings_usd"], row["unknown_savings_calls"] > 0
    )
    table = [[cell(row) for cell in cells.values()] for row in rows]
    if total is not None and len(rows) > 1:
        table.append(
            [
                "all" if position == 0 else "" if name in words else cell(total)
                for position, (name, cell) in enumerate(cells.items())
            ]
        )
    output.write_table(list(cells), table, numeric=[name for name in cells if name not in words])


def _dollars(value: float | None, is_lower_bound: bool = False) -> str:
    from agentledger.cli import output

    digits = 2 if value is None or value == 0 or value >= 0.01 else 6
    return ("≥ " if value is not None and is_lower_bound else "") + output.decimal(value, digits)
