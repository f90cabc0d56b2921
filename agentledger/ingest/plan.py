"""Decide which source files to read; open none of them.

Belongs here: comparing what a scan found with what the ledger of files remembers, cutting the work
into batches, and the question whether a run has anything to do at all. Does not belong here:
listing (`scan.py`), reading (`stage.py`), writing (`load.py`).
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import duckdb

from agentledger import fingerprints, privacy, purge, registry, retention, vault, warehouse
from agentledger.ingest import model_prices, postgres_state, scan
from agentledger.ingest.scan import FoundFile
from agentledger.ingest.scan_roots import ScanRoot, scan_roots
from agentledger.instants import floor_to_step
from agentledger.settings import Settings

BATCH_BYTES = 256 * 1024 * 1024
"""Source bytes of one transaction: about ten large files, under 1 GB of memory while they load."""

BATCH_FILES = 400
"""Files of one transaction: the cost of a transaction is spread over many small files."""

IDLE_AFTER_SECONDS = 3600
"""A last line without an end may still be finished; after an hour its writer is gone."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the ledger remembers of a file."""

    file_id: int
    size_bytes: int | None
    modified_ns: int | None
    changed_ns: int | None
    inode: str | None
    state: str
    has_rows: bool
    format: str | None = None
    byte_offset: int | None = None
    line_count: int | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """One file to read."""

    file: FoundFile
    file_id: int | None
    """Number of the logical file in the ledger; None when it is new."""
    has_rows: bool = False
    """Whether raw rows of this file may exist, so that known records must be recognised."""
    format: str | None = None
    """What the file was at its last load."""
    byte_offset: int | None = None
    """How far it was read then, if it is a log that only grows."""
    line_count: int | None = None
    fingerprint: str | None = None
    """What it looked like then, up to `byte_offset`."""
    is_remapped: bool = False
    """Whether its rows come from another mapping than the one it has now."""
    is_idle: bool = False
    """Nobody has written to it for so long that an unfinished last line stays as it is."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read, and how many files are as they were."""

    loads: tuple[Load, ...]
    unchanged: tuple[FoundFile, ...]


@dataclass(frozen=True, slots=True)
class NewWork:
    """Whether a run has anything to do, and why."""

    reasons: list[str] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """True when a run is needed."""
        return bool(self.reasons)


def plan_loads(
    found: Iterable[FoundFile],
    known: Mapping[tuple[str, str], KnownFile],
    *,
    retry_unreadable: bool = True,
    as_of: datetime | None = None,
) -> Plan:
    """Choose the files whose size, times or inode differ from what the ledger remembers.

    The change time is compared too: a file that was rewritten with the same length and had its
    modification time set back is still seen.

    Args:
        found: Files of one scan.
        known: Ledger by (source id, path).
        retry_unreadable: Try a file again that could not be opened, although it looks as it did:
            what stood in the way may lie outside it. No reason for a run by itself, though.
        as_of: Instant of the run: says which unfinished last lines nobody will finish.
    """
    loads, unchanged = [], []
    for file in found:
        before = known.get((file.root.source_id, file.ledger_path))
        is_idle = _is_idle(file, as_of)
        if before is None:
            loads.append(Load(file, None, is_idle=is_idle))
        elif _is_settled(file, before, retry_unreadable, is_idle):
            unchanged.append(file)
        else:
            loads.append(_load_again(file, before, is_idle))
    return Plan(tuple(loads), tuple(unchanged))


def _load_again(file: FoundFile, before: KnownFile, is_idle: bool) -> Load:
    if _is_remapped(file, before):  # from its start, and nothing of it is known
        return Load(file, before.file_id, has_rows=False, is_remapped=True, is_idle=is_idle)
    return Load(
        file,
        before.file_id,
        has_rows=before.has_rows,
        format=before.format,
        byte_offset=before.byte_offset,
        line_count=before.line_count,
        fingerprint=before.fingerprint,
        is_idle=is_idle,
    )


def _is_idle(file: FoundFile, as_of: datetime | None) -> bool:
    return as_of is not None and (file.modified_ns / 1e9 < as_of.timestamp() - IDLE_AFTER_SECONDS)


def _is_settled(file: FoundFile, before: KnownFile, retry_unreadable: bool, is_idle: bool) -> bool:
    """Whether nothing new can be learnt from a file."""
    if _is_remapped(file, before):
        return False
    if retry_unreadable and before.state == "unreadable":
        return False
    if before.state == "pending" and is_idle:
        return False
    return _is_as_remembered(file, before)


def _is_remapped(file: FoundFile, before: KnownFile) -> bool:
    mapping = file.root.mapping
    return mapping is not None and before.format != mapping.format_name


