"""Bring the records of a batch of files into one temporary table.

Belongs here: choosing the fast path (DuckDB reads whole files) or the tolerant one (Python, record
by record) for each file, and making sure that what was read was not changing meanwhile. Does not
belong here: the meaning of fields (`skill_metrics*.py`), writing to raw (`load.py`).

Both paths end in the same projection, so a record means the same whichever way it came.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from agentledger import privacy
from agentledger.ingest import (
    rejects,
    skill_metrics,
    skill_metrics_records,
    skill_store,
    skill_store_copy,
    source_file,
)
from agentledger.ingest.documents import DocumentError
from agentledger.ingest.skill_metrics import Shape
from agentledger.ingest.skill_metrics_projection import projection_sql
from agentledger.ingest.staged_file import StagedFile, refuse

FAST_PATH_MAX_BYTES = 192 * 1024 * 1024
"""A larger file goes the slower way: DuckDB's buffers are a multiple of the largest object."""

CHUNK_RECORDS = 50_000
"""Records of the tolerant path handed over at a time."""


class Stage:
    """One batch on its way into raw; the temporary table `staged` holds its records."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
        self.connection = connection
        self.key = key
        self.files: dict[int, StagedFile] = {}
        privacy.set_hmac_pads(connection, key)
        connection.execute("drop table if exists staged")
        connection.execute(
            "create or replace temp table batch_files "
            "(file_id bigint, project_id varchar, path varchar)"
        )

    def read(self, files: Sequence[StagedFile]) -> None:
        """Stage every file of the batch."""
        self.files = {file.file_id: file for file in files}
        self.connection.executemany(
            "insert into batch_files values (?, ?, ?)",
            [[f.file_id, f.load.file.root.project_id, f.load.file.ledger_path] for f in files],
        )
        tolerant, stores = [], []
        groups: dict[Shape, list[StagedFile]] = {"skills": [], "invocations": []}
        for file in files:
            if _is_store(file.load.file.path):
                stores.append(file)
                continue
            shape = self._inspect(file)
            if shape is not None:
                groups[shape].append(file)
            elif file.state == "loaded":
                tolerant.append(file)
        for shape, members in groups.items():
            tolerant += self._read_fast(members, shape)
        tolerant += self._take_back_unclear()
        for file in tolerant:
            self._read_tolerantly(file)
        for file in stores:
            self._read_store(file)

    def _inspect(self, file: StagedFile) -> Shape | None:
        """Look at the root of a document; None sends it down the tolerant path."""
        try:
            data = Path(file.load.file.path).read_bytes()
        except OSError as error:
            refuse(file, error)
            return None
        file.fingerprint = source_file.fingerprint(data)
        if len(data) > FAST_PATH_MAX_BYTES or not _is_plain_path(file.load.file.path):
            return None
        seen = skill_metrics.inspect(data)
        if seen is None:
            return None
        file.variant = seen.variant
        file.unknown.update(seen.unknown_root_fields)
        return seen.shape

    def _read_fast(self, files: list[StagedFile], shape: Shape) -> list[StagedFile]:
        """Let DuckDB read the files together; those it refuses come back.

        One bad file makes DuckDB refuse all of a statement, so a refused group is halved until the
        bad ones stand alone.
        """
        if not files:
            return []
        largest = max(file.load.file.size_bytes for file in files)
        records = (
            "select b.file_id, b.project_id, r.ordinal, r.skill_key, r.record "
            f"from ({skill_metrics.read_sql(shape, largest + 1024)}) as r "
            "join batch_files as b on b.path = r.filename"
        )
        try:
            self._append(
                projection_sql(records, shape),
                [[file.load.file.path for file in files]],
            )
        except duckdb.Error:
            if len(files) == 1:
                files[0].fast_path = False
                return files
            middle = len(files) // 2
            return self._read_fast(files[:middle], shape) + self._read_fast(files[middle:], shape)
        return []

    def _take_back_unclear(self) -> list[StagedFile]:
        """Files that hold a strange record, gave none, or changed while they were read."""
        if not self._has_staged():
            return [file for file in self.files.values() if _went_fast(file)]
        rows = self.connection.execute(
            "select file_id, bool_and(is_plain) from staged group by file_id"
        ).fetchall()
        is_plain: dict[int, bool] = dict(rows)
        unclear = [
            file
            for file in self.files.values()
            if _went_fast(file) and (not is_plain.get(file.file_id) or _has_changed(file))
        ]
        self.connection.execute(
            "delete from staged where file_id in (select unnest(?))",
            [[file.file_id for file in unclear]],
        ).fetchall()  # an unfetched result would keep the connection busy
        for file_id, name, occurrences in self.connection.execute(
            "select file_id, name, count(*) from ("
            "  select file_id, left(unnest(unknown_names), 200) as name from staged"
            "  where unknown_names is not null"
            ") group by file_id, name"
        ).fetchall():
            self.files[file_id].unknown[name] += occurrences
        return unclear

    def _read_tolerantly(self, file: StagedFile) -> None:
        """Read one file record by record."""
        file.fast_path = False
        file.unknown.clear()
        try:
            data, is_stable = source_file.read_stable(file.load.file.path)
            document = skill_metrics_records.read_document(data)
        except OSError as error:
            refuse(file, error)
            return
        except DocumentError as error:
            file.state, file.message = error.reason, error.detail
            return
        file.fingerprint = source_file.fingerprint(data)
        file.variant, file.state = document.variant, document.state
        if document.state == "unrecognised_format":
            file.message = "this is not a skill_metrics document"
        if not is_stable:
            file.state, file.message = "changing", "the file changed while it was read"
        file.unknown.update(document.unknown)
        file.rejected = rejects.locate(document.text, document.rejected, self.key)
        for start in range(0, len(document.records), CHUNK_RECORDS):
            self._append_records(
                file, document.records[start : start + CHUNK_RECORDS], document.shape
            )

    def _read_store(self, file: StagedFile) -> None:
        """Read a SQLite store from a private copy; see `skill_store.py`."""
        file.fast_path = False
        try:
            with skill_store.open_store(file.load.file.path, self._scratch(), self.key) as store:
                file.variant = store.variant
                for records in store.batches():
                    self._append_records(file, records, "table")
                file.fingerprint, file.unknown = store.fingerprint, store.unknown
                file.rejected = store.rejected
                file.state = "loaded" if store.rows_read else "empty"
        except skill_store.StoreError as error:
            file.state, file.message = error.state, error.detail
        except OSError as error:
            refuse(file, error)

    def _scratch(self) -> Path:
        """The folder where DuckDB spills: of this data home, for its owner alone."""
        [(folder,)] = self.connection.execute("select current_setting('temp_directory')").fetchall()
        if not folder:
            raise OSError("no spill folder is set, so there is no private place for the copy")
        return Path(folder)

    def _append_records(
        self,
        file: StagedFile,
        records: Sequence[skill_metrics_records.CleanRecord],
        shape: Shape,
    ) -> None:
        import pyarrow

        # An Arrow table in memory: private text of the source never touches the disk.
        clean_records = pyarrow.table(
            {
                "ordinal": pyarrow.array([r.ordinal for r in records], pyarrow.int64()),
                "skill_key": pyarrow.array([r.skill_key for r in records], pyarrow.string()),
                "record": pyarrow.array([r.json_text for r in records], pyarrow.string()),
            }
        )
        self.connection.register("clean_records", clean_records)
        try:
            sql = (
                f"select {file.file_id}::bigint as file_id, "
                f"'{file.load.file.root.project_id}' as project_id, ordinal, skill_key, "
                "cast(record as json) as record from clean_records"
            )
            self._append(projection_sql(sql, shape), [])
        finally:
            self.connection.unregister("clean_records")

    def _append(self, sql: str, parameters: list[Any]) -> None:
        if self._has_staged():
            self.connection.execute(f"insert into staged {sql}", parameters).fetchall()
        else:
            self.connection.execute(f"create temp table staged as {sql}", parameters).fetchall()

    def _has_staged(self) -> bool:
        rows = self.connection.execute(
            "select 1 from duckdb_tables() where table_name = 'staged' and temporary"
        ).fetchall()
        return bool(rows)

    def has_records(self) -> bool:
        """Whether the batch gave any record at all."""
        return self._has_staged()


def _went_fast(file: StagedFile) -> bool:
    return file.fast_path and file.variant is not None and file.state == "loaded"


def _has_changed(file: StagedFile) -> bool:
    try:
        size, modified, changed = source_file.facts(file.load.file.path)
    except OSError:
        return True
    found = file.load.file
    return (size, modified, changed) != (found.size_bytes, found.modified_ns, found.changed_ns)


def _is_store(path: str) -> bool:
    """Told by the first bytes; a name of a database that does not begin like one is damaged."""
    return skill_store_copy.begins_like_a_store(path) or path.endswith(skill_store_copy.SUFFIX)


def _is_plain_path(path: str) -> bool:
    """DuckDB takes a path for a pattern when it holds one of these."""
    return not any(mark in path for mark in "*?[]{}") and "://" not in path and _is_utf8(path)


def _is_utf8(path: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in path)
