"""`agentledger quickstart`: the first run, on what is registered or on made-up telemetry.

Belongs here: choosing between the two and saying clearly which it was. Does not belong here: what a
run does, what the samples look like.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from agentledger.cli import options
from agentledger.cli.options import examples
from agentledger.settings import HOME_VARIABLE, Settings

SAMPLE_PROJECTS = 6
SAMPLE_RECORDS = 6_000
SAMPLE_EVENTS = 1_200
SAMPLE_SEED = 7


def add_commands(app: typer.Typer) -> None:
    """Put this command under the root."""
    app.command(
        name="quickstart",
        short_help="First run: on what is registered, else on made-up telemetry.",
        epilog=examples("quickstart", "quickstart --workspace ./try-out"),
    )(quickstart)


def quickstart(
    workspace: Annotated[
        str,
        typer.Option(
            "--workspace", metavar="DIR", help="Holds the samples and their own data home."
        ),
    ] = "agentledger-quickstart",
) -> None:
    """Run the pipeline and show what it found.

    Registered projects and sources are read into their data home. Where nothing is registered,
    made-up telemetry is written to the workspace and read into a data home of its own there.
    """
    from agentledger import registry
    from agentledger.cli import output

    settings = options.current_settings()
    config = registry.load_config(settings)
    is_sample = not registry.has_sources(settings, config)
    if is_sample:
        folder = Path(workspace).expanduser().absolute()
        settings = replace(settings, home=folder / "home")
        _prepare_sample(settings, folder / "sample")
        output.write_line(
            "Nothing is registered, so this run reads MADE-UP SAMPLE TELEMETRY from "
            f"{output.text_of(str(folder / 'sample'))}."
        )
    else:
        output.write_line(
            f"Reading {len(config.projects)} registered project(s) and "
            f"{len(config.sources)} further source(s)."
        )
    exit_code = _command(settings, "run", "--trigger", "quickstart")
    if exit_code == 0:
        output.write_line("\n$ agentledger skills top")
        exit_code = _command(settings, "skills", "top")
        _print_next_steps(settings, is_sample)
    raise typer.Exit(exit_code)


def _prepare_sample(settings: Settings, folder: Path) -> None:
    """Write the samples once; a second quickstart shows that nothing is counted twice."""
    from agentledger import registry, sample

    if not folder.exists():
        until = datetime.now(UTC).date()
        sample.write_sample(
            folder, SAMPLE_PROJECTS, SAMPLE_RECORDS, SAMPLE_SEED, events=SAMPLE_EVENTS, until=until
        )
    for project in sorted(path for path in folder.iterdir() if path.is_dir()):
        registry.register_project(settings, str(project), project_type="sample", zone="UTC")


def _command(settings: Settings, *arguments: str) -> int:
    """Run a command of ours as a person would type it, in the data home chosen above."""
    import subprocess

    from agentledger.settings import process_environment

    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "agentledger.cli.main", *arguments]
    environment = process_environment(settings, {})
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def _print_next_steps(settings: Settings, is_sample: bool) -> None:
    from agentledger.cli import output

    program = str(Path(sys.executable).with_name("agentledger"))
    prefix = f"{HOME_VARIABLE}={settings.home} " if is_sample else ""
    output.write_line("\nWhat to do next:")
    for arguments in ("skills summary", "turns stop-reasons", "status", "dev", "docs"):
        output.write_line(f"  {prefix}{program} {arguments}")
    if is_sample:
        output.write_line("With your own projects:")
        output.write_line(f"  {program} register PATH")
        output.write_line(f"  {program} run")
