"""Runs of dbt for tests, each in a process of its own that need not load dbt first.

Belongs here: the process that has loaded dbt once, the copies of it that run one command each.
Does not belong here: which warehouse, which folders (`conftest.py`).

Loading dbt takes three seconds, a small build two. A fork of a process that has it loaded is as
much a process of its own as one started from nothing: own environment, own working directory, own
locks on the warehouse.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_LOADED = multiprocessing.get_context("forkserver")
_LOADED.set_forkserver_preload(
    ["dbt.cli.main", "dbt.adapters.duckdb", "tests.dbt_process", "tests.dbt_parsed"]
)


def run_dbt(
    arguments: list[str], *, folder: Path, environment: dict[str, str], timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Run `dbt` with these arguments in a folder; what it printed and its exit code.

    Raises:
        subprocess.TimeoutExpired: When it takes longer; it is killed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        printed = Path(scratch) / "printed"
        child = _LOADED.Process(target=_dbt, args=(arguments, folder, environment, printed))
        child.start()
        child.join(timeout)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise subprocess.TimeoutExpired(arguments, timeout, printed.read_bytes())
        output = printed.read_text(encoding="utf-8", errors="replace") if printed.exists() else ""
        return subprocess.CompletedProcess(arguments, child.exitcode, output, "")


def _dbt(arguments: list[str], folder: Path, environment: dict[str, str], printed: Path) -> None:
    """What the child does: become the command that a user would start."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    output = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["dbt", *arguments]
    from dbt.cli.main import dbtRunner

    from tests.dbt_parsed import PARSED

    result = dbtRunner(manifest=PARSED).invoke(arguments)
    if result.exception is not None:
        sys.stdout.write(f"{result.exception}\n")
    # dbt's own exit codes.
    sys.exit(0 if result.success else 2 if result.exception else 1)
