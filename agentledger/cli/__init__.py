"""The command line: one module per family of commands, `main.py` puts them together.

Belongs here: arguments, printing, exit codes. Does not belong here: any metric, any decision.

Modules import only typer and the standard library at the top; what a command needs (DuckDB, rich,
tomlkit) it imports when it runs, so that `--help` and `--version` answer at once.
"""
