"""`agentledger workflows …`: which steps and which order of steps let workflows succeed.

Belongs here: arguments and printing of the questions about workflows.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, ProjectOption, examples

NOTHING_YET = (
    "No run of a workflow is known here yet. Runs are read from "
    ".session-buddy/workflow_executions.json[l] of registered projects (`agentledger run`)."
)

WorkflowOption = Annotated[
    str | None, typer.Option("--workflow", metavar="NAME", help="One workflow; default: all.")
]

workflows_app = typer.Typer(
    help="Which steps and which order of steps let workflows succeed.",
    epilog=examples(
        "workflows recommend feature-dev",
        "workflows optimize plan implement review test --workflow feature-dev",
        "workflows correlation --json",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.add_typer(workflows_app, name="workflows")


@workflows_app.command(
    epilog=examples(
        "workflows correlation",
        "workflows correlation --workflow feature-dev --project shop",
        "workflows correlation --skill code-review --json",
    )
)
def correlation(
    workflow: WorkflowOption = None,
    skill: Annotated[
        str | None, typer.Option("--skill", metavar="NAME", help="One skill; default: all.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which skills go together with runs that succeed: an association, never a cause."""
    from agentledger.cli import output
    from agentledger.query import workflows

    answer = workflows.workflow_correlation(
        workflow, skill, project, settings=options.current_settings()
    )
    if as_json:
        output.write_answer(answer, project=project, workflow=workflow)
        return
    rows = answer.records()
    as_of = output.iso(answer.build.as_of)
    if not rows:
        output.write_note(NOTHING_YET)
        return
    output.write_table(
        ["workflow", "skill", "runs", "success with", "95 % interval", "n", "without", "phi", "p",
         "evidence", "mean run"],
        [
            [
                output.text_of(row["workflow_name"]),
                output.text_of(row["skill_name"]),
                output.count(row["usage_count"]),
                output.percent(row["success_rate"]),
                output.interval(row["success_rate_low"], row["success_rate_high"]),
                f"{output.count(row['completed_with'])}+{output.count(row['failed_with'])}",
                output.percent(row["success_rate_without"]),
                output.decimal(row["phi"], 2),
                output.p_value(row["fisher_p"]),
                _evidence_text(row["evidence"]),
                output.duration(row["avg_duration_ms"]),
            ]
            for row in rows
        ],
        numeric=["runs", "success with", "95 % interval", "n", "without", "phi", "p", "mean run"],
    )  # fmt: skip
    output.write_note(
        "n = completed + failed runs with the skill. An association is no cause. "
        f"As of {output.instant(as_of)}."
    )


@workflows_app.command(
    epilog=examples(
        "workflows recommend",
        "workflows recommend feature-dev --project shop",
        "workflows recommend feature-dev --json",
    )
)
def recommend(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One workflow; default: all.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the orders of skills that workflows took, the best proven one first."""
    from agentledger.cli import output
    from agentledger.query import workflows

    answer = workflows.workflow_recommendation(name, project, settings=options.current_settings())
    if as_json:
        output.write_answer(answer, project=project, workflow=name)
        return
    rows = answer.records()
    as_of = output.iso(answer.build.as_of)
    if not rows:
        output.write_note(NOTHING_YET)
        return
    _write_sequences(rows)
    if not any(row["is_recommended"] for row in rows):
        output.write_note("Nothing is recommended: each sequence needs 3 known runs of 10.")
    output.write_note(f"As of {output.instant(as_of)}.")


@workflows_app.command(
    epilog=examples(
        "workflows optimize plan implement review test",
        "workflows optimize plan implement test --workflow feature-dev --project shop",
        "workflows optimize plan implement test --json",
    )
)
def optimize(
    steps: Annotated[
        list[str], typer.Argument(metavar="STEP...", help="Names of skills, in their order.")
    ],
    project: ProjectOption = None,
    workflow: Annotated[
        str | None,
        typer.Option("--workflow", metavar="NAME", help="Show the order that its runs recommend."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take the steps out that surely fail too often; none for lack of data."""
    from agentledger.cli import output
    from agentledger.query import optimize_workflow

    found = optimize_workflow(steps, project, workflow, settings=options.current_settings())
    if as_json:
        output.write_json(found)
        return
    _write_steps(found["steps"])
    output.write_line()
    output.write_line(f"given:     {_arrow(found['steps_in'])}")
    output.write_line(f"optimized: {_arrow(found['steps_out'])}")
    if not found["is_changed"]:
        output.write_line("Nothing changes: no step surely fails too often.")
    if found["recommended"]:
        output.write_line()
        output.write_line(f"What runs of {output.text_of(workflow)} recommend:")
        _write_sequences([found["recommended"]])
    elif workflow is not None:
        output.write_note(f"Runs of {workflow} recommend nothing: too few are known.")
    output.write_note(f"As of {output.instant(found['as_of'])}.")


def _write_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    from agentledger.cli import output

    output.write_table(
        ["#", "step", "", "success", "95 % interval", "n", "evidence", "why"],
        [
            [
                output.count(step["position"]),
                output.text_of(step["skill_name"]),
                "keep" if step["is_kept"] else "leave out",
                output.percent(step["success_rate"]),
                output.interval(step["success_rate_low"], step["success_rate_high"]),
                output.count(step["known_outcomes"]),
                _evidence_text(step["evidence"]),
                output.text_of(step["recommendation"]),
            ]
            for step in steps
        ],
        numeric=["#", "success", "95 % interval", "n"],
    )


def _write_sequences(rows: Sequence[Mapping[str, Any]]) -> None:
    from agentledger.cli import output

    output.write_table(
        ["workflow", "#", "sequence", "", "success", "95 % interval", "n", "unknown", "p50",
         "evidence"],
        [
            [
                output.text_of(row["workflow_name"]),
                output.count(row["sequence_rank"]),
                _arrow(row["steps"]),
                "recommended" if row["is_recommended"] else "",
                output.percent(row["success_rate"]),
                output.interval(row["success_rate_low"], row["success_rate_high"]),
                output.count(row["known_runs"]),
                output.count(row["unknown_runs"]),
                output.duration(row["p50_duration_ms"]),
                _standing(row),
            ]
            for row in rows
        ],
        numeric=["#", "success", "95 % interval", "n", "unknown", "p50"],
    )  # fmt: skip


def _standing(row: Mapping[str, Any]) -> str:
    """What the evidence says of a sequence; that of a later one is about being worse."""
    if (row["sequence_rank"] or 0) > 1:
        return "surely worse" if row["evidence"] == "confirmed" else "not proven worse"
    return _evidence_text(row["evidence"])


def _arrow(steps: Sequence[str]) -> str:
    from agentledger.cli import output

    return " > ".join(output.text_of(step) for step in steps) or "(no step)"


def _evidence_text(evidence: str | None) -> str:
    from agentledger.cli import output

    return {"insufficient_data": "not enough data", "no_data": "no data"}.get(
        evidence or "", output.text_of(evidence)
    )
