"""Bring the files of mapped logs into raw: one mapping each, whatever kind of file they are.

Belongs here: which reader a file of a mapped source needs, the identity of events that have no id,
what happens to the rows of a mapping that was changed. Does not belong here: logs of lines
(`event_stage.py`), the records of documents (`mapped_records.py`), the mapping's SQL
(`mapped_format.py`).
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb

from agentledger.errors import AgentLedgerError
from agentledger.ingest import event_file, event_rows, mapped_records
from agentledger.ingest.event_first_lines import LOOKED_AT_LINES, names_of
from agentledger.ingest.event_formats import recognise
from agentledger.ingest.event_records import EventText, read_text
from agentledger.ingest.event_stage import EventStage
from agentledger.ingest.event_tables import read_csv
from agentledger.ingest.mapped_format import LEFT_OUT, MappedFormat, compiled
from agentledger.ingest.mapping import Mapping as MappingFile
from agentledger.ingest.staged_file import StagedFile

if TYPE_CHECKING:
    from agentledger.ingest.load import RunFacts


class MappedStage(EventStage):
    """The files of one mapping in a batch."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, key: bytes, mapped: MappedFormat
    ) -> None:
        super().__init__(connection, key, {mapped.format.name: mapped.format})
        self.mapped = mapped
        required = mapped.mapping.requires or ("the time",)
        self.unrecognised = (
            f"this is no log of the mapping {mapped.mapping.name}: "
            f"no record in it has {', '.join(required)}"
        )

    def _read_file(self, file: StagedFile) -> None:
        if mapped_records.is_parquet(file.load.file.path):
            self._read_parquet_rows(file)
        elif self.mapped.mapping.records == "lines":
            super()._read_file(file)
        else:
            self._read_document(file)

    def _read_values(self, text: str, flags: tuple[str, ...]) -> EventText:
        if self.mapped.mapping.records == "lines":
            return read_text(text, None, flags, self.formats)
        return mapped_records.read_documents(text, self.mapped, flags)

    def _read_table(self, text: str, flags: tuple[str, ...]) -> EventText:
        return read_csv(text, flags, self.formats, self.mapped.mapping.delimiter)

    def _first_names(self, head: bytes) -> list[str] | None:
        """The first line that is of this log: another may stand before it."""
        first = super()._first_names(head)
        if first is not None:
            for line in head.split(b"\n", LOOKED_AT_LINES)[:LOOKED_AT_LINES]:
                names = names_of(line)
                if names and recognise(names, self.formats) is not None:
                    return names
        return first

    def _read_parquet_rows(self, file: StagedFile) -> None:
        file.variant, file.fast_path = "parquet", False
        rows = found = 0
        for batch in mapped_records.parquet_batches(file.load.file.path):
            self.connection.register("parquet_rows", batch)
            try:
                texts = self.connection.execute(
                    "select cast(to_json(t) as varchar) from parquet_rows as t"
                ).fetchall()
            finally:
                self.connection.unregister("parquet_rows")
            staged = []
            for number, (text,) in enumerate(texts, rows + 1):
                read = read_text(text, None, (), self.formats)
                staged += [
                    (file.file_id, number, 0, 0, record.json_text, record.flags)
                    for record in read.records
                ]
                file.rejected += [
                    {
                        "line_no": number, "byte_offset": 0, "reason": refused.reason,
                        "detail": refused.detail, "length_bytes": None,
                    }
                    for refused in read.refused
                ]  # fmt: skip
            rows += len(texts)
            found += len(staged)
            if staged:
                self._append_clean(self.mapped.format, staged)
        file.fingerprint = event_file.prefix_fingerprint(
            file.load.file.path, file.load.file.size_bytes
        )
        if not found:
            file.rejected = []
            file.state = "empty" if not rows else "unrecognised_format"
            file.message = self.unrecognised if rows else None


