"""`agentledger agents patterns|judge-pattern` and `agentledger export knowledge`.

Belongs here: arguments and printing. Does not belong here: any figure or gate (`models/`), keeping
judgements (`pattern_judgements.py`), writing the export (`knowledge_export.py`).
"""

from datetime import datetime
from typing import Annotated

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples


def add_commands(agents_app: typer.Typer) -> None:
    """Put the commands about patterns into the family `agents`."""
    agents_app.command(
        name="patterns", epilog=examples("agents patterns", "agents patterns --json")
    )(patterns)
    agents_app.command(
        name="judge-pattern",
        epilog=examples(
            "agents judge-pattern supervision --quality 0.92",
            "agents judge-pattern retry --quality 0.4 --note 'hides the cause'",
        ),
    )(judge_pattern)


def add_export(export_app: typer.Typer) -> None:
    """Put the export of what was learned into the family `export`."""
    export_app.command(
        name="knowledge", epilog=examples("export knowledge", "export knowledge --json")
    )(export_knowledge)


def patterns(as_json: JsonOption = False) -> None:
    """Patterns that tasks name: what they achieve, and which gate of the export they fail."""
    from agentledger.cli import output
    from agentledger.query.patterns import validated_patterns

    answer = validated_patterns(settings=options.current_settings())
    rows = answer.records()
    if as_json:
        head = output.answer_head(answer)
        output.write_json(head | {"patterns": rows})
        return
    if not rows:
        output.write_note("No task names a pattern.")
        return
    output.write_table(
        ["pattern", "tasks", "agents", "success", "95 %", "n", "quality", "export"],
        (
            [
                output.text_of(row["pattern"]),
                output.count(row["tasks"]),
                output.count(row["agents"]),
                output.percent(row["success_rate"]),
                output.interval(row["success_rate_low"], row["success_rate_high"]),
                output.count(row["known_outcomes"]),
                output.decimal(row["quality"], 2),
                output.text_of(row["reason"] or "passes"),
            ]
            for row in rows
        ),
        numeric=["tasks", "agents", "success", "n", "quality"],
    )
    output.write_note(
        "`export` names the first gate that a pattern fails; a person judges quality: "
        "`agentledger agents judge-pattern`."
    )


def judge_pattern(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="As the tasks name it.")],
    quality: Annotated[
        float, typer.Option("--quality", help="0 (useless) to 1 (as good as it gets).")
    ],
    at: Annotated[
        str,
        typer.Option("--at", metavar="T", help="From when on it holds: an ISO instant, or now."),
    ] = "now",
    note: Annotated[str, typer.Option("--note", help="Why; stays in the data home.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write down what a pattern is worth; the latest judgement counts from the next run on."""
    from agentledger import pattern_judgements
    from agentledger.cli import output, unknown_names
    from agentledger.cli.instants import parse_instant
    from agentledger.query.patterns import unknown_pattern

    settings = options.current_settings()
    instant: datetime | None = None if at == "now" else parse_instant(at, "--at")
    record = pattern_judgements.judge(settings, pattern, quality, at=instant, note=note)
    name = record["pattern"]
    unknown_names.write_declared(
        record,
        f"Judged {output.printable(name)}: quality {record['quality']:g} from "
        f"{output.instant(record['judged_at'])} on. `agentledger run` counts it.",
        "pattern",
        name,
        lambda: unknown_pattern(name, settings),
        as_json=as_json,
    )


def export_knowledge(as_json: JsonOption = False) -> None:
    """Write the patterns that pass every gate to exports/knowledge, as each midnight does."""
    from agentledger import knowledge_export
    from agentledger.cli import output

    report = knowledge_export.export(options.current_settings())
    if as_json:
        output.write_json(
            {
                "path": str(report.path) if report.path else None,
                "exported": report.exported,
                "refused": report.refused,
                "reason": report.reason,
            }
        )
        return
    if report.path is not None:
        output.write_line(f"Wrote {output.printable(str(report.path))}, and the same as Markdown.")
    else:
        output.write_line(f"Nothing was written: {report.reason}.")
    for name, gate in sorted(report.refused.items()):
        output.write_line(f"left out: {output.printable(name)} ({_GATES.get(gate, gate)})")


_GATES = {
    "usage": "too few known outcomes",
    "success_rate": "success rate too low",
    "no_quality": "nobody judged it: `agentledger agents judge-pattern`",
    "quality": "judged too low",
    "wilson_lo": "success rate not certain enough",
    "no_consent": "no consent: set `consent = true` under `[export]` in config.toml",
}
"""What a person reads of each gate."""
