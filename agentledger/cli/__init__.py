"""The command line: one module per family of commands, `main.py` puts them together.

Belongs here: arguments, printing, exit codes. Does not belong here: any metric, any decision.

Modules import only typer and the standard library at the top; what a command needs (DuckDB, rich,
tomlkit) it imports when it runs, so that `--help` and `--version` answer at once.
"""

import sys


def main() -> None:
    """Start the command line; a light installation, for emitting alone, has only the guard."""
    try:
        from agentledger.cli.main import main as run
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        from agentledger.emit import guard

        if sys.argv[1:3] == ["emit", "guard"]:
            sys.exit(guard.main(sys.argv[3:]))
        sys.stderr.write(
            "agentledger: This installation only emits events. For everything else: "
            "pip install 'agentledger[pipeline]'\n"
        )
        sys.exit(1)
    run()
