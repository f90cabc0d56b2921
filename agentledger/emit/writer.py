"""Take events from any thread and write them later, on one thread of our own.

Belongs here: the bounded queue, its counters, the background thread, fork and exit. Does not belong
here: files (`spool.py`), what an event says (`columns.py`).

Nothing here raises into the host: what goes wrong is counted, and `stats()` tells it.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from agentledger.emit import lifecycle
from agentledger.emit.jobs import Job, PlainJob, to_line
from agentledger.emit.spool import SpoolFile
from agentledger.errors import AgentLedgerError

QUEUE_EVENTS = 10_000
"""Events that may wait: about ten seconds of a host that emits a thousand per second."""

QUEUE_CHARACTERS = 16_000_000
"""Text that may wait for its hash: bounds the memory when utterances are pasted documents."""

_LARGE_CHARACTERS = 1_000
"""Shorter texts are not counted: a full queue of them holds 10 million characters at most."""

ROTATE_BYTES = 64 * 1024 * 1024
"""A spool file is closed before it grows beyond this, so that old ones can be removed."""

LINGER_SECONDS = 0.02
"""The thread waits this long for more events before it writes: one write for many events."""

EXIT_WAIT_SECONDS = 5.0
"""The longest that a program's exit waits for a write that is under way (a hanging disk)."""

_BATCH_EVENTS = 256


class WriterStats(TypedDict):
    """What became of the events of this process; a forked child counts from zero."""

    queued: int
    """Accepted and not yet written."""
    written: int
    """Handed to the operating system: the death of this process does not lose them."""
    dropped: int
    """Lost without a fault of the event: the queue was full, the writer closed, or the spool could
    not be written (a full disk, a read-only or unusable home)."""
    failed: int
    """Lost because the event itself could not become a line."""
    last_error: str | None
    """Class name of the last error."""


