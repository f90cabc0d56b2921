"""The SQLite stores of skill invocations: their two tables, read from a private copy.

Belongs here: opening and checking a store, turning a row into the record that the shared projection
takes, so that privacy rules are those of `skill_metrics.json`. Does not belong here: the copy
(`skill_store_copy.py`), the columns (`skill_store_tables.py`), the meaning of values
(`skill_metrics_values.py`, staging).

Source of the format: formats.md section 1.7 of the shared documents. Identity: docs/adr/0007.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentledger import privacy
from agentledger.ingest import skill_store_copy
from agentledger.ingest.documents import Members
from agentledger.ingest.skill_metrics_records import CleanRecord
from agentledger.ingest.skill_metrics_values import BadRecordError, clean_record
from agentledger.ingest.skill_store_tables import TABLES, Table, member_of, say_utc

ROWS_PER_BATCH = 5_000
"""Rows in Python's hands at a time; a few MB."""

BUSY_WAIT_SECONDS = 5.0
"""For the private copy alone: nobody else opens it, except a scanner of the machine."""

CHECK_TRIES = 3
"""A copy that fails its check is taken again: the file system may not have kept its promises."""

# What `pragma quick_check` says of rows that break a rule of their table, not of damage.
_BROKEN_RULES = ("NULL value in", "CHECK constraint", "non-", "TEXT value in", "NUMERIC value in")


class StoreError(Exception):
    """Nothing can be read of a store: `state` is the state of the file, the text is for people."""

    def __init__(self, state: str, detail: str) -> None:
        super().__init__(detail)
        self.state = state
        self.detail = detail


@dataclass(slots=True)
class Store:
    """A store that is open; `batches` fills in the rest while it is read."""

    connection: sqlite3.Connection
    tables: tuple[Table, ...]
    key: bytes
    fingerprint: str | None = None
    unknown: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    rows_read: int = 0

    @property
    def variant(self) -> str:
        """SA or SB; SA when both tables are there (then the times of SB say their zone)."""
        return self.tables[0].variant

    def batches(self) -> Iterator[list[CleanRecord]]:
        """The records, some thousands at a time, in the order of their row numbers.

        A record's ordinal is its row number, so that a person finds it again.
        """
        first_ordinal = 0
        for table in self.tables:
            names = _column_names(self.connection, table.name)
            self._count_unknown(table, names)
            last = first_ordinal
            for batch in self._rows(table, names):
                records = []
                for row_number, values in batch:
                    last = first_ordinal + row_number
                    record = self._record(table, last, values)
                    records += [record] if record is not None else []
                yield records
            first_ordinal = last + 1

    def _rows(
        self, table: Table, names: dict[str, str]
    ) -> Iterator[list[tuple[int, dict[str, Any]]]]:
        wanted = [column for column in table.columns if column in names]
        selected = ", ".join(_quoted(names[column]) for column in wanted)
        source = f"select {{}}, {selected} from {_quoted(table.name)}"  # noqa: S608 - our own names
        try:
            cursor = self.connection.execute(f"{source.format('_rowid_')} order by _rowid_")
            has_row_numbers = True
        except sqlite3.OperationalError:  # a table `without rowid`
            cursor = self.connection.execute(source.format("0"))
            has_row_numbers = False
        while rows := cursor.fetchmany(ROWS_PER_BATCH):
            batch = []
            for row in rows:
                number = row[0] if has_row_numbers else self.rows_read
                self.rows_read += 1
                batch.append((number, dict(zip(wanted, row[1:], strict=True))))
            yield batch

    def _record(self, table: Table, ordinal: int, values: dict[str, Any]) -> CleanRecord | None:
        if self.fingerprint is None:
            first = [str(values.get(column)) for column in table.required]
            self.fingerprint = privacy.keyed_hash(self.key, "\x1f".join([str(ordinal), *first]))[
                :32
            ]
        notes: list[str] = []
        members = Members()
        for column, value in values.items():
            if value is not None:
                name = table.columns[column]
                members[name] = member_of(column, value, notes)
        if table.variant != self.variant:
            say_utc(members)
        try:
            text = clean_record(members, "table", None, tuple(notes), self.unknown)
        except BadRecordError as error:
            self._reject(str(error), ordinal, values)
            return None
        return CleanRecord(ordinal, None, text)

    def _reject(self, reason: str, ordinal: int, values: dict[str, Any]) -> None:
        refused = repr(sorted(values.items()))
        self.rejected.append(
            {
                "ordinal": ordinal,
                "reason": reason,
                "detail": "no row can be made of this record",
                "length_bytes": len(refused.encode("utf-8", "replace")),
                "bytes_hash": privacy.keyed_hash(self.key, refused),
            }
        )

    def _count_unknown(self, table: Table, names: dict[str, str]) -> None:
        strange = sorted(set(names) - set(table.columns) - table.ignored)
        if not strange:
            return
        [(count,)] = self.connection.execute(f"select count(*) from {_quoted(table.name)}")  # noqa: S608
        for name in strange if count else ():
            self.unknown[name[:200]] += count


