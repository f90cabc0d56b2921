"""`agentledger intents …`: what users asked, what the system guessed, and where it went wrong.

Belongs here: arguments and printing of the questions about intents. Does not belong here: columns
of the tables (`intent_tables.py`), boosts (`intent_boosts.py`).
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from agentledger.cli import intent_boosts, options
from agentledger.cli.intent_tables import (
    MODE_CELLS,
    QUESTION_CELLS,
    VERB_CELLS,
    write_rates,
    write_rows,
)
from agentledger.cli.options import JsonOption, SinceDayOption, UntilDayOption, examples

VersionOption = Annotated[
    str | None,
    typer.Option(
        "--prompt-version",
        metavar="VERSION",
        help="Events of one prompt version; '(unknown)' for those that name none.",
    ),
]
MinCountOption = Annotated[
    int, typer.Option("--min-count", help="Leave out what happened less often.")
]
TopOption = Annotated[int, typer.Option("--top", help="Rows at most.")]

NOTHING_KNOWN = "No intent event is known for this question."

intents_app = typer.Typer(
    help="What users asked, what was guessed, and where it went wrong.",
    epilog=examples("intents report --since 7d", "intents clarify --json", "intents boosts"),
    no_args_is_help=True,
    rich_markup_mode=None,
)
intents_app.add_typer(intent_boosts.boosts_app, name="boosts")


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.add_typer(intents_app, name="intents")


@intents_app.command(
    epilog=examples(
        "intents report --since 7d", "intents report --since 4w --prompt-version 2026-06-01 --json"
    )
)
def report(
    since: SinceDayOption = None,
    until: UntilDayOption = None,
    prompt_version: VersionOption = None,
    top: Annotated[int, typer.Option("--top", help="Failure modes and verbs listed.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Sum up: rates, what changed against the period before, failure modes, hottest verbs."""
    from agentledger.cli import output
    from agentledger.query import get_intent_report

    found = get_intent_report(
        since, until, prompt_version, top, settings=options.current_settings()
    )
    if as_json:
        output.write_json(found)
        return
    output.write_line(f"Intents {_period_text(found['period'])}")
    if not found["event_count"]:
        output.write_line(NOTHING_KNOWN)
        return
    output.write_line(
        f"{output.count(found['event_count'])} events; "
        f"{output.count(found['previous_event_count'])} in the period before."
    )
    write_rates(found["rates"])
    output.write_line()
    output.write_line("Failure modes:")
    write_rows(found["failure_modes"], MODE_CELLS)
    output.write_line()
    output.write_line("Verbs with the most events:")
    write_rows(found["hottest_verbs"], VERB_CELLS)
    output.write_note(f"As of {output.instant(found['as_of'])}.")


@intents_app.command(
    epilog=examples("intents overrides --since 4w", "intents overrides --events --json")
)
def overrides(
    since: SinceDayOption = None,
    until: UntilDayOption = None,
    prompt_version: VersionOption = None,
    min_count: MinCountOption = 2,
    top: TopOption = 20,
    events: Annotated[
        bool, typer.Option("--events", help="Single events, newest first, instead of pairs.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Which verb was forced in place of which."""
    if events:
        from agentledger.query import intents

        answer = intents.override_events(
            since, until, prompt_version, top, settings=options.current_settings()
        )
        _write_answer(answer, "override-events", as_json)
        return
    _answer("overrides", since, until, prompt_version, min_count, top, as_json)


def _add_question(question: str, about: str) -> None:
    """Add the command of a question that takes the usual arguments and nothing else."""

    @intents_app.command(
        question,
        help=about,
        epilog=examples(f"intents {question} --since 7d", f"intents {question} --json"),
    )
    def _(
        since: SinceDayOption = None,
        until: UntilDayOption = None,
        prompt_version: VersionOption = None,
        min_count: MinCountOption = 2,
        top: TopOption = 20,
        as_json: JsonOption = False,
    ) -> None:
        _answer(question, since, until, prompt_version, min_count, top, as_json)


for _question, _about in (
    ("clarify", "Verbs that had to be clarified."),
    ("denies", "Verbs that policy denied."),
    ("arg-failures", "Arguments that could not be filled."),
    ("macro-denies", "Verbs that the check of macros denied."),
):
    _add_question(_question, _about)


def _answer(
    question: str,
    since: str | None,
    until: str | None,
    prompt_version: str | None,
    min_count: int,
    top: int,
    as_json: bool,
) -> None:
    from agentledger.query import intents

    answer = intents.ask(
        question, since, until, prompt_version, min_count, top, settings=options.current_settings()
    )
    _write_answer(answer, question, as_json)


def _write_answer(answer: Any, question: str, as_json: bool) -> None:
    from agentledger.cli import output

    rows = answer.records()
    as_of = output.iso(answer.build.as_of)
    if as_json:
        output.write_answer(answer, question=question)
        return
    if rows:
        write_rows(rows, QUESTION_CELLS[question])
    else:
        output.write_note(f"{NOTHING_KNOWN} Try a longer --since, or --min-count 1.")
    output.write_note(f"As of {output.instant(as_of)}.")


def _period_text(period: Mapping[str, Any]) -> str:
    from agentledger.cli import output

    since, until, version = period["since"], period["until"], period["prompt_version"]
    days = " ".join(
        part for part in (since and f"from {since}", until and f"before {until}") if part
    )
    said = days or "of all retained days"
    return f"{said}, prompt version {output.text_of(version)}" if version else said
