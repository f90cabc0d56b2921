"""Private texts of the sources whose owner wants them kept: `vault.duckdb`.

Belongs here: its tables, writing the texts of a batch, removing what the warehouse no longer knows,
finding the texts of a record. Does not belong here: which fields are texts (`EventFormat.texts`),
who is shown them (`query/replay.py`, `training/`).

The vault is another database than the warehouse and cannot commit with it. Texts are written first,
under keys that their content gives, so writing them again changes nothing. A run that is killed in
between leaves texts without a row, which the next run sweeps. A purge goes the other way round: the
rows first, then every text that no row has any more.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from agentledger import compaction, privacy, warehouse
from agentledger.errors import UsageError
from agentledger.settings import WAREHOUSE_WAIT_SECONDS, Settings

INCOMING = "vault_incoming"
"""Temporary table of staged rows with their texts; `write` takes them from there."""

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

_IDENTITY = "raw_table, source_id, record_key, content_hash, texts_key, field"


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


def keep_texts(connection: duckdb.DuckDBPyConnection, raw_table: str, sql: str) -> str:
    """Write the texts of projected rows to the vault, before the rows go anywhere.

    Lines that are not plain come again, through the tolerant path, and are left alone here.

    Args:
        connection: The warehouse with the vault attached and the pads of the keyed hashes set.
        raw_table: Raw table that the rows will go to.
        sql: The projection, with `private_texts`.

    Returns:
        SQL of the rows without their texts, from the temporary table `projected`, which the caller
        drops.
    """
    connection.execute(f"create or replace temp table projected as {sql}").fetchall()
    connection.execute(
        f"create or replace temp table {INCOMING} as select source_id, project_id, record_key, "
        "content_hash, private_texts from projected where is_plain and len(private_texts) > 0"
    ).fetchall()
    write(connection, raw_table)
    connection.execute(f"drop table {INCOMING}")
    connection.execute("alter table projected drop column private_texts")
    return "select * from projected"


def write(connection: duckdb.DuckDBPyConnection, raw_table: str) -> None:
    """Keep the texts of the rows in `INCOMING`; what is known already is left as it is.

    Args:
        connection: The warehouse with the vault attached and the pads of the keyed hashes set.
        raw_table: Raw table that the rows will go to.
    """
    hashed = f"cast(left({privacy.sql_keyed_hash('t')}, 32) as uuid)"
    connection.execute(
        f"""
        create or replace temp table vault_fields as
        with hashed as (
            select source_id, project_id, record_key, content_hash,
                list_transform(private_texts, lambda e: struct_pack(
                    field := e.field, kind := e.kind, texts := e.texts,
                    text_hashes := list_transform(e.texts, lambda t: {hashed})
                )) as fields
            from {INCOMING}
        ),
        keyed as (
            select *, cast(md5_number(cast(list_transform(
                fields, lambda e: struct_pack(f := e.field, h := e.text_hashes)
            ) as varchar)) as uuid) as texts_key
            from hashed
        )
        select source_id, project_id, record_key, content_hash, texts_key,
            unnest(fields, recursive := true)
        from keyed
        """
    )
    with warehouse.transaction(connection):
        connection.execute(
            """
            insert into vault.contents
            select text_hash, min(kind), min(length(text)), min(text)
            from (
                select kind, unnest(texts) as text, unnest(text_hashes) as text_hash
                from vault_fields
            ) as given
            where not exists (
                select 1 from vault.contents as known where known.text_hash = given.text_hash
            )
            group by text_hash
            """
        ).fetchall()
        same = " and ".join(f"known.{name} = given.{name}" for name in _IDENTITY.split(", "))
        connection.execute(
            f"""
            insert into vault.call_contents by name
            select distinct on ({_IDENTITY}) {_IDENTITY}, project_id, text_hashes
            from (select *, '{raw_table}' as raw_table from vault_fields) as given
            where not exists (select 1 from vault.call_contents as known where {same})
            """
        ).fetchall()
    connection.execute("drop table vault_fields")


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


@dataclass(frozen=True, slots=True)
class Texts:
    """Reads the texts of records from an opened vault."""

    connection: duckdb.DuckDBPyConnection
    source_ids: tuple[str, ...]
    """Sources whose owner wants texts kept now; of others nothing is shown."""

    def texts_of(
        self, records: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Mapping[str, list[str]]]:
        """Texts by (record key, content hash) and field, in order; unknown records are left out.

        Of versions that raw cannot tell apart, content decides which one is given.
        """
        if not records:
            return {}
        rows = self.connection.execute(
            """
            with wanted as (
                select unnest(?::uuid[]) as record_key, unnest(?::uuid[]) as content_hash
            ),
            found as (
                select c.record_key, c.content_hash, c.texts_key, c.field, c.text_hashes
                from call_contents as c
                join (select distinct * from wanted) as w
                    on w.record_key = c.record_key and w.content_hash = c.content_hash
                where list_contains(?::varchar[], c.source_id)
                qualify c.texts_key = min(c.texts_key) over (
                    partition by c.record_key, c.content_hash
                )
            ),
            placed as (
                select distinct record_key, content_hash, field, unnest(text_hashes) as text_hash,
                    generate_subscripts(text_hashes, 1) as position
                from found
            )
            select cast(record_key as varchar), cast(content_hash as varchar), field,
                list(contents.text order by position)
            from placed join contents using (text_hash)
            group by all
            """,
            [[key for key, _ in records], [version for _, version in records],
             list(self.source_ids)],
        ).fetchall()  # fmt: skip
        found: dict[tuple[str, str], dict[str, list[str]]] = {}
        for record_key, content_hash, field, texts in rows:
            found.setdefault((record_key, content_hash), {})[field] = texts
        return found


@contextlib.contextmanager
def opened(settings: Settings, source_ids: Collection[str]) -> Iterator[Texts]:
    """Open the vault for reading; the caller holds the run lock.

    Raises:
        UsageError: When there is no vault.
        RunLockedError: When another process keeps it open.
    """
    if not has_vault(settings):
        raise UsageError(NO_VAULT)
    connection = warehouse.connect_when_free(settings.vault_path, True, WAREHOUSE_WAIT_SECONDS)
    try:
        warehouse.configure(connection, settings.spill_dir)
        yield Texts(connection, tuple(sorted(source_ids)))
    finally:
        connection.close()


NO_VAULT = (
    "There is no vault here: no source keeps its texts. Let one keep them from its next record on "
    "with `agentledger source add KIND LOCATION --content vault`, then type `agentledger run`."
)
