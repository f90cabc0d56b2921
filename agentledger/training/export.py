"""Make a data set for fine-tuning: two files of examples and a card.

Belongs here: the order of the steps, why an example is left out, files that appear whole or not at
all. Does not belong here: the steps (the other modules of this package), printing
(`cli/training.py`).

The same ledger and the same options give the same bytes: nothing here reads a clock.
"""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

from agentledger.errors import AgentLedgerError, UsageError
from agentledger.reads import recorded
from agentledger.settings import Settings, load_settings
from agentledger.training import candidates, card, recorded_calls, transcript_candidates
from agentledger.training.candidates import Call, Filters, Given
from agentledger.training.conversation import Conversation, UnreadableError, read_parts
from agentledger.training.formats import FORMATS, NotInFormatError
from agentledger.training.masking import is_clean, mask_conversation
from agentledger.training.people import read_names
from agentledger.training.split import SIDES, Seen, Side, side_of

if TYPE_CHECKING:
    import duckdb

    from agentledger.vault_texts import Texts

_READERS: Final = (
    candidates.telemetry_calls,
    transcript_candidates.claude_code_calls,
    transcript_candidates.codex_calls,
    recorded_calls.recorded_calls,
)
"""What gives calls, in the order in which a data set has them."""

SHOWN_POSITIONS = 5
"""Places of each kind of mask that the card names."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a data set is to be."""

    format: str
    out: Path
    project: str | None = None
    since: str | None = None
    min_tokens: int = 0
    min_response_chars: int = 0
    only_completed: bool = False
    include_open_turns: bool = False
    with_thoughts: bool = False
    validation_share: float = 0.1
    split_by: Literal["session", "project"] = "session"
    names: Path | None = None
    """File with names of people to mask, one a line."""

    @property
    def paths(self) -> dict[str, Path]:
        """Where each part of the data set goes."""
        stem = self.out.with_suffix("") if self.out.suffix == ".jsonl" else self.out
        return {
            "train": self.out,
            "validation": stem.with_name(f"{stem.name}.validation.jsonl"),
            "card": stem.with_name(f"{stem.name}.card.json"),
            "card_text": stem.with_name(f"{stem.name}.card.md"),
        }


@dataclass(slots=True)
class Tally:
    """What became of the calls."""

    considered: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    positions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sessions: dict[str, set[str]] = field(default_factory=lambda: {side: set() for side in SIDES})
    projects: dict[str, set[str]] = field(default_factory=lambda: {side: set() for side in SIDES})

    def note_masks(self, side: str, line: int, found: Sequence[Counter[str]]) -> None:
        """Count what was masked in one example; of the places, the first ones stay."""
        for number, kinds in enumerate(found):
            self.masked.update(kinds)
            for kind in kinds:
                places = self.positions.setdefault(kind, [])
                if len(places) < SHOWN_POSITIONS:
                    where = "system" if number == 0 else number
                    places.append({"split": side, "line": line, "message": where})


