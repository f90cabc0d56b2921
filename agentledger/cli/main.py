"""Entry point of `agentledger`: the tree of commands, and how errors end the process.

Belongs here: which module holds which command, exit codes. Does not belong here: any command
with a body of its own.

Exit codes: 0 done, 1 failed or unhealthy, 2 wrong usage, 130 interrupted.
"""

import contextlib
import functools
import importlib
import io
import os
import sys
from collections import UserDict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

import agentledger
from agentledger import reads
from agentledger.errors import AgentLedgerError, UsageError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "quickstart": ("quickstart",),
    "projects": ("register", "unregister", "projects"),
    "runs": ("run", "dev", "docs"),
    "state": ("status", "health", "doctor"),
    "sql": ("sql",),
    "sample": ("sample",),
    "sources": ("source",),
    "skills": ("skills",),
    "workflows": ("workflows",),
    "intents": ("intents",),
    "agents": ("agents",),
    "usage": ("usage",),
    "turns": ("turns",),
    "explain": ("explain",),
    "training": ("export",),
    "emit": ("emit",),
    "reads": ("reads",),
}
"""Module of this package → the commands that it puts under the root, in the order of the help."""


@functools.cache
def _family(module: str) -> Mapping[str, Any]:
    """The commands of one module."""
    family = typer.Typer(rich_markup_mode=None)
    importlib.import_module(f"agentledger.cli.{module}").add_commands(family)
    return typer.main.get_group(family).commands


class _Commands(UserDict[str, Any]):
    """Commands by name, which know their module and import it when they are asked for.

    A reader starts anew for each question: to import what all commands need takes longer than most
    answers.
    """

    def __getitem__(self, name: str) -> Any:
        return _family(super().__getitem__(name))[name]


class _Root(TyperGroup):
    """The root; its help and its near matches know every command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(
            {command: module for module, commands in FAMILIES.items() for command in commands}
        )


app = typer.Typer(
    name="agentledger",
    cls=_Root,
    help="A local-first, auditable warehouse of AI-agent telemetry.",
    epilog="\b\nExamples:\n"
    "  agentledger register ~/code/shop     opt a project in\n"
    "  agentledger run                      read what is new, build, test, publish\n"
    "  agentledger skills top --json        ask\n"
    "  agentledger status                   what happened, and what could not be read\n",
    no_args_is_help=True,
    add_completion=False,
    # Plain help: it starts faster, survives pipes, and keeps the examples as they are written.
    rich_markup_mode=None,
    # A defect keeps its plain traceback, without the values of variables: they may be private.
    pretty_exceptions_enable=False,
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        sys.stdout.write(f"agentledger {agentledger.__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options of every command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    Args:
        arguments: What follows the program's name; `sys.argv` by default.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character shows its code instead of ending the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        with reads.asked_through("cli"):
            app(args=None if arguments is None else list(arguments), prog_name="agentledger")
    except AgentLedgerError as error:
        from agentledger.cli.output import printable

        lines = "\n".join(printable(line) for line in str(error).splitlines())
        with contextlib.suppress(BrokenPipeError):
            sys.stderr.write(f"agentledger: {lines}\n")
        sys.exit(EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except SystemExit as stop:
        # Whoever reads our output, such as `head`, has seen enough: that is no failure, although
        # click makes exit code 1 of it.
        is_read_enough = isinstance(stop.__context__, BrokenPipeError)
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes once more at its end; that must not find the closed pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0 if is_read_enough else stop.code)


if __name__ == "__main__":
    main()
