"""Which calls a data set may be made of, as the warehouse knows them.

Belongs here: the filters, reasons for leaving a call out that need no text, the calls of
`agent_telemetry`. Does not belong here: answers of coding agents (`transcript_candidates.py`),
conversations (`conversation.py`), the split (`split.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import duckdb

from agentledger import privacy
from agentledger.errors import AgentLedgerError, UsageError
from agentledger.training.conversation import UnreadableError, parts_of_texts
from agentledger.transcripts.parts import UNREADABLE, CallParts
from agentledger.transcripts.parts import Texts as TextsOfCall

if TYPE_CHECKING:
    from agentledger.vault_texts import Texts

Wants = Callable[[str, str], bool]
"""Whether the calls of a session, of a project, are asked for now."""

Given = CallParts | str | None
"""What a call was given and answered, or why nobody can tell; None when no text of it is kept."""

BATCH_CALLS = 2000
"""Calls whose texts are in memory at a time: some 100 MB where histories are long."""

_CALLS: Final = """
    select
        cast(versions.record_key as varchar), cast(versions.content_hash as varchar),
        versions.source_id, records.project_id, cast(records.turn_unit as varchar),
        records.is_open, summaries.stop_reason_base, records.tokens
    from intermediate.int_agent_telemetry_records as records
    inner join intermediate.int_agent_telemetry_versions as versions
        on versions.telemetry_key = records.telemetry_key and versions.is_kept
    inner join raw.projects as projects
        on projects.project_id = records.project_id and projects.is_active
    left join intermediate.int_agent_telemetry_records as summaries
        on summaries.turn_key = records.turn_key and summaries.record_type = 'turn_summary'
    where records.record_type = 'llm_call'
        and ($1 is null or records.project_id = $1)
        and ($2 is null or records.occurred_at >= $2)
    order by records.project_id, records.turn_unit, records.seq, records.telemetry_key
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the person asked for."""

    project_id: str | None = None
    since: datetime | None = None
    min_tokens: int = 0
    min_response_chars: int = 0
    only_completed: bool = False
    include_open_turns: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One model call without its texts."""

    record_key: str
    content_hash: str
    source_id: str
    project_id: str
    session: str
    is_open: bool
    stop_reason: str | None
    tokens: int | None

    def dropped_as(self, filters: Filters) -> str | None:
        """Why it is left out before its texts are looked at, or None."""
        if self.is_open and not filters.include_open_turns:
            return "open_turn"
        if filters.only_completed and self.stop_reason != "completed":
            return "not_completed"
        if (self.tokens or 0) < filters.min_tokens:
            return "too_few_tokens"
        return None


def telemetry_calls(
    connection: duckdb.DuckDBPyConnection, filters: Filters, texts: "Texts", wants: Wants
) -> Iterator[tuple[Call, Given]]:
    """Give the calls of `agent_telemetry` in order of project, session and place in it.

    Raises:
        AgentLedgerError: When the warehouse was built by an earlier version.
    """
    for call, said in calls_and_texts(connection, _CALLS, filters, texts, wants):
        try:
            yield call, None if said is None else parts_of_texts(said)
        except UnreadableError:
            yield call, UNREADABLE


def calls_and_texts(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    filters: Filters,
    texts: "Texts",
    wants: Wants,
) -> Iterator[tuple[Call, TextsOfCall | None]]:
    """Give the calls that are asked for, each with its texts where the vault has them.

    Args:
        connection: The warehouse.
        sql: A question whose columns are the fields of `Call`, for a project and a begin.
        filters: What it is asked for.
        texts: Where texts may be found.
        wants: Which calls.

    Raises:
        AgentLedgerError: When the warehouse was built by an earlier version.
    """
    calls = (Call(*row) for row in rows(connection, sql, [filters.project_id, filters.since]))
    while batch := list(islice(calls, BATCH_CALLS)):
        mine = [call for call in batch if wants(call.session, call.project_id)]
        known = texts.texts_of([(call.record_key, call.content_hash) for call in mine])
        for call in mine:
            yield call, known.get((call.record_key, call.content_hash))


def rows(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    """Rows of a question, a batch in memory at a time.

    Raises:
        AgentLedgerError: When the warehouse was built by an earlier version.
    """
    try:
        cursor = connection.cursor().execute(sql, list(values))
    except duckdb.CatalogException as error:
        raise AgentLedgerError(
            "The warehouse holds no turns yet: its models were built by an earlier version, or not "
            "at all. Type `agentledger run --full-refresh`."
        ) from error
    while found := cursor.fetchmany(BATCH_CALLS):
        yield from found


def project_id(connection: duckdb.DuckDBPyConnection, given: str) -> str:
    """Id of an active project by its name, id or path.

    Raises:
        UsageError: When there is none, or several have the name.
    """
    rows = connection.execute(
        "select project_id, project_name, path from raw.projects where is_active order by all"
    ).fetchall()
    paths = {given, privacy.resolve_path(given)}
    found = [row[0] for row in rows if given in row[:2] or row[2] in paths]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{len(found)} projects are named {given!r}. Give the id of one.")
    names = ", ".join(sorted({row[1] for row in rows})[:10])
    raise UsageError(f"There is no project {given!r} in the ledger. Known: {names}.")


def as_of(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The instant of the last run, the only "now" of a data set."""
    rows = connection.execute("select as_of from raw.run_context").fetchall()
    if not rows:
        raise AgentLedgerError("Nothing was built yet. Type `agentledger run`.")
    return rows[0][0].astimezone(UTC)
