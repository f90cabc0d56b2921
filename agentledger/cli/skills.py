"""`agentledger skills …`: how often skills are used and how well they work.

Belongs here: arguments and printing of the questions about skills.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from agentledger.cli import options, skill_comparison, skill_costs
from agentledger.cli.options import (
    BucketOption,
    JsonOption,
    ProjectOption,
    SinceOption,
    UntilOption,
    WindowOption,
    examples,
)

skills_app = typer.Typer(
    help="How often skills are used and how well they work.",
    epilog=examples("skills top", "skills show code-review", "skills compare code-review"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    skill_comparison.add_commands(skills_app)
    skill_costs.add_commands(skills_app)
    app.add_typer(skills_app, name="skills")


@skills_app.command(
    epilog=examples(
        "skills top",
        "skills top --by quality --window weekly",
        "skills top --window daily --since 7d --project shop --json",
        "skills top --min-success-rate 0.9",
    )
)
def top(
    window: WindowOption = "all",
    bucket: BucketOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    project: ProjectOption = None,
    by: Annotated[
        Literal["uses", "quality"],
        typer.Option(
            "--by",
            help="quality = lower bound of the success rate; needs 5 known outcomes.",
        ),
    ] = "uses",
    limit: Annotated[int, typer.Option("--limit", help="Skills per bucket.")] = 10,
    min_success_rate: Annotated[
        float | None,
        typer.Option("--min-success-rate", metavar="0..1", help="Leave out skills below."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank skills by uses or by quality."""
    from agentledger.cli import output
    from agentledger.query import skills

    answer = skills.top_skills(
        window, bucket, project, by, limit, min_success_rate, since, until,
        settings=options.current_settings(),
    )  # fmt: skip
    if as_json:
        output.write_answer(answer, project=project, window=window, by=by)
        return
    rows = answer.records()
    if not rows:
        why = (
            ""
            if by == "uses" and min_success_rate is None
            else f" with enough outcomes: {output.NOT_ENOUGH}"
        )
        output.write_note(f"No skill matches{why}.")
        return
    _write_measures(rows, "rank_by_uses" if by == "uses" else "rank_by_quality")
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


@skills_app.command(
    epilog=examples(
        "skills show code-review",
        "skills show code-review --project shop --window daily --since 14d",
        "skills show code-review --json",
    )
)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the skill.")],
    project: ProjectOption = None,
    window: WindowOption = "weekly",
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell everything about one skill: over all time, recent buckets, insights."""
    from agentledger.cli import output
    from agentledger.query import get_skill

    found = get_skill(name, project, window, since, until, settings=options.current_settings())
    if as_json:
        output.write_json(found)
        return
    output.write_line(f"{output.text_of(found['skill_name'])} · {_scope_text(found)}")
    _write_measures([{**(found["effectiveness"] or {}), **found["all_time"]}], None)
    output.write_line()
    output.write_line(f"{window}:")
    _write_measures(found["history"], None)
    _write_insights(found["insights"])
    output.write_note(f"As of {output.instant(found['as_of'])}.")


@skills_app.command(
    epilog=examples("skills summary", "skills summary --project shop --window weekly --json")
)
def summary(
    project: ProjectOption = None,
    window: WindowOption = "all",
    bucket: BucketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sum up: totals, first skills by uses and by quality, insights."""
    from agentledger.cli import output
    from agentledger.query import get_skill_summary

    found = get_skill_summary(project, window, bucket, settings=options.current_settings())
    if as_json:
        output.write_json(found)
        return
    bucket_text = "" if window == "all" else f" from {output.text_of(found['bucket_start'])}"
    output.write_line(f"{_scope_text(found)} · {window}{bucket_text}")
    if not found["top_by_uses"]:
        output.write_line("No use of any skill is known here yet.")
        return
    if found["totals"]:
        _write_measures([found["totals"]], None)
    for title, key, rank in (
        ("Most used", "top_by_uses", "rank_by_uses"),
        ("Best (lower bound of the success rate)", "top_by_quality", "rank_by_quality"),
    ):
        output.write_line()
        output.write_line(f"{title}:")
        if found[key]:
            _write_measures(found[key], rank)
        else:
            output.write_line(f"  {output.NOT_ENOUGH}")
    _write_insights(found["insights"])
    output.write_note(f"As of {output.instant(found['as_of'])}.")


