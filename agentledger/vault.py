"""Private texts of the sources whose owner wants them kept: `vault.duckdb`.

Belongs here: the file, its tables, settling a run, removing what the warehouse no longer knows.
Does not belong here: writing and finding the texts of a record (`vault_texts.py`).

The vault is another database than the warehouse and cannot commit with it. Texts are written first,
under keys that their content gives, so writing them again changes nothing. A run that is killed in
between leaves texts without a row, which the next run sweeps. A purge goes the other way round: the
rows first, then every text that no row has any more.
"""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import duckdb

from agentledger import compaction, warehouse
from agentledger.settings import Settings

_TABLES = {
    # Each text once, however many calls repeat it; `kind` tells a text from a JSON value.
    "contents": "text_hash uuid not null, kind varchar not null, length bigint not null, "
    "text varchar not null",
    # One row per version of a record and field; `text_hashes` in order, one per message of a list.
    # `texts_key` tells apart versions that raw cannot: it knows texts by length and normal form.
    "call_contents": "raw_table varchar not null, source_id varchar not null, "
    "project_id varchar, record_key uuid not null, content_hash uuid not null, "
    "texts_key uuid not null, field varchar not null, text_hashes uuid[] not null",
    # A row stands here while a run writes: what a killed run wrote may lack its rows in raw.
    "unsettled": "run_id varchar not null",
}

_STATE = """
create schema if not exists state;
create table if not exists state.vault_sources (source_id varchar not null)
"""


def has_vault(settings: Settings) -> bool:
    """Whether any text was ever kept here."""
    return settings.vault_path.exists()


@contextlib.contextmanager
def attached(settings: Settings, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Attach the vault to a connection to the warehouse, making it on first use (mode 0600)."""
    path = str(settings.vault_path).replace("'", "''")
    connection.execute(f"attach '{path}' as vault")
    try:
        # Before any text is in it; the data home itself is its owner's alone.
        settings.vault_path.chmod(0o600)
        for table, columns in _TABLES.items():
            connection.execute(f"create table if not exists vault.{table} ({columns})")
        yield
    finally:
        connection.execute("detach vault")


@dataclass(slots=True)
class Keeper:
    """The vault during one collection; the caller holds the run lock."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    run_id: str
    source_ids: frozenset[str]
    """Sources whose owner wants texts kept."""
    tables: tuple[str, ...]
    """Raw tables whose records have texts."""
    sweeps_at_end: bool = False
    """Whether records may be too old to land, so that texts were written that no row has."""

    @contextlib.contextmanager
    def collecting(self) -> Iterator[None]:
        """Sweep what an earlier run left, let the batches write, and settle at the end."""
        if not self.source_ids and not has_vault(self.settings):
            yield
            return
        with attached(self.settings, self.connection):
            removed = self._sweep_left_over()
        if removed:
            compaction.compact(self.settings.vault_path, self.settings.spill_dir)
        with attached(self.settings, self.connection):
            self.connection.execute("insert into vault.unsettled values (?)", [self.run_id])
            yield
            self._settle()

    def _sweep_left_over(self) -> int:
        [(is_unsettled,)] = self.connection.execute(
            "select count(*) > 0 from vault.unsettled"
        ).fetchall()
        sources = self.connection.execute(
            "select distinct source_id from vault.call_contents"
        ).fetchall()
        if is_unsettled or any(row[0] not in self.source_ids for row in sources):
            return sweep(self.connection, self.tables, self.source_ids)
        return 0

    def _settle(self) -> None:
        """Remove what landed nowhere, as it was too old; remember whose texts are kept."""
        if self.sweeps_at_end:
            sweep(self.connection, self.tables, self.source_ids)
        self.connection.execute("delete from vault.unsettled")
        sources = self.connection.execute(
            "select distinct source_id from vault.call_contents order by 1"
        ).fetchall()
        self.connection.execute(_STATE)
        with warehouse.transaction(self.connection):
            self.connection.execute("delete from state.vault_sources")
            if sources:
                self.connection.executemany("insert into state.vault_sources values (?)", sources)


def pending_reasons(
    connection: duckdb.DuckDBPyConnection, source_ids: Collection[str]
) -> list[str]:
    """Why a run is needed: texts are kept whose owner does not want that any more.

    Args:
        connection: The warehouse; read only is enough.
        source_ids: Sources whose owner wants texts kept.
    """
    try:
        rows = connection.execute("select source_id from state.vault_sources").fetchall()
    except duckdb.CatalogException:
        return []  # nothing was ever kept
    gone = [row for row in rows if row[0] not in source_ids]
    return [f"texts of {len(gone)} source(s) are to be removed"] if gone else []


def sweep(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[str], source_ids: Collection[str]
) -> int:
    """Remove the texts that no row of raw has, and those of sources that keep none.

    Args:
        connection: The warehouse with the vault attached.
        tables: Raw tables whose records have texts.
        source_ids: Sources whose owner wants texts kept.

    Returns:
        The number of texts that went.
    """
    rows = " union all ".join(
        f"select '{table}' as raw_table, source_id, record_key, content_hash from raw.{table}"
        for table in tables
    )
    with warehouse.transaction(connection):
        connection.execute(
            f"""
            delete from vault.call_contents as c
            where not list_contains(?::varchar[], c.source_id) or not exists (
                select 1 from ({rows}) as r
                where r.raw_table = c.raw_table and r.source_id = c.source_id
                    and r.record_key = c.record_key and r.content_hash = c.content_hash
            )
            """,
            [sorted(source_ids)],
        ).fetchall()
        [(removed,)] = connection.execute(
            "delete from vault.contents where text_hash not in "
            "(select unnest(text_hashes) from vault.call_contents)"
        ).fetchall()
    return removed


def forget_orphans(settings: Settings, tables: Sequence[str], source_ids: Collection[str]) -> None:
    """Sweep after a purge or retention took rows out of raw, and give the space back.

    Args:
        settings: Names the data home; the caller holds the run lock.
        tables: Raw tables whose records have texts.
        source_ids: Sources whose owner wants texts kept.
    """
    with warehouse.open_warehouse(settings) as connection, attached(settings, connection):
        sweep(connection, tables, source_ids)
    compaction.compact(settings.vault_path, settings.spill_dir)
