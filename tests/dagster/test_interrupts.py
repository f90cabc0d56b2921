"""A run that is asked to end does so, and leaves nothing behind."""

import signal
import subprocess
import sys

import pytest

from agentledger import status
from agentledger.settings import Settings, process_environment
from agentledger.warehouse import run_lock_is_held
from orchestration import interrupts
from tests.dagster.data_home import REPO_ROOT

END_TIMEOUT_SECONDS = 60


@pytest.mark.parametrize(
    ("number", "step"), [(signal.SIGTERM, "collecting"), (signal.SIGINT, "building and testing")]
)
def test_a_signal_ends_the_run_whatever_it_is_doing(
    settings: Settings, number: signal.Signals, step: str
) -> None:
    """DuckDB swallows the exception that Dagster makes of a signal: once is not enough."""
    run = subprocess.Popen(
        [sys.executable, "-m", "orchestration", "run"],
        cwd=REPO_ROOT,
        env=process_environment(settings, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test runner started in the background ignores SIGINT, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert run.stderr is not None
        for line in run.stderr:
            if step in line:
                break
        run.send_signal(number)
        said, _ = run.communicate(timeout=END_TIMEOUT_SECONDS)
    finally:
        run.kill()
    assert run.returncode == 1
    assert interrupts.WORDS in said
    last = status.read_status(settings).last_run
    assert last["state"] == "failed"
    assert not run_lock_is_held(settings)
    assert not settings.published_pointer.exists()


def test_the_handlers_of_others_come_back() -> None:
    """A program that runs a run in its own process keeps its own way to end."""
    before = signal.getsignal(signal.SIGTERM)
    with interrupts.ends_on_signals() as asked:
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert not asked.is_set()
