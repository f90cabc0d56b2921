"""What the browser tests look at: a small ledger, and the two commands that serve pages of it.

Belongs here: making the data home, starting `agentledger dev` and `agentledger docs` on free
ports, ending them with all their children. Does not belong here: the browser (`conftest.py`),
expectations.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from agentledger.registry import register_project
from agentledger.settings import Settings, process_environment
from agentledger.warehouse import prepare_home
from tests.dagster.data_home import invocation, write_metrics

REPO_ROOT = Path(__file__).resolve().parents[2]

START_SECONDS = 240
"""Dagster takes twenty; a machine that does five other things takes several times that."""

END_SECONDS = 30
POLL_SECONDS = 0.25

GOOD_RECORDS, BAD_RECORDS = 20, 5
"""A fifth of the records is rejected, where one in twenty is the limit of the check."""

PRIVATE_TEXT = "private words"
"""What every record of `invocation` says in a private field: no page may show it."""


def make_ledger(folder: Path) -> Settings:
    """A data home with one project, collected, built and published once."""
    settings = Settings(home=folder / "home", host_zone="UTC")
    prepare_home(settings)
    project = folder / "shop"
    records = [invocation("review", minute) for minute in range(GOOD_RECORDS)]
    nameless = [invocation("review", minute) for minute in range(BAD_RECORDS)]
    for record in nameless:
        del record["skill_name"]
    write_metrics(project, records + nameless)
    register_project(settings, str(project))
    done = subprocess.run(
        _command("run"),
        env=process_environment(settings, {}),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return settings


@contextlib.contextmanager
def served(
    settings: Settings, command: str, log: Path, is_ready: Callable[[str, str], bool]
) -> Iterator[str]:
    """Run `agentledger dev` or `docs` on a free port for the length of a `with` block.

    Args:
        settings: The data home.
        command: `dev` or `docs`.
        log: File for what the command prints.
        is_ready: Called with the address and what was printed until it says yes.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            _command(command, "--port", str(port)),
            env=process_environment(settings, {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A suite in the background of a shell ignores Ctrl-C, and its children would, too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready(address, log.read_text()):
            assert process.poll() is None, f"{command} ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"{command} did not start:\n{log.read_text()}"
            time.sleep(POLL_SECONDS)
        yield address
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a command as Ctrl-C would, and whatever of its session is left after that."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(address: str, _printed: str) -> bool:
    """Whether something answers there; Dagster prints its address long before."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 - our own address
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def says_so(address: str, printed: str) -> bool:
    """Whether the command printed where it serves."""
    return f"dbt docs: {address}" in printed


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "agentledger.cli.main", *arguments]