class EventWriter:
    """Append events to `<home>/spool/<kind>-<host>-<pid>-<random>.jsonl` without blocking.

    Args:
        home: Data home; None counts each event as dropped.
        queue_events: Events that may wait before further ones are dropped.
        rotate_bytes: Size at which a new file is begun.
        linger_seconds: How long the thread gathers events before it writes.
        fsync: Wait for the disk after each batch (on our thread): survives a power cut as well.
    """

    def __init__(
        self,
        home: Path | str | None,
        *,
        queue_events: int = QUEUE_EVENTS,
        rotate_bytes: int = ROTATE_BYTES,
        linger_seconds: float = LINGER_SECONDS,
        fsync: bool = False,
    ) -> None:
        self._home = None if home is None else Path(home).absolute()
        self._queue_events = queue_events
        self._rotate_bytes = rotate_bytes
        self._linger_seconds = linger_seconds
        self._fsync = fsync
        self._key: bytes | None = None
        self._closed = False
        self._files: dict[str, SpoolFile] = {}
        self._reset()
        lifecycle.watch(self)

    def write(self, kind: str, event: Mapping[str, Any]) -> bool:
        """Queue an event whose fields are final and hold no private text.

        Returns:
            False when it was dropped or is no mapping.
        """
        try:
            job = PlainJob(kind, dict(event))
        except Exception as error:
            self.reject(error)
            return False
        return self.submit(job)

    def submit(self, job: Job) -> bool:
        """Queue a job; False when it was dropped.

        Without a lock: one thread that holds it and loses the interpreter would make all others
        wait in turn. Of n threads that meet a queue with one free place, all n may pass.
        """
        large = job.size > _LARGE_CHARACTERS
        if (
            self._closed
            or len(self._queue) >= self._queue_events
            or (large and not self._fits(job))
        ):
            with self._lock:
                self._refused += 1
            job.settle(False)
            return False
        self._queue.append(job)
        if self._thread is None:
            self._start()
        if not self._wake.is_set():
            self._wake.set()
        if len(self._queue) * 2 > self._queue_events:
            self._hurry.set()
        return True

    def flush(self, timeout_seconds: float = EXIT_WAIT_SECONDS) -> bool:
        """Write what waits, on the caller's thread.

        Returns:
            False when another write was still under way at the end of the time.
        """
        deadline = time.monotonic() + timeout_seconds
        self._hurry.set()
        if not self._writing.acquire(timeout=max(timeout_seconds, 0)):
            return False
        try:
            self._drain(deadline)
        finally:
            self._writing.release()
        return not self._queue

    def close(self) -> None:
        """Write what waits and stop; later events are dropped and counted."""
        self._closed = True
        if self.flush():
            for file in self._files.values():
                file.close()
            self._files.clear()
        self._wake.set()

    def stats(self) -> WriterStats:
        """Counters of this process since the writer was made or the process forked."""
        with self._lock:
            return {
                "queued": len(self._queue) + self._in_hand,
                "written": self._written,
                "dropped": self._refused + self._unwritable,
                "failed": self._failed,
                "last_error": self._last_error,
            }

    def reject(self, error: Exception) -> None:
        """Count an event that could not even be queued."""
        with self._lock:
            self._failed += 1
        self.note(error)

    def note(self, error: BaseException) -> None:
        """Remember the class of an error; never its message, which may quote private text."""
        self._last_error = type(error).__name__

    def forget_parent(self) -> None:
        """Begin anew in a forked child: the parent writes what it queued, into its own file."""
        for file in self._files.values():
            try:
                file.close()
            except OSError as error:
                self.note(error)
        self._files = {}
        self._reset()

    def _reset(self) -> None:
        self._queue: deque[Job] = deque()
        # Reentrant: a signal handler or a destructor may emit while this thread holds it.
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._in_hand = self._written = self._failed = self._refused = self._unwritable = 0
        self._characters = 0
        self._last_error: str | None = None

    def _fits(self, job: Job) -> bool:
        """Reserve room for a large text."""
        with self._lock:
            fits = self._characters + job.size <= QUEUE_CHARACTERS
            self._characters += job.size if fits else 0
        return fits

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="agentledger-emit", daemon=True)
            self._thread = thread
        try:
            thread.start()
        except RuntimeError as error:  # no more threads: flush() and exit still write
            self.note(error)
            self._thread = None
            return
        lifecycle.flush_at_child_exit(self)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait()
            self._hurry.wait(self._linger_seconds)
            self._hurry.clear()
            self._wake.clear()  # before draining: an event that comes now wakes us again
            try:
                with self._writing:
                    self._drain(None)
            except Exception as error:  # a defect in a job must not end the thread
                self.note(error)

    def _drain(self, deadline: float | None) -> None:
        while self._queue and (deadline is None or time.monotonic() < deadline):
            with self._lock:
                jobs = [self._queue.popleft() for _ in range(min(_BATCH_EVENTS, len(self._queue)))]
                self._in_hand += len(jobs)
                self._characters -= sum(job.size for job in jobs if job.size > _LARGE_CHARACTERS)
            batches: dict[str, list[tuple[Job, bytes]]] = {}
            for index, job in enumerate(jobs):
                if deadline is None and index % 2 and not self._hurry.is_set():
                    time.sleep(0)  # our thread offers the interpreter to the host now and then
                try:
                    line = to_line(job.render(self._hash_text))
                    batches.setdefault(job.kind, []).append((job, line))
                except Exception as error:
                    self._settle([job], 0, error)
            for kind, batch in batches.items():
                self._append(kind, batch)

    def _append(self, kind: str, batch: list[tuple[Job, bytes]]) -> None:
        n_written, failure = 0, None
        try:
            n_written, failure = self._file(kind).append([line for _, line in batch])
        except Exception as error:
            failure = error
        self._settle([job for job, _ in batch], n_written, failure)

    def _settle(self, jobs: list[Job], n_written: int, failure: Exception | None) -> None:
        """Count first, then tell the jobs: the first `n_written` of them are in the file."""
        n_lost = len(jobs) - n_written
        with self._lock:
            self._in_hand -= len(jobs)
            self._written += n_written
            if isinstance(failure, (OSError, AgentLedgerError)):  # the disk or the data home
                self._unwritable += n_lost
            else:
                self._failed += n_lost
        if failure is not None:
            self.note(failure)
        for index, job in enumerate(jobs):
            job.settle(index < n_written)

    def _file(self, kind: str) -> SpoolFile:
        if kind not in self._files:
            folder = self._known_home() / "spool"
            self._files[kind] = SpoolFile(
                folder, kind, rotate_bytes=self._rotate_bytes, fsync=self._fsync
            )
        return self._files[kind]

    def _known_home(self) -> Path:
        if self._home is None:
            raise FileNotFoundError("no data home")
        return self._home

    def _hash_text(self, text: str) -> str:
        # Not at import: the first event loads them, and a host that never emits never pays.
        from agentledger import privacy
        from agentledger.settings import Settings

        if self._key is None:
            settings = Settings(home=self._known_home(), host_zone="UTC")
            self._key = privacy.load_or_create_key(settings)
        return privacy.keyed_hash(self._key, privacy.normalise_text(text))


def shared_writer(home: Path | str | None) -> EventWriter:
    """The writer of this process for a data home: one thread, and one file per kind of event."""
    name = None if home is None else str(Path(home).absolute())
    writer = _shared.get(name)
    if writer is None:
        # One of two threads wins; the loser's writer has no thread and no file yet.
        writer = _shared.setdefault(name, EventWriter(name))
    return writer


_shared: dict[str | None, EventWriter] = {}
