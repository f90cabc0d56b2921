"""Texts of records on their way into the vault and out of it.

Belongs here: writing the texts of projected rows, finding those of a record. Does not belong here:
the file, its tables and what goes from it (`vault.py`), which fields are texts
(`EventFormat.texts`), who is shown them (`query/replays.py`, `training/`).
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from agentledger import privacy, vault, warehouse
from agentledger.errors import UsageError
from agentledger.settings import WAREHOUSE_WAIT_SECONDS, Settings

INCOMING = "vault_incoming"
"""Temporary table of staged rows with their texts; `write` takes them from there."""

NO_VAULT = (
    "There is no vault here: no source keeps its texts. Let one keep them from its next record on "
    "with `agentledger source add KIND LOCATION --content vault`, then type `agentledger run`."
)

_IDENTITY = "raw_table, source_id, record_key, content_hash, texts_key, field"


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

    def unclear_among(self, records: Sequence[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Records that stand for several texts: they were alike in all that raw knows."""
        rows = self.connection.execute(
            """
            select cast(record_key as varchar), cast(content_hash as varchar)
            from call_contents
            where (record_key, content_hash) in (
                select (unnest(?::uuid[]), unnest(?::uuid[]))
            ) and list_contains(?::varchar[], source_id)
            group by all
            having count(distinct texts_key) > 1
            """,
            [[key for key, _ in records], [version for _, version in records],
             list(self.source_ids)],
        ).fetchall()  # fmt: skip
        return frozenset((key, version) for key, version in rows)


@contextlib.contextmanager
def opened(settings: Settings, source_ids: Collection[str]) -> Iterator[Texts]:
    """Open the vault for reading; the caller holds the run lock.

    Raises:
        UsageError: When there is no vault.
        RunLockedError: When another process keeps it open.
    """
    if not vault.has_vault(settings):
        raise UsageError(NO_VAULT)
    connection = warehouse.connect_when_free(settings.vault_path, True, WAREHOUSE_WAIT_SECONDS)
    try:
        warehouse.configure(connection, settings.spill_dir)
        yield Texts(connection, tuple(sorted(source_ids)))
    finally:
        connection.close()