@skills_app.command(
    epilog=examples("skills insights", "skills insights --skill code-review --json")
)
def insights(
    skill: Annotated[str | None, typer.Option("--skill", help="One skill only.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what the evidence says should be looked at, most urgent first."""
    from agentledger.cli import output
    from agentledger.query import skills

    answer = skills.skill_insights(skill, project, settings=options.current_settings())
    if as_json:
        output.write_answer(answer, project=project)
        return
    _write_insights(answer.records())
    output.write_note(f"As of {output.instant(output.iso(answer.build.as_of))}.")


def _scope_text(found: Mapping[str, Any]) -> str:
    from agentledger.cli import output

    name = found["project_name"]
    return "all projects" if name is None else f"project {output.text_of(name)}"


def _write_measures(rows: Sequence[Mapping[str, Any]], rank: str | None) -> None:
    """Write rows of measures: every rate with its counts and its interval.

    Only what the mart has becomes a column: a column that no row has is left out.
    """
    from agentledger.cli import output

    cells = {
        "#": (rank, lambda row: output.count(row[rank])),
        "skill": ("skill_name", lambda row: output.text_of(row["skill_name"])),
        "bucket": ("bucket_start", _bucket_text),
        "uses": ("total_invocations", lambda row: output.count(row["total_invocations"])),
        "success": ("success_rate", lambda row: output.percent(row["success_rate"])),
        "95 % interval": (
            "success_rate_low",
            lambda row: output.interval(row["success_rate_low"], row["success_rate_high"]),
        ),
        "n": ("known_outcomes", lambda row: output.count(row["known_outcomes"])),
        "ok": ("successful_completions", lambda row: output.count(row["successful_completions"])),
        "failed": ("failed_invocations", lambda row: output.count(row["failed_invocations"])),
        "unknown": ("unknown_outcomes", lambda row: output.count(row["unknown_outcomes"])),
        "p50": ("p50_duration_ms", lambda row: output.duration(row["p50_duration_ms"])),
        "p95": ("p95_duration_ms", lambda row: output.duration(row["p95_duration_ms"])),
        "last used": ("last_used_at", lambda row: output.instant(row["last_used_at"])),
        "evidence": ("evidence", lambda row: _evidence_text(row["evidence"])),
        "quality": ("quality_evidence", lambda row: _evidence_text(row["quality_evidence"])),
    }
    first = rows[0] if rows else {}
    if first.get("time_window") == "all":
        del cells["bucket"]
    shown = {heading: cell for heading, (name, cell) in cells.items() if name in first}
    words = {"skill", "bucket", "last used", "evidence", "quality"}
    output.write_table(
        list(shown),
        ([cell(row) for cell in shown.values()] for row in rows),
        numeric=[heading for heading in shown if heading not in words],
    )


def _bucket_text(row: Mapping[str, Any]) -> str:
    return f"{row['bucket_start']}{' (partial)' if row.get('is_partial') else ''}"


def _evidence_text(evidence: str | None) -> str:
    from agentledger.cli import output

    return output.NOT_ENOUGH if evidence == "insufficient_data" else output.text_of(evidence)


def _write_insights(rows: Sequence[Mapping[str, Any]]) -> None:
    from agentledger.cli import output

    output.write_line()
    if not rows:
        output.write_line(f"Insights: none, or {output.NOT_ENOUGH} (each needs 20 observations).")
        return
    output.write_line("Insights:")
    output.write_table(
        ["priority", "skill", "insight", "evidence", "value", "recommendation"],
        [
            [
                output.text_of(row["priority"]),
                output.text_of(row["skill_name"]),
                output.text_of(row["insight"]),
                output.text_of(row["evidence"]),
                _insight_value(row),
                output.text_of(row["recommendation"]),
            ]
            for row in rows
        ],
        numeric=["value"],
    )


def _insight_value(row: Mapping[str, Any]) -> str:
    """The value with the counts it comes from; all insights but one are about rates."""
    from agentledger.cli import output

    is_mean = row["insight"] == "needs_refinement"
    value = output.decimal(row["value"], 2) if is_mean else output.percent(row["value"])
    return f"{value} ({output.count(row['numerator'])}/{output.count(row['denominator'])})"
