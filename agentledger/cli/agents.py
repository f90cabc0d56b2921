"""`agentledger agents …`: how agents do, what to change, and whether a change helped.

Belongs here: arguments and printing. Does not belong here: any figure (`query/agents.py`), keeping
declared changes (`agent_changes.py`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from agentledger.cli import agent_patterns, agent_scores, options
from agentledger.cli.options import JsonOption, SinceOption, UntilOption, examples

agents_app = typer.Typer(
    help="How often agents succeed, what they cost, how long they take, and what to change.",
    epilog=examples(
        "agents list",
        "agents show reviewer --window last_week",
        "agents show reviewer --size 1d --since 30d",
        "agents feedback --json",
        "agents declare-change reviewer --at 2026-03-01T12:00Z --note 'smaller model'",
        "agents evolution reviewer",
        "agents scores reviewer",
        "agents patterns",
        "agents judge-pattern supervision --quality 0.92",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)

WindowOption = Annotated[
    Literal["last_hour", "last_day", "last_week"],
    typer.Option("--window", help="How far back from the newest build."),
]
SizeOption = Annotated[
    Literal["5m", "1h", "1d", "1w"] | None,
    typer.Option("--size", help="The history in closed windows of this length instead."),
]
OneAgent = Annotated[str, typer.Argument(metavar="AGENT", help="Name of the agent.")]
MaybeAgent = Annotated[
    str | None, typer.Argument(metavar="[AGENT]", help="One agent; default: all.")
]


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    agent_scores.add_commands(agents_app)
    agent_patterns.add_commands(agents_app)
    app.add_typer(agents_app, name="agents")


@agents_app.command(name="list", epilog=examples("agents list --window last_week", "agents list"))
def list_agents(window: WindowOption = "last_day", as_json: JsonOption = False) -> None:
    """Every agent: its health, and its figures in a rolling window."""
    from agentledger.cli import output
    from agentledger.query import agents

    answer = agents.all_metrics(window, settings=options.current_settings())
    rows = agents.records(answer)
    if as_json:
        output.write_json(output.answer_head(answer) | {"window": window, "agents": rows})
        return
    if not rows:
        output.write_note(
            "No task of an agent is known. Tasks are read from usage events of registered "
            "projects and of `agentledger source add events PATH`."
        )
        return
    output.write_table(
        ["agent", "health (week)", *_HEADINGS],
        (
            [output.text_of(row["agent_id"]), output.text_of(row["health"]), *_figures(row)]
            for row in rows
        ),
        numeric=_HEADINGS,
    )
    output.write_note(f"{window} before {output.instant(output.iso(answer.build.as_of))}.")


@agents_app.command(
    epilog=examples(
        "agents show reviewer", "agents show reviewer --size 1h", "agents show reviewer --since 30d"
    )
)
def show(
    agent: OneAgent,
    window: WindowOption = "last_day",
    size: SizeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
) -> None:
    """One agent: a rolling window; with --size, --since or --until its history, and that in all."""
    from agentledger.cli import output
    from agentledger.query import agents

    settings = options.current_settings()
    if size is None and (since is not None or until is not None):
        size = "1d"
    total = None
    if size is None:
        answer = agents.metrics_for(agent, window, settings=settings)
    else:
        answer, in_all = agents.history_and_total(agent, size, since, until, settings=settings)
        total = next(iter(in_all.records()), None)
    rows = agents.records(answer)
    if as_json:
        asked = {"window": window} if size is None else {"size": size, "total": total}
        output.write_json(output.answer_head(answer) | {"agent": agent} | asked | {"rows": rows})
        return
    if not rows:
        output.write_note(f"{output.printable(agent)} has no tasks there.")
        return
    output.write_table(
        ["from", *_HEADINGS],
        [
            *([output.instant(row["window_start"]), *_figures(row)] for row in rows),
            *([] if total is None else [["all", *_total_figures(total)]]),
        ],
        numeric=_HEADINGS,
    )
    if size is None:
        _write_details(rows[0])
    else:
        output.write_note("≈ is within 1 %: merged from the windows, whose own figures are exact.")
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


@agents_app.command(epilog=examples("agents feedback", "agents feedback reviewer --json"))
def feedback(agent: MaybeAgent = None, as_json: JsonOption = False) -> None:
    """What stands out in the last week, and what to change. Gains are rules of thumb."""
    from agentledger.cli import output
    from agentledger.query import agents

    answer = agents.feedback(agent, settings=options.current_settings())
    rows = answer.records()
    if as_json:
        output.write_json(output.answer_head(answer) | {"agent": agent, "issues": rows})
        return
    if not rows:
        output.write_line("Nothing stands out in the last week.")
        return
    output.write_table(
        ["agent", "health", "issue", "severity", "evidence", "measured", "limit", "n",
         "suggestion", "confidence", "gain %"],
        (
            [
                *(output.text_of(row[name]) for name in
                  ("agent_id", "health", "issue_type", "severity", "evidence")),
                _measured(row),
                output.decimal(row["threshold"]),
                output.count(row["n"]),
                output.text_of(row["suggestion"]),
                output.decimal(row["confidence"], 2),
                f"{row['expected_gain_pct']:+d}",
            ]
            for row in rows
        ),
        numeric=["measured", "limit", "n", "confidence", "gain %"],
    )  # fmt: skip
    output.write_note("Gains are a heuristic; none was measured.")


@agents_app.command(epilog=examples("agents evolution", "agents evolution reviewer --json"))
def evolution(agent: MaybeAgent = None, as_json: JsonOption = False) -> None:
    """Whether declared changes helped: keep, rollback, or not enough data."""
    from agentledger.cli import output
    from agentledger.query import agents

    settings = options.current_settings()
    answer = agents.evolution(agent, settings=settings)
    rows = agents.noted(answer, settings)
    if as_json:
        output.write_json(output.answer_head(answer) | {"agent": agent, "changes": rows})
        return
    if not rows:
        output.write_line(
            "No change is declared, or none was read yet: `agentledger agents declare-change`, "
            "then `agentledger run`."
        )
        return
    output.write_table(
        ["agent", "changed", "aim", "decision", "reason", "before", "after", "95 %", "p", "note"],
        (
            [
                output.text_of(row["agent_id"]),
                output.instant(row["changed_at"]),
                output.text_of(row["metric"]),
                output.text_of(row["decision"]),
                output.text_of(row["reason"]),
                f"{row['before_succeeded']}/{row['before_known']}",
                f"{row['after_succeeded']}/{row['after_known']}",
                output.interval(row["rate_difference_low"], row["rate_difference_high"]),
                output.p_value(row["p_value"]),
                output.text_of(row["note"]),
            ]
            for row in rows
        ),
        numeric=["before", "after", "p"],
    )


@agents_app.command(
    name="declare-change",
    epilog=examples(
        "agents declare-change reviewer --at 2026-03-01T12:00Z --note 'smaller model'",
        "agents declare-change reviewer --at now --note 'cache on' --metric cost",
    ),
)
def declare_change(
    agent: OneAgent,
    at: Annotated[
        str, typer.Option("--at", metavar="T", help="When it took effect: an ISO instant, or now.")
    ],
    note: Annotated[str, typer.Option("--note", help="What was changed; stays in the data home.")],
    metric: Annotated[
        Literal["success", "cost", "latency"],
        typer.Option("--metric", help="What it is meant to improve."),
    ] = "success",
    as_json: JsonOption = False,
) -> None:
    """Write down a change of an agent; the next run compares the weeks around it."""
    from agentledger import agent_changes
    from agentledger.cli import output, unknown_names
    from agentledger.cli.instants import parse_instant
    from agentledger.query.agents import unknown_agent

    settings = options.current_settings()
    record = agent_changes.declare(
        settings, agent, parse_instant(at, "--at"), note=note, metric=metric
    )
    name = record["agent_id"]
    unknown_names.write_declared(
        record,
        f"Declared for {output.printable(name)}: "
        f"{output.instant(record['changed_at'])}, aimed at {metric}. "
        "`agentledger run` decides, again with each new day of data.",
        "agent",
        name,
        lambda: unknown_agent(name, settings),
        as_json=as_json,
    )


_HEADINGS = [
    "tasks", "success", "95 %", "unknown", "cost ¢", "mean ¢", "median ¢", "mean", "p50", "p95",
]  # fmt: skip


def _measured(row: Mapping[str, Any]) -> str:
    """The figure of an issue; beside a mean cost the one without the costs that stand far out."""
    from agentledger.cli import output

    figure, robust = row["measured"], row["measured_without_outliers"]
    if robust is None or robust == figure:
        return output.decimal(figure, 4)
    return f"{output.decimal(figure, 4)} ({output.decimal(robust, 4)} without outliers)"


def _total_figures(total: Mapping[str, Any]) -> list[str]:
    """Figures of many windows: medians of costs do not add up, latencies do within 1 %."""
    from agentledger.cli import output

    figures = _figures(
        dict(total)
        | {
            "p50_cost_cents": None,
            "p50_latency_ms": total["p50_latency_estimate_ms"],
            "p95_latency_ms": total["p95_latency_estimate_ms"],
        }
    )
    return [*figures[:-2], *(f if f == output.UNKNOWN else f"≈ {f}" for f in figures[-2:])]


def _figures(row: Mapping[str, Any]) -> list[str]:
    from agentledger.cli import output

    return [
        output.count(row["task_count"]),
        output.percent(row["success_rate"]),
        output.interval(row["success_rate_low"], row["success_rate_high"]),
        output.count(row["unknown"]),
        output.decimal(row["total_cost_cents"], 2),
        output.decimal(row["avg_cost_cents"], 2),
        output.decimal(row["p50_cost_cents"], 2),
        output.duration(row["avg_latency_ms"]),
        output.duration(row["p50_latency_ms"]),
        output.duration(row["p95_latency_ms"]),
    ]


def _write_details(row: Mapping[str, Any]) -> None:
    from agentledger.cli import output

    if row["cost_outlier_n"]:
        output.write_line(
            f"{row['cost_outlier_n']} cost(s) stand far out; without them "
            f"{output.decimal(row['total_cost_without_outliers_cents'], 2)} ¢ in all."
        )
    if row["patterns_used"]:
        used = sorted(row["patterns_used"].items(), key=lambda item: (-item[1], item[0]))
        output.write_line("patterns: " + ", ".join(f"{output.printable(k)} {v}" for k, v in used))
