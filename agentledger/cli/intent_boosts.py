"""`agentledger intents boosts …`: proposed ranking boosts, and deciding on them.

Belongs here: arguments and printing. Does not belong here: the weights (`models/`), the reviewed
file (`agentledger/boost_decisions.py`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples

VerbArgument = Annotated[str, typer.Argument(metavar="VERB", help="The verb of the proposal.")]
ScopeOption = Annotated[
    str | None, typer.Option("--scope", help="Scope of the proposal, where a verb has several.")
]
KindOption = Annotated[str | None, typer.Option("--subject-kind", help="Its subject kind.")]
PhaseOption = Annotated[str | None, typer.Option("--phase", help="Its phase.")]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who decides; kept with the rule.")
]
NoteOption = Annotated[str | None, typer.Option("--note", help="Why; kept with the rule.")]

boosts_app = typer.Typer(
    help="Proposed ranking boosts, and deciding on them. Nothing changes online by itself.",
    epilog=examples(
        "intents boosts",
        "intents boosts --state open --json",
        "intents boosts accept order.create --by ann --note 'looked at 40 cases'",
        "intents boosts reject order.delete",
    ),
    invoke_without_command=True,
    rich_markup_mode=None,
)


@boosts_app.callback()
def boosts(
    context: typer.Context,
    state: Annotated[
        Literal["open", "accepted", "rejected"] | None,
        typer.Option("--state", help="Only proposals of this state."),
    ] = None,
    top: Annotated[int, typer.Option("--top", help="Rows at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List proposed boosts with what was decided, and aliases that would have helped."""
    if context.invoked_subcommand is not None:
        return
    from agentledger.cli import output
    from agentledger.query import boost_proposals, intents

    settings = options.current_settings()
    answer = boost_proposals.verb_boosts(state, top, settings=settings)
    rows = answer.records()
    aliases = intents.alias_proposals(top, settings=settings).records()
    if as_json:
        output.write_json({**output.answer_head(answer), "boosts": rows, "aliases": aliases})
        return
    if rows:
        output.write_table(
            ["verb", "scope", "kind", "phase", "boost", "accepted", "rejected", "sessions",
             "reason", "state", "in force"],
            ([*_proposal_cells(row)] for row in rows),
            numeric=["boost", "accepted", "rejected", "sessions", "in force"],
        )  # fmt: skip
    else:
        output.write_line("No boost is proposed.")
    output.write_line()
    if aliases:
        output.write_line("An alias would have helped (the users' words are not kept):")
        output.write_table(
            ["verb", "rephrased", "sessions", "last seen"],
            ([*_alias_cells(row)] for row in aliases),
            numeric=["rephrased", "sessions"],
        )
    else:
        output.write_line("No alias is proposed.")
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


@boosts_app.command(epilog=examples("intents boosts accept order.create --by ann"))
def accept(
    verb: VerbArgument,
    scope: ScopeOption = None,
    subject_kind: KindOption = None,
    phase: PhaseOption = None,
    by: ByOption = None,
    note: NoteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept a proposal: `agentledger.query.boosts()` gives it to orchestrators from now on."""
    _decide(verb, "accepted", scope, subject_kind, phase, by, note, as_json)


@boosts_app.command(epilog=examples("intents boosts reject order.create --note 'seasonal'"))
def reject(
    verb: VerbArgument,
    scope: ScopeOption = None,
    subject_kind: KindOption = None,
    phase: PhaseOption = None,
    by: ByOption = None,
    note: NoteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject a proposal until its evidence changes; an accepted one is withdrawn."""
    _decide(verb, "rejected", scope, subject_kind, phase, by, note, as_json)


def _decide(
    verb: str,
    decision: str,
    scope: str | None,
    subject_kind: str | None,
    phase: str | None,
    by: str | None,
    note: str | None,
    as_json: bool,
) -> None:
    from dataclasses import asdict

    from agentledger.boost_rules import boosts_path
    from agentledger.cli import output
    from agentledger.query.boost_proposals import decide_on_boost

    settings = options.current_settings()
    rule = decide_on_boost(
        verb, decision, scope_bucket=scope, subject_kind=subject_kind, phase=phase, by=by,
        note=note, settings=settings,
    )  # fmt: skip
    if as_json:
        output.write_json(asdict(rule))
        return
    output.write_line(
        f"{output.text_of(rule.verb_fqn)}: {rule.decision} with boost "
        f"{_signed(rule.boost_weight)}, rule version {rule.rule_version}."
    )
    output.write_note(f"Written to {boosts_path(settings)}. Orchestrators load it when they ask.")


def _proposal_cells(row: Mapping[str, Any]) -> list[str]:
    from agentledger.cli import output

    state = str(row["review_state"])
    if row["evidence_changed"] and state != "open":
        state += " (evidence changed)"
    return [
        output.text_of(row["verb_fqn"]),
        output.text_of(row["scope_bucket"]),
        output.text_of(row["subject_kind"]),
        output.text_of(row["phase"]),
        _signed(row["boost_weight"]),
        output.count(row["accepted_count"]),
        output.count(row["rejected_count"]),
        output.count(row["session_count"]),
        output.text_of(row["reason"]),
        state,
        _signed(row["rule_weight"]),
    ]


def _alias_cells(row: Mapping[str, Any]) -> list[str]:
    from agentledger.cli import output

    return [
        output.text_of(row["verb"]),
        output.count(row["rephrase_count"]),
        output.count(row["session_count"]),
        output.instant(row["last_seen_at"]),
    ]


def _signed(weight: float | None) -> str:
    from agentledger.cli import output

    if weight is None:
        return output.UNKNOWN
    text = output.decimal(weight, 4)
    return f"+{text}" if weight > 0 else text
