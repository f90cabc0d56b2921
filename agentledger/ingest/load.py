"""Write one batch of files into raw: its rows and its ledger entries in one transaction.

Belongs here: the order of the steps, which reader and which tables a batch is for, and the counts
that prove that nothing was lost. Does not belong here: reading files (`stage.py`,
`event_stage.py`), the rows (`skill_usage_rows.py`, `event_rows.py`), the ledger's own rows
(`file_ledger.py`).
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import duckdb

from agentledger import warehouse
from agentledger.ingest import event_rows, file_ledger, plan, rejects, skill_usage_rows
from agentledger.ingest.event_formats import FORMATS, EventFormat
from agentledger.ingest.event_stage import EventStage
from agentledger.ingest.langfuse_formats import LANGFUSE_FORMATS
from agentledger.ingest.mapped_stage import MappedLander
from agentledger.ingest.otlp_formats import OTLP_FORMATS
from agentledger.ingest.otlp_stage import OtlpStage
from agentledger.ingest.plan import Load
from agentledger.ingest.stage import Stage
from agentledger.ingest.staged_file import StagedFile
from agentledger.ingest.transcript_formats import TRANSCRIPT_FORMATS


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What every row of a run carries."""

    run_id: str
    host_id: str
    ingested_at: datetime
    keeps_from: datetime | None = None
    """Records of before it are too old to land; None keeps all."""


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """Counts of one file of a batch; accepted + rejected + already_known = records_read.

    What is older than the owner keeps counts as already known.
    """

    staged: StagedFile
    records_read: int
    accepted: int
    rejected: int
    already_known: int
    seconds: float


class Lander(Protocol):
    """Brings the files of one batch from their format into its raw tables."""

    def read(self, files: Sequence[StagedFile]) -> Counter[int]:
        """Stage the files; returns the records of each."""
        ...

    def insert(self, facts: RunFacts, load_seq: int) -> Counter[int]:
        """Insert what is new, inside the caller's transaction; returns the rows of each file."""
        ...

    def clear(self) -> None:
        """Drop what was staged."""
        ...


class SkillUsageLander:
    """Skill metrics: JSON documents and SQLite stores."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
        self.connection = connection
        self.stage = Stage(connection, key)
        self.files: Sequence[StagedFile] = ()

    def read(self, files: Sequence[StagedFile]) -> Counter[int]:
        """Stage the files; returns the records of each."""
        self.files = files
        self.stage.read(files)
        if not self.stage.has_records():
            return Counter()
        skill_usage_rows.identify(self.connection)
        return skill_usage_rows.count_staged(self.connection)

    def insert(self, facts: RunFacts, load_seq: int) -> Counter[int]:
        """Insert what is new; returns the rows of each file."""
        if not self.stage.has_records():
            return Counter()
        return skill_usage_rows.insert(self.connection, self.files, facts, load_seq)

    def clear(self) -> None:
        """Drop what was staged."""
        self.connection.execute("drop table if exists staged")


class EventLander:
    """Logs of events, of whichever format each turns out to be."""

    formats: Mapping[str, EventFormat] = FORMATS

    def __init__(self, connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
        self.connection = connection
        self.stage = self._new_stage(key)
        self.files: Sequence[StagedFile] = ()

    def _new_stage(self, key: bytes) -> EventStage:
        return EventStage(self.connection, key, self.formats)

    def read(self, files: Sequence[StagedFile]) -> Counter[int]:
        """Stage the files; returns the events of each."""
        self.files = files
        self.stage.read(files)
        formats = {name: self.formats[name] for name in self.stage.staged_formats}
        event_rows.note_unknown_names(self.connection, formats, files)
        return event_rows.count_staged(self.connection, formats)

    def insert(self, facts: RunFacts, load_seq: int) -> Counter[int]:
        """Insert what is new; returns the rows of each file."""
        formats = {name: self.formats[name] for name in self.stage.staged_formats}
        return event_rows.insert(self.connection, formats, self.files, facts, load_seq)

    def clear(self) -> None:
        """Drop what was staged."""
        for name in self.stage.staged_formats:
            self.connection.execute(f"drop table if exists staged_{name}")


class TranscriptLander(EventLander):
    """Transcripts of coding agents."""

    formats = TRANSCRIPT_FORMATS


class OtlpLander(EventLander):
    """Requests of OTLP: their members are the records."""

    formats = OTLP_FORMATS

    def _new_stage(self, key: bytes) -> EventStage:
        return OtlpStage(self.connection, key, self.formats)


class LangfuseLander(EventLander):
    """Exports of Langfuse."""

    formats = LANGFUSE_FORMATS


LANDERS: dict[str, type[SkillUsageLander] | type[EventLander] | type[MappedLander]] = {
    "skill_metrics": SkillUsageLander,
    "events": EventLander,
    "transcripts": TranscriptLander,
    "mapped": MappedLander,
    "langfuse": LangfuseLander,
    "otlp": OtlpLander,
}
"""Reader of a file, as the scan names it, → what lands its records."""


def load_batch(
    connection: duckdb.DuckDBPyConnection,
    loads: Sequence[Load],
    facts: RunFacts,
    key: bytes,
) -> list[LoadedFile]:
    """Read a batch and commit it whole, or nothing of it.

    Args:
        connection: The warehouse, opened for writing.
        loads: The files of the batch, all of one reader.
        facts: Stamped on every row.
        key: Secret of the keyed hashes.
    """
    started = time.monotonic()
    files = _numbered(connection, loads)
    lander: Lander = LANDERS[loads[0].file.reader](connection, key)
    staged = lander.read(files)
    with warehouse.transaction(connection):
        load_seq = plan.latest_load_seq(connection) + 1
        accepted = lander.insert(facts, load_seq)
        seconds = time.monotonic() - started
        loaded = [
            LoadedFile(
                staged=file,
                records_read=staged[file.file_id] + len(file.rejected),
                accepted=accepted[file.file_id],
                rejected=len(file.rejected),
                already_known=staged[file.file_id] - accepted[file.file_id],
                seconds=seconds / len(files),
            )
            for file in files
        ]
        file_ledger.write(connection, loaded, facts, load_seq)
        rejects.write(connection, files, facts, load_seq)
    lander.clear()
    return loaded


def _numbered(connection: duckdb.DuckDBPyConnection, loads: Sequence[Load]) -> list[StagedFile]:
    [(highest,)] = connection.execute("select coalesce(max(file_id), 0) from raw.files").fetchall()
    files = []
    for load in loads:
        if load.file_id is None:
            highest += 1
        files.append(
            StagedFile(
                load=load,
                file_id=load.file_id or highest,
                format=load.format or load.file.reader,
            )
        )
    return files
