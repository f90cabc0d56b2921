"""Write the staged skill invocations of a batch into `raw.skill_usage`.

Belongs here: identity (the ordinal among equal tuples, the record key) and recognising what is
already known. Does not belong here: staging (`stage.py`), the ledger (`load.py`).
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb

from agentledger import retention
from agentledger.ingest.staged_file import StagedFile

if TYPE_CHECKING:
    from agentledger.ingest.load import RunFacts


def count_staged(connection: duckdb.DuckDBPyConnection) -> Counter[int]:
    """Staged records per file."""
    return _count(connection, "staged")


def identify(connection: duckdb.DuckDBPyConnection) -> None:
    """Number the true repeats of a tuple within a file, in file order.

    Repeats are rare, so only they pay for a window.
    """
    connection.execute("""
        create or replace temp table repeats as
        select s.file_id, s.ordinal,
            row_number() over (partition by s.file_id, s.tuple_key order by s.ordinal) - 1
                as repeat_ordinal
        from staged as s
        semi join (
            select file_id, tuple_key from staged group by file_id, tuple_key having count(*) > 1
        ) as twice on s.file_id = twice.file_id and s.tuple_key = twice.tuple_key
    """)


def insert(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[StagedFile],
    facts: "RunFacts",
    load_seq: int,
) -> Counter[int]:
    """Insert the staged records that are not known yet; return the number per file."""
    connection.execute(
        "create or replace temp table batch_facts "
        "(file_id bigint, source_id varchar, project_id varchar, variant varchar)"
    )
    connection.executemany(
        "insert into batch_facts values (?, ?, ?, ?)",
        [
            [f.file_id, f.load.file.root.source_id, f.load.file.root.project_id, f.variant]
            for f in files
        ],
    )
    _resolve_variants(connection, files)
    reread = [file.file_id for file in files if file.load.has_rows]
    known = (
        "anti join (select file_id, record_key, content_hash from raw.skill_usage "
        f"where file_id in ({', '.join(map(str, reread))})) as known "
        "on known.file_id = r.file_id and known.record_key = r.record_key "
        "and known.content_hash = r.content_hash"
        if reread
        else ""
    )
    zones, is_kept = retention.not_expired("skill_usage", "r", facts.keeps_from)
    connection.execute(
        f"""
        insert into raw.skill_usage by name
        select r.*, ? as host_id, ? as run_id, ?::timestamptz as ingested_at, ? as load_seq
        from (
            select
                case when coalesce(t.repeat_ordinal, 0) = 0 then s.tuple_key else cast(md5_number(
                    concat_ws(chr(31), s.tuple_key, t.repeat_ordinal)) as uuid)
                end as record_key,
                coalesce(t.repeat_ordinal, 0) as repeat_ordinal,
                b.source_id, b.variant,
                s.* exclude (tuple_key, is_plain, unknown_names)
            from staged as s
            join batch_facts as b using (file_id)
            left join repeats as t on t.file_id = s.file_id and t.ordinal = s.ordinal
        ) as r {known} {zones} {is_kept}
        """,
        [facts.host_id, facts.run_id, facts.ingested_at, load_seq],
    )
    return _count(connection, "raw.skill_usage", f"where load_seq = {load_seq}")


def _resolve_variants(connection: duckdb.DuckDBPyConnection, files: Sequence[StagedFile]) -> None:
    """V0 has no session ids, V1 has: only the records can tell."""
    connection.execute("""
        update batch_facts set variant = case when exists (
            select 1 from staged as s
            where s.file_id = batch_facts.file_id and s.session_id is not null
        ) then 'V1' else 'V0' end
        where variant = 'V0/V1'
          and file_id in (select distinct file_id from staged)
    """)
    variants = dict(connection.execute("select file_id, variant from batch_facts").fetchall())
    for file in files:
        file.variant = variants[file.file_id]


def _count(connection: duckdb.DuckDBPyConnection, table: str, condition: str = "") -> Counter[int]:
    rows = connection.execute(
        f"select file_id, count(*) from {table} {condition} group by file_id"
    ).fetchall()
    return Counter(dict(rows))
