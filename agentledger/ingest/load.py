"""Write one batch of files into raw: its rows and its ledger entries in one transaction.

Belongs here: identity (the ordinal among equal tuples, the record key), recognising what is already
known, and the counts that prove that nothing was lost. Does not belong here: reading files
(`stage.py`).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from agentledger import warehouse
from agentledger.ingest import plan, rejects
from agentledger.ingest.plan import Load
from agentledger.ingest.stage import Stage, StagedFile


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What every row of a run carries."""

    run_id: str
    host_id: str
    ingested_at: datetime


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """Counts of one file of a batch; accepted + rejected + already_known = records_read."""

    staged: StagedFile
    records_read: int
    accepted: int
    rejected: int
    already_known: int
    seconds: float


def load_batch(
    connection: duckdb.DuckDBPyConnection,
    loads: Sequence[Load],
    facts: RunFacts,
    key: bytes,
) -> list[LoadedFile]:
    """Read a batch and commit it whole, or nothing of it.

    Args:
        connection: The warehouse, opened for writing.
        loads: The files of the batch.
        facts: Stamped on every row.
        key: Secret of the keyed hashes.
    """
    started = time.monotonic()
    files = _numbered(connection, loads)
    stage = Stage(connection, key)
    stage.read(files)
    has_records = stage.has_records()
    if has_records:
        _identify(connection)
    with warehouse.transaction(connection):
        load_seq = plan.latest_load_seq(connection) + 1
        staged = _count(connection, "staged") if has_records else {}
        accepted = _insert(connection, files, facts, load_seq) if has_records else {}
        seconds = time.monotonic() - started
        loaded = [
            LoadedFile(
                staged=file,
                records_read=staged.get(file.file_id, 0) + len(file.rejected),
                accepted=accepted.get(file.file_id, 0),
                rejected=len(file.rejected),
                already_known=staged.get(file.file_id, 0) - accepted.get(file.file_id, 0),
                seconds=seconds / len(files),
            )
            for file in files
        ]
        _write_ledger(connection, loaded, facts, load_seq)
        rejects.write(connection, files, facts, load_seq)
        _write_unknown_fields(connection, loaded, load_seq)
    connection.execute("drop table if exists staged")
    return loaded


def _numbered(connection: duckdb.DuckDBPyConnection, loads: Sequence[Load]) -> list[StagedFile]:
    [(highest,)] = connection.execute("select coalesce(max(file_id), 0) from raw.files").fetchall()
    files = []
    for load in loads:
        if load.file_id is None:
            highest += 1
        files.append(StagedFile(load=load, file_id=load.file_id or highest))
    return files


def _identify(connection: duckdb.DuckDBPyConnection) -> None:
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


def _insert(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[StagedFile],
    facts: RunFacts,
    load_seq: int,
) -> dict[int, int]:
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
        ) as r {known}
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


def _count(
    connection: duckdb.DuckDBPyConnection, table: str, condition: str = ""
) -> dict[int, int]:
    rows = connection.execute(
        f"select file_id, count(*) from {table} {condition} group by file_id"
    ).fetchall()
    return dict(rows)


def _write_ledger(
    connection: duckdb.DuckDBPyConnection,
    loaded: Sequence[LoadedFile],
    facts: RunFacts,
    load_seq: int,
) -> None:
    now = facts.ingested_at
    rows = []
    for item in loaded:
        file, found = item.staged, item.staged.load.file
        rows.append(
            [
                file.file_id, found.root.source_id, found.root.project_id, "skill_metrics",
                found.ledger_path, file.variant, found.size_bytes, found.modified_ns,
                found.changed_ns, found.inode, file.fingerprint, None, None, file_state(item),
                file.message, item.records_read, item.accepted, item.rejected,
                item.already_known, now, now, load_seq,
            ]
        )  # fmt: skip
    connection.executemany(
        f"insert into raw.files values ({', '.join('?' * 22)}) on conflict (file_id) do update set "
        + ", ".join(
            f"{name} = excluded.{name}"
            for name in (
                "variant", "size_bytes", "modified_ns", "changed_ns", "inode", "fingerprint",
                "state", "message", "records_read", "accepted", "rejected", "already_known",
                "loaded_at", "load_seq",
            )
        ),
        rows,
    )  # fmt: skip
    connection.executemany(
        f"insert into raw.file_loads values ({', '.join('?' * 13)})",
        [
            [
                load_seq, facts.run_id, item.staged.file_id, item.staged.load.file.root.source_id,
                item.staged.load.file.root.project_id, file_state(item), item.records_read,
                item.accepted, item.rejected, item.already_known, item.staged.fast_path,
                item.seconds, now,
            ]
            for item in loaded
        ],
    )  # fmt: skip


def file_state(item: LoadedFile) -> str:
    """State of a file after a load: `partial` when only a part of it could be read."""
    state = item.staged.state
    return "partial" if state == "loaded" and item.rejected else state


def _write_unknown_fields(
    connection: duckdb.DuckDBPyConnection, loaded: Sequence[LoadedFile], load_seq: int
) -> None:
    rows = [
        [item.staged.file_id, item.staged.load.file.root.source_id, name, occurrences, load_seq]
        for item in loaded
        for name, occurrences in item.staged.unknown.items()
    ]
    if rows:
        connection.executemany(
            "insert into raw.unknown_fields values (?, ?, ?, ?, ?) "
            "on conflict (file_id, field_name) do update set "
            "occurrences = excluded.occurrences, load_seq = excluded.load_seq",
            rows,
        )
