"""`agentledger agents scores`: what people and evaluators think of agents.

Belongs here: arguments and printing. Does not belong here: any figure (`models/`, agent_scores).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples

WindowOption = Annotated[
    Literal["last_day", "last_week", "last_month", "all"],
    typer.Option("--window", help="How far back from the newest build; last_month is 30 days."),
]


def add_commands(agents_app: typer.Typer) -> None:
    """Put this command into its family."""
    agents_app.command(
        name="scores",
        epilog=examples(
            "agents scores", "agents scores reviewer --window last_week",
            "agents scores --window all --json",
        ),
    )(scores)  # fmt: skip


def scores(
    agent: Annotated[
        str | None, typer.Argument(metavar="[AGENT]", help="One agent; default: all.")
    ] = None,
    window: WindowOption = "last_month",
    as_json: JsonOption = False,
) -> None:
    """Scores by name: how many, mean, share true, categories, and the trend; success is apart."""
    from agentledger.cli import output
    from agentledger.query import agent_scores

    answer = agent_scores.scores(agent, window, settings=options.current_settings())
    rows = agent_scores.records(answer)
    if as_json:
        output.write_json(
            output.answer_head(answer) | {"agent": agent, "window": window, "scores": rows}
        )
        return
    if not rows:
        output.write_note(
            "Nothing was scored there. Scores are read from Langfuse's exports "
            "(`agentledger source add langfuse PATH`); `--window all` has those of any time."
        )
        return
    columns = ["agent", "score", "kind", "n", "value", "95 %", "before", "change", "trend", "by"]
    output.write_table(
        columns, [_cells(row) for row in rows], numeric=["n", "value", "before", "change"]
    )
    output.write_note(
        "value: mean of numbers, share of true. trend: against the time of equal length before, "
        f"{window} before {output.instant(output.iso(answer.build.as_of))}."
    )


def _cells(row: Mapping[str, Any]) -> list[str]:
    from agentledger.cli import output

    if row["score_kind"] == "boolean":
        value, before = output.percent(row["true_rate"]), output.percent(row["previous_true_rate"])
        change = "–" if row["change"] is None else f"{100 * row['change']:+.1f} pp"
        interval = output.interval(row["true_rate_low"], row["true_rate_high"])
    else:
        value = output.decimal(row["mean_value"], 3)
        before = output.decimal(row["previous_mean_value"], 3)
        change = "–" if row["change"] is None else f"{row['change']:+.3f}"
        interval = "–"
        if row["category_counts"]:
            value = _counts(row["category_counts"])
    return [
        output.text_of(row["agent_id"]),
        output.text_of(row["score_name"]),
        output.text_of(row["score_kind"]),
        output.count(row["score_count"]),
        value,
        interval,
        before,
        change,
        output.text_of(row["trend"]),
        _counts(row["source_counts"]),
    ]


def _counts(counts: Mapping[str, int] | None) -> str:
    from agentledger.cli import output

    if not counts:
        return output.UNKNOWN
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{output.printable(name)} {output.count(n)}" for name, n in ordered)