class MappedLander:
    """Mapped logs: a stage for each mapping that the batch has files of."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
        self.connection = connection
        self.key = key
        self.stages: list[tuple[MappedStage, Sequence[StagedFile]]] = []

    def read(self, files: Sequence[StagedFile]) -> Counter[int]:
        """Stage the files; returns the events of each."""
        counts: Counter[int] = Counter()
        groups: dict[str, list[StagedFile]] = {}
        for file in files:
            file.format = _mapping_of(file).format_name
            groups.setdefault(file.format, []).append(file)
        for members in groups.values():
            stage = MappedStage(self.connection, self.key, compiled(_mapping_of(members[0])))
            stage.read(members)
            self.stages.append((stage, members))
            if stage.staged_formats:
                _note_left_out(self.connection, stage, members)
                _identify(self.connection, stage, members)
            formats = {name: stage.formats[name] for name in stage.staged_formats}
            event_rows.note_unknown_names(self.connection, formats, members)
            counts += event_rows.count_staged(self.connection, stage.staged_formats)
        return counts

    def insert(self, facts: "RunFacts", load_seq: int) -> Counter[int]:
        """Insert what is new; returns the rows of each file."""
        accepted: Counter[int] = Counter()
        for stage, files in self.stages:
            _retire(self.connection, files)
            formats = {name: stage.formats[name] for name in stage.staged_formats}
            accepted |= event_rows.insert(self.connection, formats, files, facts, load_seq)
        return accepted

    def clear(self) -> None:
        """Drop what was staged."""
        for stage, _ in self.stages:
            for name in stage.staged_formats:
                self.connection.execute(f"drop table if exists staged_{name}")


def _mapping_of(file: StagedFile) -> MappingFile:
    mapping = file.load.file.root.mapping
    if mapping is None:
        raise AgentLedgerError(f"{file.load.file.ledger_path} is of a source without a mapping.")
    return mapping


def _note_left_out(
    connection: duckdb.DuckDBPyConnection, stage: MappedStage, files: Sequence[StagedFile]
) -> None:
    """Say how many records the mapping's `where` left out: no events, and not lost silently."""
    by_id = {file.file_id: file for file in files}
    for file_id, count in connection.execute(
        f"select file_id, count(*) from staged_{stage.mapped.format.name} where {LEFT_OUT} "
        "group by file_id"
    ).fetchall():
        file = by_id[file_id]
        said = f"{count:,} record(s) left out by the mapping's `where`"
        file.message = said if file.message is None else f"{file.message}; {said}"


def _identify(
    connection: duckdb.DuckDBPyConnection, stage: MappedStage, files: Sequence[StagedFile]
) -> None:
    """Key the events that have no id, and let go what is left out.

    Equal records of one file are repeats that happened, so each has a number; the same records in
    another file of the source have the same numbers and are copies (formats.md 4.1). In a file that
    grew, counting goes on after what is known of it.
    """
    name = stage.mapped.format.name
    resumed = ", ".join(str(file.file_id) for file in files if file.is_resumed) or "-1"
    connection.execute(
        f"""
        create or replace temp table staged_{name} as
        select s.* exclude (copy_no) replace (
            case when s.event_id is not null then s.record_key
            else cast(md5_number(concat_ws(chr(31), getvariable('identity_salt'),
                '{stage.mapped.format.keyed_as}', s.source_id, cast(s.content_hash as varchar),
                cast(s.copy_no + coalesce(known.copies, 0) as varchar))) as uuid)
            end as record_key)
        from (
            select *, row_number() over (
                partition by file_id, content_hash order by line_no, ordinal
            ) as copy_no
            from staged_{name}
            where not {LEFT_OUT}
        ) as s
        left join (
            select file_id, content_hash, count(*) as copies from raw.usage_events
            where file_id in ({resumed}) group by all
        ) as known
            on known.file_id = s.file_id and known.content_hash = s.content_hash
        """
    )


def _retire(connection: duckdb.DuckDBPyConnection, files: Sequence[StagedFile]) -> None:
    """Take out the rows that a file gave by the mapping before: it is read anew by this one."""
    for file in files:
        if not file.load.is_remapped:
            continue
        [(removed,)] = connection.execute(
            "select count(*) from raw.usage_events where file_id = ?", [file.file_id]
        ).fetchall()
        connection.execute("delete from raw.usage_events where file_id = ?", [file.file_id])
        if removed:
            said = f"the mapping changed: {removed:,} row(s) of the one before were replaced"
            file.message = said if file.message is None else f"{file.message}; {said}"
