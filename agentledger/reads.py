"""The log of what is asked of this ledger: `reads/reads-YYYY-MM.jsonl` in the data home.

Belongs here: one line per question, written by whoever answers it, with what was asked for, how
long it took and whether it was answered. Does not belong here: answering (`query/`), reading the
log back (`ingest/`, like any other source).

The caller's words never get in: a question is named by the code that answers it, and a subject by
`note_subject`, which is called once the name was found in the snapshot. Only the outermost question
counts: a command that asks three functions has asked once. Writing costs well under a millisecond
and never costs an answer: what goes wrong is told by `recording_problem`, which `status` shows.

`[usage] record_reads = false` in config.toml switches it off.
"""

import contextlib
import functools
import json
import os
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar

from agentledger.settings import Settings, load_settings

P = ParamSpec("P")
R = TypeVar("R")

Surface = Literal["cli", "python", "mcp", "dashboard"]
SubjectKind = Literal["skill", "agent", "workflow", "verb"]

SWITCH: Final = b"record_reads"

_surface: ContextVar[Surface] = ContextVar("surface", default="python")


@dataclass(slots=True)
class _Question:
    """A question that is being answered."""

    name: str
    subject_kind: SubjectKind | None = None
    subject_name: str | None = None


_current: ContextVar[_Question | None] = ContextVar("question", default=None)


@contextlib.contextmanager
def asked_through(surface: Surface) -> Iterator[None]:
    """Say through which face the body asks; 'python' unless it is said."""
    token = _surface.set(surface)
    try:
        yield
    finally:
        _surface.reset(token)


def note_subject(kind: SubjectKind, name: str | None = None) -> None:
    """Say what the question is about; without a question going on, nothing happens.

    Args:
        kind: Of what sort the subject is; may be told before the name was looked up.
        name: Its name **as it stands in the snapshot**; never what a caller typed.
    """
    question = _current.get()
    if question is not None:
        question.subject_kind, question.subject_name = kind, name


@contextlib.contextmanager
def asked(name: str, settings: Settings | None = None) -> Iterator[None]:
    """Record the question that the body answers, unless one around it is recorded already.

    Args:
        name: A constant such as 'skills top'.
        settings: Names the data home; read from the environment by default.
    """
    if _current.get() is not None:
        yield
        return
    question = _Question(name)
    token = _current.set(question)
    started, succeeded = time.perf_counter(), False
    try:
        yield
        succeeded = True
    except BrokenPipeError:
        succeeded = True  # whoever reads the answer has seen enough of it
        raise
    finally:
        _current.reset(token)
        _write(question, (time.perf_counter() - started) * 1000, succeeded, settings)


def recorded(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function of `query` that takes `settings=`: each call of it is a question."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **options: P.kwargs) -> R:
            settings = options.get("settings")
            with asked(name, settings if isinstance(settings, Settings) else None):
                return function(*args, **options)

        wrapper.question = name  # type: ignore[attr-defined]
        return wrapper

    return decorate


def recording_problem(settings: Settings) -> str | None:
    """Why questions are not recorded although they should be; None when all is well."""
    folder = settings.reads_dir
    if not settings.home.is_dir() or not _is_switched_on(settings):
        return None
    nearest = folder if folder.exists() else settings.home
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return f"What is asked of this ledger is not recorded: {nearest} cannot be written to."
    path = _path(settings, datetime.now(UTC))
    if path.exists() and not os.access(path, os.W_OK):
        return f"What is asked of this ledger is not recorded: {path} cannot be written to."
    return None


def _write(
    question: _Question, duration_ms: float, succeeded: bool, settings: Settings | None
) -> None:
    """Append the line; a failure is noted and goes no further."""
    try:
        settings = load_settings() if settings is None else settings
        # A reader makes no data home: that is for whoever registers or runs.
        if settings.home.is_dir() and _is_switched_on(settings):
            now = datetime.now(UTC)
            _append(_path(settings, now), _line(question, duration_ms, succeeded, now))
    except OSError as error:
        import logging  # here: a reader that starts anew for each question pays for every import

        # At debug level: a reader's standard error is for the answer.
        logging.getLogger(__name__).debug("question %r not recorded: %s", question.name, error)


def _line(question: _Question, duration_ms: float, succeeded: bool, now: datetime) -> bytes:
    record: dict[str, Any] = {
        "event_id": os.urandom(16).hex(),
        "ts": now.isoformat().replace("+00:00", "Z"),
        "surface": _surface.get(),
        "question": question.name,
        "subject_kind": question.subject_kind,
        "subject_name": question.subject_name,
        "duration_ms": round(duration_ms, 3),
        "succeeded": succeeded,
    }
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def _append(path: Path, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    try:
        # One write, so that lines of processes that ask at the same time do not mix.
        if os.write(descriptor, line) != len(line):
            os.write(descriptor, b"\n")
            raise OSError(f"{path} took a part of a line: is the disk full?")
    finally:
        os.close(descriptor)


def _path(settings: Settings, now: datetime) -> Path:
    return settings.reads_dir / f"reads-{now:%Y-%m}.jsonl"


def _is_switched_on(settings: Settings) -> bool:
    """The owner's choice; when it cannot be read, nothing is recorded."""
    try:
        written = settings.config_path.read_bytes()
    except FileNotFoundError:
        return True
    # Parsing takes longer than everything else here: only where somebody wrote about it.
    return SWITCH not in written or _choice(written)


@functools.lru_cache(maxsize=4)
def _choice(written: bytes) -> bool:
    import tomllib

    try:
        usage = tomllib.loads(written.decode("utf-8-sig")).get("usage", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False
    return isinstance(usage, dict) and usage.get("record_reads", True) is True
