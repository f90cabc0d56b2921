"""`agentledger reads …`: what readers ask of this ledger itself.

Belongs here: arguments and printing. The log is written by `agentledger.reads`, the figures are the
mart's.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples

reads_app = typer.Typer(
    help="What is asked of this ledger, how long answers take, and how the skills asked for do.",
    epilog=examples("reads questions", "reads subjects --by needs-improvement --json"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.add_typer(reads_app, name="reads")


@reads_app.command(epilog=examples("reads questions", "reads questions --json"))
def questions(as_json: JsonOption = False) -> None:
    """List the questions, most asked first, with the time that their answers take."""
    from agentledger.cli import output
    from agentledger.query import asked

    answer = asked.asked_questions(settings=options.current_settings())
    if as_json:
        output.write_answer(answer)
        return
    rows = answer.records()
    if not rows:
        _write_nothing()
        return
    output.write_table(
        ["question", "asked", "failed", "p50", "p95", "last asked"],
        [[_name(row["question"]), *_counts(row), output.instant(row["last_asked_at"])]
         for row in rows],
        numeric=["asked", "failed", "p50", "p95"],
    )  # fmt: skip
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


@reads_app.command(
    epilog=examples("reads subjects", "reads subjects --by slow", "reads subjects --by effective")
)
def subjects(
    by: Annotated[
        Literal["requested", "slow-answers", "slow", "effective", "needs-improvement"],
        typer.Option("--by", help="slow = the skill itself; slow-answers = the reader waits."),
    ] = "requested",
    limit: Annotated[int, typer.Option("--limit", help="How many.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """List the skills and agents that are asked for, with how well they work."""
    from agentledger.cli import output
    from agentledger.query import asked

    answer = asked.asked_subjects(by, limit, settings=options.current_settings())
    if as_json:
        output.write_answer(answer, by=by)
        return
    rows = answer.records()
    if not rows:
        _write_nothing()
        return
    _write_subjects(rows)
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


def _write_subjects(rows: Sequence[Mapping[str, Any]]) -> None:
    from agentledger.cli import output

    counts = ["asked", "failed", "p50", "p95"]
    output.write_table(
        [
            "kind",
            "name",
            *counts,
            "uses",
            "success",
            "95 % interval",
            "n",
            "p95 of uses",
            "insight",
        ],
        [
            [
                output.text_of(row["subject_kind"]),
                output.text_of(row["subject_name"]),
                *_counts(row),
                output.count(row["subject_uses"]),
                output.percent(row["subject_success_rate"]),
                output.interval(row["subject_success_rate_low"], row["subject_success_rate_high"]),
                output.count(row["subject_known_outcomes"]),
                output.duration(row["subject_p95_duration_ms"]),
                output.text_of(row["subject_insight"]),
            ]
            for row in rows
        ],
        numeric=[*counts, "uses", "success", "95 % interval", "n", "p95 of uses"],
    )


def _counts(row: Mapping[str, Any]) -> list[str]:
    from agentledger.cli import output

    return [
        output.count(row["asked_count"]),
        output.count(row["failed_count"]),
        output.duration(row["p50_duration_ms"]),
        output.duration(row["p95_duration_ms"]),
    ]


def _name(question: str) -> str:
    from agentledger.cli import output

    return "all questions" if question == "__all__" else output.text_of(question)


def _write_nothing() -> None:
    from agentledger.cli import output

    output.write_note(
        "Nothing matches. Questions are read from the log by each run; "
        "`record_reads = false` under [usage] in config.toml switches the log off."
    )
