"""Run a child process and measure it: wall and processor time, memory of the largest and of all.

Belongs here: `os.wait4` and a look at /proc from time to time. Does not belong here: what the child
does.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.1
"""A build lasts seconds: peaks shorter than this are seen by `wait4` alone."""

PROC = Path("/proc")
KILOBYTE = 1024


class ChildFailedError(RuntimeError):
    """A measured process ended with an error; the message carries the end of its output."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one child process took."""

    seconds: float
    largest_bytes: int
    """Peak resident memory of the largest process of the tree."""
    tree_bytes: int | None
    """Peak of the sum over the tree, shared pages counted for each; None without /proc."""
    output: str
    processor_seconds: float
    """Of the tree: the child and all that it waited for."""


def run_measured(
    command: Sequence[str], environment: Mapping[str, str], *, limit_seconds: float, cwd: Path
) -> Measured:
    """Run a command to its end.

    Raises:
        ChildFailedError: When it fails or takes longer than `limit_seconds`.
    """
    started = time.perf_counter()
    child = subprocess.Popen(
        list(command),
        env=dict(environment),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a child that hangs can be ended with its own children
    )
    texts = ["", ""]
    readers = [
        threading.Thread(target=_read_into, args=(texts, index, stream))
        for index, stream in enumerate((child.stdout, child.stderr))
    ]
    watch = _TreeWatch(child.pid)
    for thread in (*readers, watch):
        thread.start()
    timer = threading.Timer(limit_seconds, _end_group, [child.pid])
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    timer.cancel()
    watch.stop.set()
    for thread in (*readers, watch):
        thread.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        said = (texts[1] + texts[0])[-2000:]
        raise ChildFailedError(
            f"{' '.join(command)} ended with {child.returncode} after {seconds:.1f} s:\n{said}"
        )
    # macOS gives bytes, Linux kilobytes.
    unit = 1 if sys.platform == "darwin" else KILOBYTE
    processor = usage.ru_utime + usage.ru_stime
    return Measured(seconds, usage.ru_maxrss * unit, watch.peak_bytes, texts[0], processor)


def _read_into(texts: list[str], index: int, stream: object) -> None:
    texts[index] = stream.read()  # type: ignore[attr-defined]


def _end_group(pid: int) -> None:
    # The group is the child's own session: nothing else is in it.
    os.killpg(pid, 9)


class _TreeWatch(threading.Thread):
    """Sums the resident memory of a process and its descendants until told to stop."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.stop = threading.Event()
        self.peak_bytes: int | None = None

    def run(self) -> None:
        if not PROC.is_dir():
            return
        while not self.stop.is_set():
            self.peak_bytes = max(self.peak_bytes or 0, tree_bytes(self.root))
            self.stop.wait(POLL_SECONDS)


def tree_bytes(root: int) -> int:
    """Resident bytes of a process and all its descendants right now."""
    parents: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            stat = _read(entry / "stat")
            if stat:
                # The command, in brackets, may hold spaces.
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    family, grew = {root}, True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grew = bool(more)
    page = os.sysconf("SC_PAGE_SIZE")
    sizes = (_read(PROC / str(pid) / "statm") for pid in family)
    return sum(int(size.split()[1]) * page for size in sizes if size)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process ended meanwhile
        return ""
