"""`agentledger status|health|doctor`: what the runs did, and whether all is well.

Belongs here: printing; the state of runs is read by `agentledger.status`, the verdict is
`agentledger.query.health`'s, the findings are `agentledger.query.doctor`'s.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from agentledger import reads
from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples
from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings

RECENT_RUNS_SHOWN = 5
PROBLEMS_SHOWN = 20
PURGES_SHOWN = 3


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.command(
        short_help="Show the last runs and what could not be read.",
        epilog=examples("status", "status --json"),
    )(status)
    app.command(
        short_help="Say whether the ledger can be trusted; exit 1 if not.",
        epilog=examples("health", "health --json", "health || agentledger run"),
    )(health)
    app.command(
        short_help="Look for what is wrong around the ledger; exit 1 if anything is.",
        epilog=examples("doctor", "doctor --json"),
    )(doctor)


@reads.recorded("status")
def status(as_json: JsonOption = False) -> None:
    """Show the last runs, the files read, what could not be read, and how fresh the data is."""
    from agentledger import status as runs
    from agentledger.cli import output

    settings = options.current_settings()
    found = runs.read_status(settings).as_dict()
    freshness, problem = _freshness(settings)
    if as_json:
        output.write_json(
            {
                **found,
                "home": str(settings.home),
                "freshness": freshness,
                "snapshot": problem,
                "reads": reads.recording_problem(settings),
            }
        )
        return
    output.write_line(f"Ledger: {output.text_of(str(settings.home))}")
    _write_current(found.get("current_run"))
    _write_last(found.get("last_run"))
    last_success = found.get("last_success")
    if last_success and last_success.get("run_id") != (found.get("last_run") or {}).get("run_id"):
        output.write_line(f"Last success: {_run_text(last_success)}")
    if found.get("last_check"):
        output.write_line(
            f"Last check with nothing new: {output.instant(found['last_check']['at'])}"
        )
    _write_purges(found["purges"], found["pending_purges"])
    shown = _latest_with_sources(found)
    if shown:
        _write_sources(shown.get("sources") or [])
    _write_freshness(freshness, problem)
    unrecorded = reads.recording_problem(settings)
    if unrecorded:
        output.write_line(output.text_of(unrecorded))
    _write_recent(found.get("recent_runs") or [])


def health(as_json: JsonOption = False) -> None:
    """Say whether the ledger is ok, stale, broken or empty, and why; exit 1 unless ok."""
    from agentledger import status as runs
    from agentledger.cli import output
    from agentledger.query.health import gather_findings, judge_health

    settings = options.current_settings()
    with reads.asked("health", settings):
        verdict = judge_health(
            gather_findings(settings, runs.read_status(settings).as_dict()), datetime.now(UTC)
        )
    if as_json:
        output.write_json(
            {"state": verdict.state, "reasons": verdict.reasons, "notes": verdict.notes}
        )
    else:
        output.write_line(verdict.state)
        for reason in verdict.reasons:
            output.write_line(f"- {output.text_of(reason)}")
        for note in verdict.notes:
            output.write_line(f"Note: {output.text_of(note)}")
    if not verdict.is_ok:
        raise typer.Exit(1)


def doctor(as_json: JsonOption = False) -> None:
    """Look for what is wrong around the ledger: what, where, and what to do; exit 1 if anything."""
    from agentledger import status as runs
    from agentledger.cli import output
    from agentledger.query.doctor import examine

    settings = options.current_settings()
    with reads.asked("doctor", settings):
        findings = examine(settings, runs.read_status(settings).as_dict(), datetime.now(UTC))
    is_wrong = any(finding.is_wrong for finding in findings)
    if as_json:
        output.write_json(
            {"is_fine": not is_wrong, "findings": [finding.as_dict() for finding in findings]}
        )
    else:
        for finding in findings:
            mark = "!" if finding.is_wrong else "·"
            output.write_line(f"{mark} {finding.check}: {output.text_of(finding.what)}")
            output.write_line(f"    where: {output.text_of(finding.where)}")
            output.write_line(f"    to do: {output.text_of(finding.what_to_do)}")
        if not is_wrong:
            output.write_line("Nothing is wrong.")
    if is_wrong:
        raise typer.Exit(1)


def _freshness(settings: Settings) -> tuple[list[dict[str, Any]], str | None]:
    """Freshness of each project; without a readable snapshot, the reason."""
    from agentledger.query import projects

    try:
        return projects.data_freshness(settings=settings).records(), None
    except AgentLedgerError as error:
        return [], str(error)


def _latest_with_sources(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The newest run that looked at files: an empty run has nothing to show of them."""
    for key in ("current_run", "last_run", "last_success"):
        run = found.get(key)
        if run and run.get("sources"):
            return run
    return None