@contextlib.contextmanager
def open_store(path: str, scratch: Path, key: bytes) -> Iterator[Store]:
    """Copy a store, check the copy and open it; both are gone afterwards.

    Args:
        path: The database; it is only ever read as bytes.
        scratch: Folder of this data home in which the copy lives meanwhile.
        key: Secret of the keyed hashes.

    Raises:
        StoreError: `empty`, `changing`, `unreadable` or `other_database`, with the reason.
        OSError: When the file cannot be read.
    """
    _check_first_bytes(path)
    with skill_store_copy.scratch_folder(scratch) as folder:
        connection = _open_checked(path, folder)
        try:
            yield Store(connection, _tables_of(connection), key)
        except sqlite3.Error as error:
            raise StoreError("unreadable", _damage(error)) from error
        finally:
            connection.close()


def _check_first_bytes(path: str) -> None:
    with open(path, "rb") as stream:  # noqa: PTH123 - bytes that are not UTF-8 stay as they are
        head = stream.read(len(skill_store_copy.MAGIC))
    if not head and not Path(f"{path}-wal").exists():
        raise StoreError("empty", "the file has no bytes yet")
    if head[8:12] == b"DUCK":
        raise StoreError("other_database", "a DuckDB database, not a store of skill invocations")
    if head and head != skill_store_copy.MAGIC:
        raise StoreError(
            "unreadable", "this is not a SQLite database: its first bytes are damaged, or encrypted"
        )


def _open_checked(path: str, folder: Path) -> sqlite3.Connection:
    """Open a whole copy; one that fails its check may have been torn and is taken again."""
    finding = ""
    for _ in range(CHECK_TRIES):
        try:
            copy = skill_store_copy.copy_whole(path, folder)
        except skill_store_copy.StoreChangingError as error:
            raise StoreError("changing", f"{error}; the next run reads it") from error
        connection = sqlite3.connect(
            f"{copy.as_uri()}?mode=rw", uri=True, timeout=BUSY_WAIT_SECONDS
        )
        try:
            connection.text_factory = _text
            # The schema comes from elsewhere: nothing in it may run.
            for pragma in ("trusted_schema = off", "cell_size_check = on", "mmap_size = 0"):
                connection.execute(f"pragma {pragma}")
            finding = _finding(connection)
        except sqlite3.Error as error:
            finding = _damage(error)
        if not finding:
            return connection
        connection.close()
        for left in folder.iterdir():
            left.unlink()
    raise StoreError("unreadable", finding)


def _finding(connection: sqlite3.Connection) -> str:
    for (text,) in connection.execute("pragma quick_check(20)"):
        lines = [line for line in str(text).splitlines() if not line.startswith("***")]
        if lines and lines[0] != "ok" and not lines[0].startswith(_BROKEN_RULES):
            return f"the database is damaged: {lines[0]}"
    return ""


def _damage(error: sqlite3.Error) -> str:
    return (
        f"SQLite cannot read it: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
    )


def _tables_of(connection: sqlite3.Connection) -> tuple[Table, ...]:
    """The tables of this format that the database has.

    Raises:
        StoreError: When it has neither, or one without the columns that make a record.
    """
    there = {
        str(name).lower()
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
    }
    found = tuple(table for table in TABLES if table.name in there)
    if not found:
        raise StoreError(
            "other_database", "it has no table of skill invocations: another tool's database"
        )
    for table in found:
        names = _column_names(connection, table.name)
        missing = [column for column in table.required if column not in names]
        if missing:
            raise StoreError(
                "unreadable", f"the table {table.name} has no column {', '.join(missing)}"
            )
    return found


def _column_names(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Columns of a table: name in lower case → name as written."""
    rows: Sequence[Any] = connection.execute(f"pragma table_info({_quoted(table)})").fetchall()
    return {str(row[1]).lower(): str(row[1]) for row in rows}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
