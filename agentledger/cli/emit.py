"""`agentledger emit …`: what producers of events need on the command line.

Belongs here: arguments; the scan is made in `agentledger.emit.guard`.
"""

from typing import Annotated

import typer

from agentledger.cli.options import examples

emit_app = typer.Typer(
    help="For programs that write events: see docs/emit.md.",
    epilog=examples("emit guard src --module app.orchestrator"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_commands(app: typer.Typer) -> None:
    """Put this family under the root."""
    app.add_typer(emit_app, name="emit")


@emit_app.command(epilog=examples("emit guard src tests --module app.orchestrator"))
def guard(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files or folders to scan.")],
    module: Annotated[
        str, typer.Option("--module", help="Dotted name of the one module that may emit.")
    ],
) -> None:
    """Find calls that emit intent events outside the orchestrator; exit 1 when there are any."""
    from agentledger.emit import guard as scanner

    raise typer.Exit(scanner.main([*paths, "--module", module]))