def _write_current(run: Mapping[str, Any] | None) -> None:
    from agentledger.cli import output

    if not run:
        output.write_line("No run is going on.")
    elif run.get("state") == "crashed":
        output.write_line(f"The last run was killed before it ended: {_run_text(run)}")
        output.write_line("Nothing needs repair; the next run takes up its work.")
    else:
        output.write_line(f"A run is going on: {_run_text(run)}")


def _write_last(run: Mapping[str, Any] | None) -> None:
    from agentledger.cli import output

    if not run:
        output.write_line("No run has ended yet. Type: agentledger run")
        return
    output.write_line(f"Last run: {_run_text(run)}")
    if run.get("error"):
        output.write_line(f"  {output.text_of(run['error'])}")
    totals = run.get("totals") or {}
    if totals:
        output.write_line(
            "  Files: "
            + ", ".join(
                f"{output.count(totals.get(f'files_{name}'))} {word}"
                for name, word in (
                    ("found", "found"),
                    ("collected", "read"),
                    ("skipped", "unchanged"),
                    ("quarantined", "unreadable"),
                )
            )
        )
        output.write_line(
            "  Records: "
            + ", ".join(
                f"{output.count(totals.get(name))} {word}"
                for name, word in (
                    ("records_read", "read"),
                    ("accepted", "accepted"),
                    ("already_known", "already known"),
                    ("rejected", "rejected"),
                )
            )
        )


def _write_purges(
    purges: Sequence[Mapping[str, Any]], pending: Sequence[Mapping[str, Any]]
) -> None:
    from agentledger import purge
    from agentledger.cli import output

    for entry in pending:
        output.write_line(
            f"Not complete yet: a purge ({entry['kind']}) asked for "
            f"{output.instant(entry['requested_at'])}. Type: agentledger run"
        )
    for entry in purges[:PURGES_SHOWN]:
        output.write_line(f"{output.instant(entry['finished_at'])}: {purge.in_words(dict(entry))}")


def _run_text(run: Mapping[str, Any]) -> str:
    from agentledger.cli import output

    parts = [
        output.text_of(run.get("state")).replace("_", " "),
        f"started {output.instant(run.get('started_at'))}",
    ]
    if run.get("seconds") is not None:
        parts.append(f"took {output.duration(run['seconds'] * 1000)}")
    if run.get("step"):
        parts.append(f"step {output.text_of(run['step'])}")
    if run.get("trigger"):
        parts.append(f"trigger {output.text_of(run['trigger'])}")
    return f"{output.text_of(run.get('run_id'))} · " + " · ".join(parts)


def _write_sources(sources: Sequence[Mapping[str, Any]]) -> None:
    from agentledger.cli import output

    counts = ("found", "collected", "skipped", "quarantined", "accepted", "rejected")
    headings = {"collected": "read", "skipped": "unchanged", "quarantined": "unreadable"}
    names = [headings.get(name, name) for name in counts]
    output.write_line()
    output.write_table(
        ["project", *names],
        [
            [output.text_of(item.get("project_name")), *(output.count(item.get(c)) for c in counts)]
            for item in sources
        ],
        numeric=names,
    )
    problems = [
        [output.text_of(problem.get(name)) for name in ("path", "reason", "detail")]
        for item in sources
        for problem in item.get("problems") or []
    ]
    if problems:
        output.write_line()
        output.write_line("What could not be read:")
        output.write_table(["file", "reason", "detail"], problems[:PROBLEMS_SHOWN])
        if len(problems) > PROBLEMS_SHOWN:
            output.write_line(f"… and {len(problems) - PROBLEMS_SHOWN} more: status --json")


def _write_freshness(rows: Sequence[Mapping[str, Any]], problem: str | None) -> None:
    from agentledger.cli import output

    output.write_line()
    if problem:
        output.write_line(f"Freshness: {output.text_of(problem)}")
        return
    output.write_table(
        ["project", "freshness", "last event", "last read", "no usable time"],
        [
            [
                output.text_of(row.get("project_name") or row.get("project_id")),
                output.text_of(row.get("health")),
                output.instant(row.get("last_event_at")),
                output.instant(row.get("last_loaded_at")),
                output.count(row.get("uncountable_invocations")),
            ]
            for row in rows
        ],
        numeric=["no usable time"],
    )


def _write_recent(runs: Sequence[Mapping[str, Any]]) -> None:
    from agentledger.cli import output

    if not runs:
        return
    output.write_line()
    newest = sorted(runs, key=lambda run: run.get("started_at") or "", reverse=True)
    output.write_table(
        ["run", "started", "state", "took", "accepted", "rejected", "trigger"],
        [
            [
                output.text_of(run.get("run_id")),
                output.instant(run.get("started_at")),
                output.text_of(run.get("state")).replace("_", " "),
                output.UNKNOWN
                if run.get("seconds") is None
                else output.duration(run["seconds"] * 1000),
                output.count(run.get("accepted")),
                output.count(run.get("rejected")),
                output.text_of(run.get("trigger")),
            ]
            for run in newest[:RECENT_RUNS_SHOWN]
        ],
        numeric=["took", "accepted", "rejected"],
    )
