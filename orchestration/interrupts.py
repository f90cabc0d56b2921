"""Ending a headless run on Ctrl-C or SIGTERM, surely.

Belongs here: noticing that somebody asked the run to end, and asking again until it does. Does not
belong here: what is let go then (locks and children: the resources of the run).

Dagster turns a signal into an exception in the code that happens to run. When that is a DuckDB
statement, DuckDB swallows the exception and reports an interrupted query instead, and Dagster sees
an ordinary error and tries the step again. So the signal is noticed here as well, and repeated.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

ASK_AGAIN_SECONDS = 0.5
"""Between two steps, or two attempts, lies about as much."""

WORDS = "the run was ended by a signal; nothing is lost, the next run continues where it stopped"


class EndAskedError(BaseException):
    """Somebody asked the run to end.

    Not KeyboardInterrupt: once that passes through code that Python compiled from text, as imports
    do, Python kills itself with the signal at its end, even when the exception was caught.
    """


_letting_go = threading.Event()


def stop_asking() -> None:
    """The run is letting go of its locks and children: no further signal, that would disturb it."""
    _letting_go.set()


@contextlib.contextmanager
def ends_on_signals() -> Iterator[threading.Event]:
    """Treat SIGTERM as Ctrl-C and repeat either until the block is left.

    Yields:
        Set as soon as somebody asked the run to end.
    """
    asked = threading.Event()
    _letting_go.clear()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = {number: signal.signal(number, _raise) for number in (signal.SIGINT, signal.SIGTERM)}
    # Called by the interpreter whichever handler is in place: Dagster puts in its own.
    fd_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reader, asked), daemon=True)
    watcher.start()
    try:
        yield asked
    finally:
        _letting_go.set()
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writer)
        watcher.join()
        os.close(reader)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise EndAskedError


def _watch(reader: int, asked: threading.Event) -> None:
    ends = {signal.SIGINT, signal.SIGTERM}
    while seen := os.read(reader, 64):
        if ends.intersection(seen) and not asked.is_set():
            asked.set()
            threading.Thread(target=_ask_again, daemon=True).start()


def _ask_again() -> None:
    while not _letting_go.wait(ASK_AGAIN_SECONDS):
        os.kill(os.getpid(), signal.SIGINT)
