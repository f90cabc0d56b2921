"""`agentledger run|dev|docs`: start the orchestrator as a process of its own.

Belongs here: deciding that nothing is new without starting Dagster, and handing over. Does not
belong here: what a run does (`orchestration/`), which is never imported from here.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from agentledger.cli import options
from agentledger.cli.options import JsonOption, examples
from agentledger.settings import Settings


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.command(
        short_help="Read what is new, build, test and publish.",
        epilog=examples("run", "run --full-refresh", "run --as-of 2026-03-01T12:00Z"),
    )(run)
    app.command(
        short_help="Open the Dagster UI on 127.0.0.1.", epilog=examples("dev", "dev --port 3333")
    )(dev)
    app.command(
        short_help="Write and serve the docs of the models.",
        epilog=examples("docs", "docs --no-serve"),
    )(docs)


def run(
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild every model, new data or not.")
    ] = False,
    trigger: Annotated[
        str, typer.Option("--trigger", metavar="WORD", help="Who asked, for the history of runs.")
    ] = "cli",
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="T",
            help="The instant the numbers describe, ISO; replays a tick of the past.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read what is new, build, test and publish; ends at once when nothing is new."""
    settings = options.current_settings()
    if as_of is not None:
        settings = replace(settings, as_of_override=_past_instant(as_of))
    if as_of is None and not full_refresh and _is_nothing_new(settings, trigger, as_json):
        return
    arguments = ["run", f"--trigger={trigger}"]
    arguments += ["--full-refresh"] if full_refresh else []
    arguments += ["--json"] if as_json else []
    hand_over(settings, arguments)


def _past_instant(text: str) -> str:
    """An ISO instant in UTC that is not still to come.

    Raises:
        UsageError: When it is none.
    """
    from agentledger.errors import UsageError
    from agentledger.instants import parse_instant

    instant = parse_instant(text, "--as-of").astimezone(UTC)
    if instant > datetime.now(UTC):
        raise UsageError(f"--as-of is {text!r}, which is still to come. Give an earlier instant.")
    return instant.isoformat()


def dev(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1.")
    ] = 3000,
) -> None:
    """Open the Dagster UI (webserver and daemon) on 127.0.0.1."""
    hand_over(options.current_settings(), ["dev", "--port", str(port)])


def docs(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1.")
    ] = 8580,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="Only write the site, do not serve it.")
    ] = False,
) -> None:
    """Write the documentation site of the models and serve it on 127.0.0.1."""
    arguments = ["docs", "--port", str(port)] + (["--no-serve"] if no_serve else [])
    hand_over(options.current_settings(), arguments)


def hand_over(settings: Settings, arguments: list[str]) -> None:
    """Run `python -m orchestration …` in place of this process where the system can.

    Replacing the process makes its exit code and Ctrl-C those of the run by nature, and leaves no
    parent that could be killed without it. `-P`: a folder named `orchestration` in the working
    directory must not be run instead of ours.
    """
    import os
    import subprocess

    from agentledger.settings import AS_OF_VARIABLE, process_environment

    command = [sys.executable, "-P", "-m", "orchestration", *arguments]
    # An instant that was asked for reaches the run as a variable, as schedules' runs have none.
    extra = {AS_OF_VARIABLE: settings.as_of_override} if settings.as_of_override else {}
    environment = process_environment(settings, extra)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment)  # noqa: S606 - our own interpreter, no shell
    try:
        completed = subprocess.run(command, env=environment, check=False)  # noqa: S603
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(completed.returncode)


def _is_nothing_new(settings: Settings, trigger: str, as_json: bool) -> bool:
    """Ask the ledger; when there is nothing to do, record that and say so."""
    from agentledger import status, warehouse
    from agentledger.errors import RunLockedError
    from agentledger.ingest import plan

    try:
        if plan.new_work(settings).anything:
            return False
        # Under the lock, as everything that writes: a run that starts now must not lose its state.
        with warehouse.hold_run_lock(settings, wait_seconds=0):
            status.record_nothing_new(settings, datetime.now(UTC), trigger)
    except RunLockedError:
        return False  # another run is writing; the orchestrator waits for it and says so
    from agentledger.cli import output

    if as_json:
        output.write_json({"state": "nothing_new", "trigger": trigger})
    else:
        output.write_line("Nothing is new: no source file changed since the last run.")
    return True
