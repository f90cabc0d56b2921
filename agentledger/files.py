"""Small files and folders of the data home: for the owner alone, replaced whole or added to."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentledger.errors import AgentLedgerError


def make_private_folder(path: Path) -> None:
    """Create a folder of the data home, for its owner alone, unless it is there.

    Raises:
        AgentLedgerError: When it cannot be made; says which, and what names another.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise AgentLedgerError(
            f"Cannot create the folder {path}: {error.strerror or error}. Mend that, or set "
            "AGENTLEDGER_HOME to another folder."
        ) from error


def replace_text(path: Path, text: str) -> None:
    """Write a file of this data home anew: complete, on disk, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Add a record as a line of JSON to a file of this data home that only grows.

    It is on disk when this returns.

    Raises:
        OSError: When the file took only a part of the line.
    """
    line = json.dumps(record, ensure_ascii=True).encode("ascii") + b"\n"
    make_private_folder(path.parent.parent)
    make_private_folder(path.parent)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        # One write, so that two lines at the same time do not mix.
        if os.write(descriptor, line) != len(line):
            raise OSError(f"{path} took a part of a line: is the disk full?")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Make renames in a folder survive a power cut, where the platform can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
