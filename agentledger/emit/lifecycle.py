"""What happens to writers when the process forks or ends.

Belongs here: the hooks of the interpreter, registered at the first writer (import does nothing).
Does not belong here: what a writer does then (`writer.py`).
"""

import atexit
import os
import sys
import weakref
from typing import Protocol


class Flushable(Protocol):
    """The part of a writer that the hooks use."""

    def flush(self) -> bool:
        """Write what waits."""
        ...

    def forget_parent(self) -> None:
        """Begin anew in a forked child."""
        ...


_watched: list[weakref.ref[Flushable]] = []
_registered: list[bool] = []


def watch(writer: Flushable) -> None:
    """Flush this writer at exit and renew it in forked children, as long as it lives."""
    _watched.append(weakref.ref(writer, _watched.remove))
    if not _registered:
        _registered.append(True)
        atexit.register(_flush_all)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_forget_parents)


def flush_at_child_exit(writer: Flushable) -> None:
    """Multiprocessing ends its children without `atexit`; it runs finalizers of its own."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(writer, _flush, args=(weakref.ref(writer),), exitpriority=0)


def _writers() -> list[Flushable]:
    return [writer for known in list(_watched) if (writer := known()) is not None]


def _flush(known: weakref.ref[Flushable]) -> None:
    writer = known()
    if writer is not None:
        writer.flush()


def _flush_all() -> None:
    for writer in _writers():
        writer.flush()


def _forget_parents() -> None:
    for writer in _writers():
        writer.forget_parent()
