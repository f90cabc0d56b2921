"""One spool file at a time: append whole lines, rotate, never mend what is written.

Belongs here: names, modes and rotation of spool files, and what a write that fails half-way leaves.
Does not belong here: queues, threads, counting (`writer.py`), what a line says.

A file is written by one process only, so lines of two processes never mix and no lock is needed.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)


class SpoolFile:
    """The current file of one kind of event in this process."""

    def __init__(self, folder: Path, kind: str, *, rotate_bytes: int, fsync: bool) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", kind):
            raise ValueError("A kind of event is lower-case letters, digits and underscores.")
        self._folder = folder
        self._kind = kind
        self._rotate_bytes = rotate_bytes
        self._fsync = fsync
        self._descriptor = -1
        self._size = 0

    def append(self, lines: Sequence[bytes]) -> tuple[int, OSError | None]:
        """Append lines, each ending in a newline, through as few writes as the size limit allows.

        Returns:
            How many lines are in the file as a whole, and the error that stopped the rest.
        """
        done = 0
        try:
            while done < len(lines):
                self._make_room(len(lines[done]))
                chunk, size = [lines[done]], self._size + len(lines[done])
                for line in lines[done + 1 :]:
                    size += len(line)
                    if size > self._rotate_bytes:
                        break
                    chunk.append(line)
                whole, error = self._write(b"".join(chunk))
                done += whole
                if error is not None:
                    return done, error
            if self._fsync:
                os.fsync(self._descriptor)
        except OSError as error:
            return done, error
        return done, None

    def close(self) -> None:
        """Give the descriptor back; the next append starts a new file."""
        descriptor, self._descriptor, self._size = self._descriptor, -1, 0
        if descriptor >= 0:
            os.close(descriptor)

    def _make_room(self, n_bytes: int) -> None:
        """Have an open file with room for a line; a file that someone deleted is replaced."""
        if self._descriptor >= 0:
            full = self._size > 0 and self._size + n_bytes > self._rotate_bytes
            if full or os.fstat(self._descriptor).st_nlink == 0:
                if self._fsync:
                    os.fsync(self._descriptor)
                self.close()
        if self._descriptor < 0:
            self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            name = f"{self._kind}-{_host()}-{os.getpid()}-{os.urandom(6).hex()}.jsonl"
            self._descriptor = os.open(self._folder / name, _FLAGS, 0o600)

    def _write(self, data: bytes) -> tuple[int, OSError | None]:
        """Write bytes; after a torn line this file is left for good, so it has only that one."""
        view, sent, failure = memoryview(data), 0, None
        try:
            while sent < len(data):
                sent += os.write(self._descriptor, view[sent:])
        except OSError as error:
            failure = error
        self._size += sent
        if sent and data[sent - 1 : sent] != b"\n":
            self.close()
        return data.count(b"\n", 0, sent), failure


def _host() -> str:
    """Name of this machine as part of a file name: two machines may share one spool."""
    name = os.uname().nodename if hasattr(os, "uname") else "host"
    return re.sub(r"[^A-Za-z0-9]+", "_", name)[:32] or "host"
