"""Write the staged events of a batch into their raw tables.

Belongs here: recognising what is already known of a file that is read again from its start, and the
counts per file. Does not belong here: staging (`event_stage.py`), the ledger (`load.py`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import duckdb

from agentledger import retention
from agentledger.ingest.event_formats import FORMATS, EventFormat
from agentledger.ingest.staged_file import StagedFile

if TYPE_CHECKING:
    from agentledger.ingest.load import RunFacts


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
    connection: duckdb.DuckDBPyConnection, formats: Iterable[str], files: Sequence[StagedFile]
) -> None:
    """Count the names that no allow-list knows; their values were never looked at."""
    by_id = {file.file_id: file for file in files}
    for name in formats:
        for file_id, unknown, occurrences in connection.execute(
            "select file_id, left(name, 200), count(*) from ("
            f"select file_id, unnest(unknown_names) as name from staged_{name} "
            "where unknown_names is not null) group by all"
        ).fetchall():
            by_id[file_id].unknown[unknown] += occurrences


def insert(
    connection: duckdb.DuckDBPyConnection,
    formats: Iterable[str],
    files: Sequence[StagedFile],
    facts: "RunFacts",
    load_seq: int,
) -> Counter[int]:
    """Insert what is not known yet; return the number per file.

    A file that only grew brings new lines alone. One that is read again from its start brings its
    old ones, too: of each content as many copies are known as stand in raw already.
    """
    accepted: Counter[int] = Counter()
    reread = [file.file_id for file in files if file.load.has_rows and not file.is_resumed]
    for name in formats:
        event_format = FORMATS[name]
        source = _unknown_rows(event_format, reread) if reread else f"from staged_{name}"
        rows = retention.only_kept(
            event_format.table,
            f"select {event_format.row_select} "
            f"from (select * exclude (is_plain, unknown_names) from ({source}))",
            facts.keeps_from,
        )
        connection.execute(
            f"""
            insert into raw.{event_format.table} by name
            select *, ? as host_id, ? as run_id, ?::timestamptz as ingested_at, ? as load_seq
            from ({rows})
            """,
            [facts.host_id, facts.run_id, facts.ingested_at, load_seq],
        ).fetchall()
        counted = connection.execute(
            f"select file_id, count(*) from raw.{event_format.table} where load_seq = {load_seq} "
            "group by file_id"
        ).fetchall()
        accepted.update(dict(counted))
    return accepted


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