def cut_batches(
    loads: Iterable[Load], max_bytes: int = BATCH_BYTES, max_files: int = BATCH_FILES
) -> list[list[Load]]:
    """Group loads of one reader into transactions of bounded size; a huge file stands alone."""
    batches: list[list[Load]] = []
    size = 0
    for load in sorted(loads, key=lambda item: item.file.reader, reverse=True):
        bytes_of_file = load.file.size_bytes - (load.byte_offset or 0)
        is_full = not batches or size + bytes_of_file > max_bytes or len(batches[-1]) >= max_files
        if is_full or batches[-1][-1].file.reader != load.file.reader:
            batches.append([])
            size = 0
        batches[-1].append(load)
        size += bytes_of_file
    return batches


def _is_as_remembered(file: FoundFile, before: KnownFile) -> bool:
    return before.state != "changing" and (
        file.size_bytes,
        file.modified_ns,
        file.changed_ns,
        file.inode,
    ) == (before.size_bytes, before.modified_ns, before.changed_ns, before.inode)


def read_ledger(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], KnownFile]:
    """Read what the ledger remembers of every file, by (source id, path)."""
    rows = connection.execute(
        "select source_id, path, file_id, size_bytes, modified_ns, changed_ns, inode, state, "
        "file_id in (select file_id from raw.file_loads where accepted > 0), format, byte_offset, "
        "line_count, fingerprint from raw.files"
    ).fetchall()
    return {(row[0], row[1]): KnownFile(*row[2:]) for row in rows}


def latest_load_seq(connection: duckdb.DuckDBPyConnection) -> int:
    """Highest load sequence number ever given; 0 before the first load.

    A purge takes a number, too: it may remove the load that had the highest, and none is reused.
    """
    [(highest,)] = connection.execute(
        "select greatest((select coalesce(max(load_seq), 0) from raw.file_loads), "
        "(select coalesce(max(load_seq), 0) from raw.purges))"
    ).fetchall()
    return highest


def new_work(
    settings: Settings, as_of: datetime | None = None, *, is_automatic: bool = False
) -> NewWork:
    """Ask the ledger whether a run has anything to do; no source file is opened.

    Tables on servers are asked one cheap question each (`postgres.py`).

    Level-triggered: as long as something is unread, unbuilt or unpublished the answer stays yes,
    however often it is asked.

    Args:
        settings: Names the data home.
        as_of: The instant to ask for; default: the clock, or what replaces it.
        is_automatic: A schedule or sensor asks: age alone is then a reason once a day only.

    Raises:
        RunLockedError: When a run is writing right now.
        AgentLedgerError: When config.toml cannot be read.
    """
    config = registry.load_config(settings)
    if not settings.warehouse_path.exists():
        return NewWork(["nothing was ever loaded"])
    if not settings.key_path.exists():
        return NewWork(["the key is missing"])  # made, or asked for, by the run itself
    key = privacy.load_or_create_key(settings)
    roots = scan_roots(config, settings, key)
    found, _ = scan.scan(roots)
    with warehouse.open_warehouse(settings, read_only=True, wait_seconds=0) as connection:
        try:
            known = read_ledger(connection)
            tables = postgres_state.read_states(connection) if _has_tables(roots) else {}
            built = fingerprints.context_of_warehouse(connection)
            now = fingerprints.current_context(
                connection,
                roots,
                latest_load_seq(connection),
                model_prices.expected(built.prices if built else None, config.prices),
            )
            aged = retention.due_reasons(
                connection,
                config.retention_days,
                as_of or _clock(settings),
                once_a_day=is_automatic,
            )
            aged += vault.pending_reasons(
                connection, {root.source_id for root in roots if root.keeps_texts}
            )
        except duckdb.CatalogException:
            return NewWork(["the first load did not finish"])
        except duckdb.BinderException:
            return NewWork(["an earlier version made the ledger"])  # the run adds what it lacks
    reasons = purge.pending_reasons(settings)
    loads = [
        load
        for load in plan_loads(found, known, retry_unreadable=False, as_of=as_of).loads
        # A question asked of the ledger is no news to be told at once.
        if load.file.root.kind != "reads"
    ]
    if loads:
        reasons.append(f"{len(loads)} new or changed file(s)")
    if _has_tables(roots):
        from agentledger.ingest import postgres  # it asks this module for the ledger, too

        reasons += postgres.reasons_to_run(
            roots, tables, as_of or _clock(settings), is_automatic=is_automatic
        )
    reasons += aged
    reasons += fingerprints.differences(now, built)
    published = fingerprints.context_of_published(settings)
    if published is None:
        reasons.append("nothing was published yet")
    elif built is not None and published != replace(built, load_seq=now.load_seq):
        reasons.append("the last run did not finish")
    return NewWork(reasons)


def _has_tables(roots: Iterable[ScanRoot]) -> bool:
    return any(root.postgres is not None for root in roots)


def _clock(settings: Settings) -> datetime:
    """The instant that a run would have now: what it would not remove is no reason to start it."""
    instant = datetime.now(UTC)
    if settings.as_of_override:
        with contextlib.suppress(ValueError):  # the run itself refuses it, with its reason
            instant = datetime.fromisoformat(settings.as_of_override)
            instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return floor_to_step(instant)
