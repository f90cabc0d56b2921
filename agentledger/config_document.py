"""Changing `config.toml` without harm to what a person wrote there.

Belongs here: the lock, the document that keeps comments and order, the swap of the file, the tables
in it. Does not belong here: what the entries mean (`config.py`), which of them to change
(`registry.py`).
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentledger import config, files
from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings

if TYPE_CHECKING:
    import tomlkit

CONFIG_LOCK_WAIT_SECONDS = 10.0
"""Edits take milliseconds; whoever holds the lock longer is stuck."""

HEADER = """\
# AgentLedger reads only what is listed here. Edit freely: comments and order are kept.
# [[projects]] path, name, type, zone      [[sources]] kind, location, zone, projects, mapping
# content = "vault"        in an entry keeps its prompts and answers, in vault.duckdb alone
# [[prices]]   model, input, output, cache_read, … in USD per million tokens, valid_from, valid_to
# [[renames]]  from, to: folders of past sessions that have another path by now
# retention_days = 90      removes records older than that with each run; without it all is kept
"""


@contextlib.contextmanager
def editing(settings: Settings) -> Iterator["tomlkit.TOMLDocument"]:
    """Hold the lock, hand out the document, and swap in the changed file."""
    import filelock
    import tomlkit
    from tomlkit.exceptions import ParseError

    path = settings.config_path
    files.make_private_folder(settings.home)
    lock = filelock.FileLock(str(path) + ".lock", timeout=CONFIG_LOCK_WAIT_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise AgentLedgerError(f"Another process is editing {path}. Try again.") from error
    try:
        try:
            before = path.read_text(encoding="utf-8-sig") if path.exists() else HEADER
            document = tomlkit.parse(before)
        except (ParseError, UnicodeDecodeError, OSError) as error:
            raise AgentLedgerError(config.damaged(path, error)) from error
        yield document
        after = tomlkit.dumps(document)
        if after != before or not path.exists():
            _check_readable(after, path)
            files.replace_text(path, after)
    finally:
        lock.release()


def _check_readable(text: str, path: Path) -> None:
    """Never swap in what could not be read again, whatever the editing library made of it."""
    import tomllib

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AgentLedgerError(
            f"The change to {path} could not be written safely ({error}); nothing was changed. "
            "Write `projects` and `sources` as [[projects]] and [[sources]] tables, then try again."
        ) from error


def tables(document: "tomlkit.TOMLDocument", name: str) -> Any:
    """The tables of a name; what a person wrote as an empty list becomes a list of tables."""
    import tomlkit
    from tomlkit.items import AoT

    if name in document and not document[name]:
        del document[name]
    if name not in document:
        document[name] = tomlkit.aot()
    if not isinstance(document[name], AoT):
        raise AgentLedgerError(f"`{name}` in config.toml must be written as [[{name}]] tables.")
    return document[name]


def delete_table(document: "tomlkit.TOMLDocument", name: str, position: int) -> None:
    """Take an entry out; with the last one the name goes, for an empty list cannot grow tables."""
    # Tables or a list of inline tables: both are lists, which is all that matters here.
    entries: Any = document[name]
    del entries[position]
    if not entries:
        del document[name]
