"""Prove which source files were opened, by whatever process and library.

Belongs here: inotify, which reports opens below Python, DuckDB's own included. Does not belong
here: judging what was found. On other systems than Linux there is no proof, and none is claimed.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

IN_OPEN = 0x00000020
IN_ISDIR = 0x40000000
IN_Q_OVERFLOW = 0x00004000
IN_NONBLOCK = 0o4000
_EVENT = struct.Struct("iIII")
BUFFER_BYTES = 1 << 20


class OpenWatch:
    """Watches folders from its creation on; `opened` takes what happened since."""

    def __init__(self, folders: Iterable[Path]) -> None:
        """Begin to watch.

        Raises:
            OSError: When the system refuses more watches.
        """
        self.is_available = sys.platform.startswith("linux")
        self._folders: dict[int, Path] = {}
        if not self.is_available:
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(IN_NONBLOCK)
        for folder in folders:
            watch = libc.inotify_add_watch(self._descriptor, os.fsencode(folder), IN_OPEN)
            if watch < 0:
                raise OSError(ctypes.get_errno(), f"cannot watch {folder}")
            self._folders[watch] = folder

    def opened(self) -> list[Path] | None:
        """Files opened since the watch began; None when this system cannot tell."""
        if not self.is_available:
            return None
        found: list[Path] = []
        while True:
            try:
                data = os.read(self._descriptor, BUFFER_BYTES)
            except BlockingIOError:
                break
            found += self._parse(data)
        os.close(self._descriptor)
        return found

    def _parse(self, data: bytes) -> list[Path]:
        found, position = [], 0
        while position < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, position)
            position += _EVENT.size
            name = data[position : position + length].rstrip(b"\0")
            position += length
            if mask & IN_Q_OVERFLOW:
                raise OSError("more opens than the system remembers")
            if name and not mask & IN_ISDIR:  # listing a folder opens the folder, not a file
                found.append(self._folders[watch] / os.fsdecode(name))
        return found