@dataclass(slots=True)
class _Exporter:
    """One export on its way."""

    options: Options
    filters: Filters
    connection: "duckdb.DuckDBPyConnection"
    texts: "Texts"
    key: bytes
    names: frozenset[str]
    """Names of people that the owner lists."""
    tally: Tally = field(default_factory=Tally)

    def write(self, side: Side, seen: Seen, stream: BinaryIO) -> str:
        """Write the examples of one side; returns the SHA-256 of the file."""
        digest = sha256()

        def wants(session: str, project_id: str) -> bool:
            return self._side(session, project_id) == side

        for calls in _READERS:
            for call, given in calls(self.connection, self.filters, self.texts, wants):
                self.tally.considered += 1
                found = self._example(call, given)
                reason = found if isinstance(found, str) else self._take(call, side, seen, found)
                if isinstance(reason, bytes):
                    stream.write(reason)
                    digest.update(reason)
                else:
                    self.tally.dropped[reason] += 1
        return digest.hexdigest()

    def _side(self, session: str, project_id: str) -> Side:
        unit = session if self.options.split_by == "session" else project_id
        return side_of(self.key, unit, self.options.validation_share)

    def _example(self, call: Call, given: Given) -> Conversation | str:
        """The conversation of a call, or why it is left out."""
        if given is None:
            is_allowed = call.source_id in self.texts.source_ids
            return "not_in_vault" if is_allowed else "no_consent"
        reason = call.dropped_as(self.filters)
        if reason is not None:
            return reason
        if isinstance(given, str):
            return given
        if len(given.answer) < self.filters.min_response_chars:
            return "short_response"
        if not given.answer and not given.calls:
            return "no_response"
        try:
            return read_parts(given, with_thoughts=self.options.with_thoughts)
        except UnreadableError:
            return "unreadable"

    def _take(self, call: Call, side: Side, seen: Seen, given: Conversation) -> bytes | str:
        """The line of an example, or why it is left out."""
        conversation, masked = mask_conversation(given, self.names)
        if not is_clean(conversation, self.names):
            return "secret"
        try:
            line = FORMATS[self.options.format](conversation)
        except NotInFormatError:
            return "not_in_format"
        # Asked before it is remembered: what is left out must not make its double a duplicate.
        if side == "validation" and seen.leaks(conversation):
            return "said_in_training"
        if not seen.is_new(conversation):
            return "duplicate"
        if side == "train":
            seen.trains(conversation)
        tally = self.tally
        tally.kept[side] += 1
        tally.note_masks(side, tally.kept[side], masked)
        tally.sessions[side].add(call.session)
        tally.projects[side].add(call.project_id)
        return (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace")


@recorded("export training")
def export_training(
    options: Options,
    *,
    on_wait: Callable[[], None] | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Write a data set and its card.

    Args:
        options: What it is to be.
        on_wait: Called once when another run holds the warehouse.
        settings: Names the data home; read from the environment by default.

    Returns:
        The card.

    Raises:
        UsageError: When there is no vault, or an option cannot be meant.
        AgentLedgerError: When there is no warehouse, or a file cannot be written.
        RunLockedError: When another run does not end.
    """
    from agentledger import privacy, vault, vault_texts, warehouse
    from agentledger.ingest.scan_roots import sources_with_texts

    settings = load_settings() if settings is None else settings
    _check(options)
    names = read_names(options.names)
    if not vault.has_vault(settings):
        raise UsageError(vault_texts.NO_VAULT)
    if not settings.warehouse_path.exists():
        raise AgentLedgerError(
            f"There is no warehouse in {settings.home} yet. Type `agentledger run`."
        )
    privacy.require_key(settings)
    key = privacy.load_or_create_key(settings)
    sources = sources_with_texts(settings)
    with (
        warehouse.hold_run_lock(settings, on_wait=on_wait),
        warehouse.open_warehouse(settings, read_only=True) as connection,
        vault_texts.opened(settings, sources) as texts,
        _drafts(options.paths) as drafts,
    ):
        as_of = candidates.as_of(connection)
        filters = _filters(options, connection, as_of)
        exporter = _Exporter(options, filters, connection, texts, key, names)
        seen = Seen(key)
        hashes = {side: exporter.write(side, seen, drafts[side]) for side in SIDES}
        told = card.describe(
            options, filters, exporter.tally, hashes,
            as_of=as_of, sources=len(sources), names=len(names),
        )  # fmt: skip
        drafts["card"].write(card.as_json(told).encode())
        drafts["card_text"].write(card.as_markdown(told).encode())
    return told


def _check(options: Options) -> None:
    if options.format not in FORMATS:
        raise UsageError(f"Unknown format {options.format!r}. Known: {', '.join(sorted(FORMATS))}.")
    if not 0 <= options.validation_share < 1:
        raise UsageError("--validation-share must be at least 0 and below 1, such as 0.1.")
    if options.split_by not in ("session", "project"):
        raise UsageError(f"Unknown --split-by {options.split_by!r}. Known: session, project.")
    if options.min_tokens < 0 or options.min_response_chars < 0:
        raise UsageError("A minimum cannot be below 0.")
    if not options.out.parent.is_dir():
        raise UsageError(f"There is no folder {options.out.parent}. Make it, then try again.")
    taken = next((path for path in options.paths.values() if path.is_dir()), None)
    if taken is not None:
        raise UsageError(f"{taken} is a folder. Give the name of a file.")


def _filters(options: Options, connection: "duckdb.DuckDBPyConnection", as_of: Any) -> Filters:
    from datetime import UTC, datetime, time

    from agentledger.query import periods

    since = None
    if options.since is not None:
        first = periods.parse_period(as_of, "daily", since=options.since).since
        since = first and datetime.combine(first, time(), UTC)
    named = options.project
    return Filters(
        project_id=None if named is None else candidates.project_id(connection, named),
        since=since,
        min_tokens=options.min_tokens,
        min_response_chars=options.min_response_chars,
        only_completed=options.only_completed,
        include_open_turns=options.include_open_turns,
    )


@contextlib.contextmanager
def _drafts(paths: dict[str, Path]) -> Iterator[dict[str, BinaryIO]]:
    """Hand out drafts, mode 0600, that take their places together; the card comes last.

    Raises:
        AgentLedgerError: When a file cannot be written.
    """
    drafts = {name: path.with_name(f".{path.name}.draft") for name, path in paths.items()}
    try:
        with contextlib.ExitStack() as stack:
            streams = {name: stack.enter_context(_create(draft)) for name, draft in drafts.items()}
            yield streams
            for stream in streams.values():
                stream.flush()
                os.fsync(stream.fileno())
        # An older card would tell of other files: it goes before they come.
        for name in ("card", "card_text"):
            paths[name].unlink(missing_ok=True)
        for name, draft in drafts.items():
            draft.replace(paths[name])
    except OSError as error:
        raise AgentLedgerError(
            f"Cannot write {error.filename or paths['train']}: {error.strerror or error}."
        ) from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _create(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
