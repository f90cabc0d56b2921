"""Write the staged events of a batch into their raw tables.

Belongs here: recognising what is already known of a file that is read again from its start, and the
counts per file. Does not belong here: staging (`event_stage.py`), the ledger (`load.py`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb
import msgspec

from agentledger import retention
from agentledger.ingest.event_formats import EventFormat
from agentledger.ingest.staged_file import StagedFile

if TYPE_CHECKING:
    from agentledger.ingest.load import RunFacts

_NAMES = msgspec.json.Decoder(list[str])
_LONGEST_NAME = 200
"""Characters kept of a name that nobody knows."""


def count_staged(connection: duckdb.DuckDBPyConnection, formats: Iterable[str]) -> Counter[int]:
    """Staged events per file."""
    counts: Counter[int] = Counter()
    for name in formats:
        rows = connection.execute(
            f"select file_id, count(*) from staged_{name} group by file_id"
        ).fetchall()
        counts.update(dict(rows))
    return counts


def note_unknown_names(
    connection: duckdb.DuckDBPyConnection,
    formats: Mapping[str, EventFormat],
    files: Sequence[StagedFile],
) -> None:
    """Count the names that no allow-list knows; their values were never looked at.

    Args:
        connection: Holds the table `staged_<format>` of each format.
        formats: Those of which there are records.
        files: Get the counts.
    """
    by_id = {file.file_id: file for file in files}
    for name, event_format in formats.items():
        known = event_format.fields.keys() | event_format.known_names
        for file_id, shape, occurrences in connection.execute(
            f"select file_id, member_names, count(*) from staged_{name} "
            "where member_names is not null group by all"
        ).fetchall():
            file = by_id[file_id]
            kept = event_format.vault_fields if file.load.file.root.keeps_texts else frozenset()
            for unknown in set(_NAMES.decode(shape)) - known - kept:
                file.unknown[unknown[:_LONGEST_NAME]] += occurrences
        if event_format.unknown_inside is None:
            continue
        for file_id, unknown, occurrences in connection.execute(
            f"select file_id, left(name, {_LONGEST_NAME}), count(*) from ("
            f"select file_id, unnest(unknown_inside) as name from staged_{name} "
            "where unknown_inside is not null) group by all"
        ).fetchall():
            by_id[file_id].unknown[unknown] += occurrences


def repeats_a_name(shape: str) -> bool:
    """Whether a name stands twice in the `member_names` of a record."""
    names = _NAMES.decode(shape)
    return len(set(names)) < len(names)


def insert(
    connection: duckdb.DuckDBPyConnection,
    formats: Mapping[str, EventFormat],
    files: Sequence[StagedFile],
    facts: "RunFacts",
    load_seq: int,
) -> Counter[int]:
    """Insert what is not known yet; return the number per file.

    A file that only grew brings new lines alone. One that is read again from its start brings its
    old ones, too: of each content as many copies are known as stand in raw already. The parts of a
    record land with it or not at all.
    """
    accepted: Counter[int] = Counter()
    reread = [file.file_id for file in files if file.load.has_rows and not file.is_resumed]
    stamps = [facts.host_id, facts.run_id, facts.ingested_at, load_seq]
    for name, event_format in formats.items():
        source = _unknown_rows(event_format, reread) if reread else f"from staged_{name}"
        # The parts first: what is unknown is asked of the table that the records go to.
        for part in event_format.parts:
            _insert_part(connection, part, source, facts.keeps_from, stamps)
        left_out = ", ".join(("is_plain", "member_names", "unknown_inside", *event_format.parts))
        rows = retention.only_kept(
            event_format.table,
            f"select {event_format.row_select} "
            f"from (select * exclude ({left_out}) from ({source}))",
            facts.keeps_from,
        )
        connection.execute(
            f"""
            insert into raw.{event_format.table} by name
            select *, ? as host_id, ? as run_id, ?::timestamptz as ingested_at, ? as load_seq
            from ({rows})
            """,
            stamps,
        ).fetchall()
    # Of each table once: several formats may share it.
    for table in {event_format.table for event_format in formats.values()}:
        counted = connection.execute(
            f"select file_id, count(*) from raw.{table} where load_seq = {load_seq} "
            "group by file_id"
        ).fetchall()
        accepted.update(dict(counted))
    return accepted


def _insert_part(
    connection: duckdb.DuckDBPyConnection,
    part: str,
    source: str,
    keeps_from: datetime | None,
    stamps: Sequence[object],
) -> None:
    """Insert the parts of records; of their record they carry what their table has room for."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'raw' and table_name = ?",
        [part],
    ).fetchall()
    rows = retention.only_kept(
        part, f"select *, unnest({part}, recursive := true) from ({source})", keeps_from
    )
    connection.execute(
        f"""
        insert into raw.{part} by name
        select {", ".join(f"r.{name}" for (name,) in columns)}
        from (
            select *, ? as host_id, ? as run_id, ?::timestamptz as ingested_at, ? as load_seq
            from ({rows})
        ) as r
        """,
        stamps,
    ).fetchall()


def _unknown_rows(event_format: EventFormat, reread: Sequence[int]) -> str:
    file_ids = ", ".join(map(str, reread))
    return f"""
        select s.* exclude (copy_no)
        from (
            select *, row_number() over (
                partition by file_id, record_key, content_hash order by line_no, ordinal
            ) as copy_no
            from staged_{event_format.name}
        ) as s
        left join (
            select file_id, record_key, content_hash, count(*) as copies
            from raw.{event_format.table} where file_id in ({file_ids})
            group by all
        ) as known
            on known.file_id = s.file_id and known.record_key = s.record_key
            and known.content_hash = s.content_hash
        where s.copy_no > coalesce(known.copies, 0)"""
