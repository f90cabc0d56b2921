"""`agentledger skills compare`: one skill over the projects.

Belongs here: arguments and printing of that question. Does not belong here: the other questions
about skills (`skills.py`).
"""

from typing import Annotated, Any

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples


def add_commands(family: typer.Typer) -> None:
    """Put the command into the family `skills`."""
    family.command(
        epilog=examples("skills compare code-review", "skills compare code-review --json")
    )(compare)


def compare(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the skill.")],
    as_json: JsonOption = False,
) -> None:
    """Compare one skill over the projects: rates of few outcomes are drawn towards the mean."""
    from agentledger.cli import output
    from agentledger.query import skills

    answer = skills.skill_comparison(name, settings=options.current_settings())
    if as_json:
        output.write_answer(answer, skill_name=name)
        return
    rows = answer.records()
    as_of = output.iso(answer.build.as_of)
    if not rows:
        output.write_note(f"No outcome of this skill is known in any project: {output.NOT_ENOUGH}.")
        return
    output.write_table(
        ["#", "project", "shrunk", "success", "95 % interval", "n", "the others", "p", "differs"],
        [
            [
                output.count(row["shrunk_rank"]),
                output.text_of(row["project_name"] or row["project_id"]),
                output.percent(row["shrunk_rate"]),
                output.percent(row["success_rate"]),
                output.interval(row["success_rate_low"], row["success_rate_high"]),
                output.count(row["known_outcomes"]),
                output.percent(row["rest_success_rate"]),
                output.p_value(row["p_value"]),
                _difference_text(row),
            ]
            for row in rows
        ],
        numeric=["#", "shrunk", "success", "95 % interval", "n", "the others", "p"],
    )
    first = rows[0]
    output.write_note(
        f"All together {output.percent(first['pooled_rate'])} of "
        f"{output.count(first['pooled_outcomes'])}; that rate weighs as much as "
        f"{output.decimal(first['prior_strength'])} outcomes. As of {output.instant(as_of)}."
    )


def _difference_text(row: dict[str, Any]) -> str:
    from agentledger.cli import output

    if row["differs"] is None:
        return output.NOT_ENOUGH
    if not row["differs"]:
        return "no difference shown"
    direction = "better" if row["rate_difference"] > 0 else "worse"
    return direction if row["evidence"] == "confirmed" else f"perhaps {direction}"
