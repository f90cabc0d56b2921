"""What a fresh interpreter loads: every command and every question of a script begins with one.

Belongs here: starting it and asking for its modules. Does not belong here: which are too many (the
tests).
"""

import subprocess
import sys
from pathlib import Path

from agentledger.settings import HOME_VARIABLE

HEAVY = {
    "_duckdb", "duckdb", "pandas", "numpy", "pyarrow", "rich", "pydantic", "tomlkit", "msgspec",
    "filelock", "dagster", "dbt", "orchestration",
}  # fmt: skip
"""Packages that take longer to import than most questions take to answer."""


def modules_after(code: str, home: Path) -> set[str]:
    """Names of the modules that are loaded after some code."""
    finished = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)"],
        env={HOME_VARIABLE: str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(finished.stderr.splitlines()[-1].split())


def modules_of_answer(arguments: list[str], home: Path) -> set[str]:
    """Names of the modules that are loaded after a command has answered."""
    return modules_after(
        "from agentledger.cli.main import main\n"
        "code = None\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as stop: code = stop.code\n"
        "assert code == 0, code",
        home,
    )


def packages(modules: set[str]) -> set[str]:
    """Top-level names of modules."""
    return {name.partition(".")[0] for name in modules}
