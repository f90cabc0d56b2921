"""`agentledger sample`: made-up telemetry to try the ledger on.

Belongs here: arguments; what is written is decided in `agentledger.sample`.
"""

from pathlib import Path
from typing import Annotated

import typer

from agentledger.cli.options import examples


def add_commands(app: typer.Typer) -> None:
    """Put this command under the root."""
    app.command(
        name="sample",
        epilog=examples("sample ./demo", "sample ./demo --projects 10 --records 1000"),
    )(write)


def write(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Folder to write to.")],
    projects: Annotated[int, typer.Option("--projects", min=1, help="How many projects.")] = 5,
    records: Annotated[int, typer.Option("--records", min=0, help="Valid records in all.")] = 5_000,
    events: Annotated[
        int, typer.Option("--events", min=0, help="Utterances in logs of events, in all.")
    ] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed writes the same files.")] = 7,
) -> None:
    """Write made-up projects with telemetry in every known variant, some of it bad on purpose."""
    from agentledger import sample
    from agentledger.cli import output

    folder = Path(directory).expanduser()
    report = sample.write_sample(folder, projects, records, seed, events=events)
    output.write_table(
        ["project", "records", "bad on purpose", "path"],
        [
            [
                output.text_of(project.name),
                output.count(project.records),
                output.text_of(project.is_bad_on_purpose),
                output.text_of(str(project.path)),
            ]
            for project in report.projects
        ],
        numeric=["records"],
    )
    output.write_note("Next: agentledger register PATH --zone UTC, for each; then agentledger run")
