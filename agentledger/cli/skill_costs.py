"""`agentledger skills cost`: what skills cost, by several rules side by side.

Belongs here: arguments and printing of that question. Does not belong here: the other questions
about skills (`skills.py`), the rules themselves (the mart `skill_attribution`).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, ProjectOption, examples

_RULES: Final = {
    "stamp": "marked by the tool",
    "until_prompt": "until next prompt",
    "until_next_skill": "until next skill",
    "subagents_only": "subagents of it",
    "session_share": "whole session",
}
"""What each rule is called here, in the order in which they are shown."""


def add_commands(family: typer.Typer) -> None:
    """Put the command into the family `skills`."""
    family.command(
        epilog=examples(
            "skills cost", "skills cost code-review", "skills cost --project shop --json"
        )
    )(cost)


def cost(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of the skill; all by default.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what skills cost, by five rules side by side: none of them is the truth."""
    from agentledger.cli import output
    from agentledger.query import skills

    answer = skills.skill_costs(name, project, settings=options.current_settings())
    if as_json:
        output.write_answer(answer, project=project, skill_name=name)
        return
    rows = answer.records()
    as_of = output.iso(answer.build.as_of)
    if not rows:
        output.write_note("No transcript tells of a use of this." if name else "No skill is known.")
        return
    if name is None:
        _write_overview(rows)
    else:
        _write_rules(rows)
    _write_notes(rows)
    output.write_note(f"As of {output.instant(as_of)}.")


def _write_overview(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line per skill, the cost of each rule in a column."""
    from agentledger.cli import output

    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["skill_name"], {})[row["rule"]] = row
    columns = [f"{title} $" for title in _RULES.values()]
    output.write_table(
        ["skill", "uses", *columns, "spread $"],
        [
            [
                output.text_of(skill),
                output.count(rules["session_share"]["invocations"]),
                *(_dollars(rules[rule]) for rule in _RULES),
                output.decimal(rules["session_share"]["cost_spread_usd"], 4),
            ]
            for skill, rules in found.items()
        ],
        numeric=["uses", *columns, "spread $"],
    )


def _write_rules(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line per rule, with calls and tokens by tier."""
    from agentledger.cli import output

    tiers = {
        "calls": "calls",
        "input": "input_fresh_tokens",
        "cache write 5m": "cache_write_5m_tokens",
        "cache write 1h": "cache_write_1h_tokens",
        "cache read": "cache_read_tokens",
        "output": "output_tokens",
        "without a price": "unpriced_calls",
    }
    output.write_table(
        ["rule", *tiers, "cost $"],
        [
            [
                _RULES.get(row["rule"], output.text_of(row["rule"])),
                *(output.count(row[column]) for column in tiers.values()),
                _dollars(row),
            ]
            for row in rows
        ],
        numeric=[*tiers, "cost $"],
    )
    first = rows[0]
    output.write_line(
        f"Uses: {output.count(first['invocations'])}. Between "
        f"{output.decimal(first['lowest_cost_usd'], 4)} and "
        f"{output.decimal(first['highest_cost_usd'], 4)} $: the rules are "
        f"{output.decimal(first['cost_spread_usd'], 4)} $ apart."
    )


def _write_notes(rows: Sequence[Mapping[str, Any]]) -> None:
    """Say what the numbers leave out."""
    from agentledger.cli import output

    if any(row["cost_is_lower_bound"] for row in rows):
        output.write_note("\u2265: some calls have no price (`agentledger usage unpriced`).")
    if any(row["missing_subagents"] for row in rows):
        output.write_note("Subagents whose own lines are missing are in no number.")
    if any(row["rule"] == "stamp" and row["calls"] is None for row in rows):
        output.write_note("Marked by the tool: only versions from 2.1.220 mark their calls.")


def _dollars(row: Mapping[str, Any]) -> str:
    from agentledger.cli import output

    text = output.decimal(row["cost_usd"], 4)
    return f"\u2265 {text}" if row["cost_is_lower_bound"] and row["cost_usd"] is not None else text
