"""Ending a headless run on Ctrl-C or SIGTERM, surely.

Belongs here: noticing that somebody asked the run to end, and asking again until it does. Does not
belong here: what is let go then (locks and children: the resources of the run).

Dagster turns a signal into an exception in the code that happens to run. When that is a DuckDB
statement, DuckDB swallows the exception and reports an interrupted query instead, and Dagster, which
sees an ordinary error, tries the step again. So the signal is noticed here as well, and repeated.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

ASK_AGAIN_SECONDS = 0.5
"""Between two steps, or two attempts, lies about as much."""

WORDS = "the run was ended by a signal; nothing is lost, the next run continues where it stopped"


@contextlib.contextmanager
def ends_on_signals() -> Iterator[threading.Event]:
    """Treat SIGTERM as Ctrl-C and repeat either until the block is left.

    Yields:
        Set as soon as somebody asked the run to end.
    """
    asked, left = threading.Event(), threading.Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    term_before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Called by the interpreter whichever handler is in place: Dagster puts in its own.
    fd_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reader, asked, left), daemon=True)
    watcher.start()
    try:
        yield asked
    finally:
        left.set()
        signal.set_wakeup_fd(fd_before)
        signal.signal(signal.SIGTERM, term_before)
        os.close(writer)
        watcher.join()
        os.close(reader)


def _watch(reader: int, asked: threading.Event, left: threading.Event) -> None:
    ends = {signal.SIGINT, signal.SIGTERM}
    while seen := os.read(reader, 64):
        if ends.intersection(seen) and not asked.is_set():
            asked.set()
            threading.Thread(target=_ask_again, args=(left,), daemon=True).start()


def _ask_again(left: threading.Event) -> None:
    while not left.wait(ASK_AGAIN_SECONDS):
        os.kill(os.getpid(), signal.SIGINT)
