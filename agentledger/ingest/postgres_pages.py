"""Which rows of a table are read now, cut into pages that are committed one by one.

Belongs here: the conditions over the watermark, the overlap, the sweep of changed row versions, and
where a copy goes on. Does not belong here: reading the rows (`postgres_load.py`), remembering the
position (`postgres_state.py`).

Two nets catch a row. Rows behind the watermark are read in its order, from some minutes before
it, because a transaction may commit later than the times that it wrote. And rows at or before it
that were written since (a late commit, an update) are told by the server's own row versions:
`xmin`, the transaction that wrote a row, is not older than the oldest transaction that was running
when the rows were read before. Decision: docs/adr/0013.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from agentledger.ingest.postgres_session import Session, literal, quoted
from agentledger.ingest.postgres_state import State
from agentledger.ingest.postgres_tables import RemoteTable

PAGE_ROWS = 250_000
"""Rows of one transaction of the warehouse: what a lost connection costs at most."""

PAGES_WITHOUT_INDEX = 8
"""Without an index each page reads the whole table: then there are no more pages than this."""

SAMPLED_BLOCKS = 400
"""Blocks that are looked at to cut pages of about equal size."""

OVERLAP_NUMBERS = 1_000
"""The overlap where a number tells the order: ids are given out before their rows are committed."""

SWEEP_EACH_RUN_ROWS = 5_000_000
"""Up to so many rows each run sweeps, which reads the table on the server; above, the first run of
each UTC day does."""

MAX_XID_DISTANCE = 2_000_000_000
"""Transaction numbers of rows are 32 bits and go round: beyond this a sweep proves nothing."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of the server that a session sees."""

    oldest_running: int
    """Every transaction below it had ended."""
    next_transaction: int
    now: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and what is known once they are committed."""

    condition: str
    after: State


def moment(session: Session) -> Moment:
    """Ask which moment the session sees."""
    [(oldest, following, now)] = session.rows(
        "select txid_snapshot_xmin(txid_current_snapshot())::bigint, "
        "txid_snapshot_xmax(txid_current_snapshot())::bigint, now()::text"
    )
    return Moment(oldest, following, now)


def plan_pages(
    session: Session,
    table: RemoteTable,
    before: State | None,
    at: Moment,
    today: date,
    overlap_minutes: float,
) -> Iterator[Page]:
    """Cut what is to be read into pages; each is asked for when the one before is committed.

    Args:
        session: An open session.
        table: The table.
        before: Where the last page left off; None begins anew.
        at: The moment that the session sees.
        today: UTC day of the run.
        overlap_minutes: How far before the watermark rows are read again.
    """
    if before is None or begins_anew(table, before, at):
        state = State.beginning(table, at.oldest_running, today)
        if _may_be_null(table):
            yield Page(f"{table.watermark.sql} is null", state)
        yield from _behind(session, table, state, None)
        return
    low = _low(table, before, overlap_minutes)
    state = before
    for page in _swept(table, before, at, today, low):
        state = page.after
        yield page
    if not is_swept_whole(table, before):
        yield from _behind(session, table, state, low)


def begins_anew(table: RemoteTable, before: State, at: Moment) -> bool:
    """Whether what is remembered says nothing of the table as it is now."""
    is_same = (before.table_oid, before.format, before.watermark) == (
        table.oid, table.format.name, table.watermark.sql,
    )  # fmt: skip
    if not is_same:
        return True
    if table.has_row_versions and _is_out_of_reach(before, at):
        return True
    if is_swept_whole(table, before):
        return False
    if table.watermark.kind == "none" and not table.has_row_versions:
        return True  # nothing tells what is new in a view without times
    return before.position is None and before.tie is None


def _may_be_null(table: RemoteTable) -> bool:
    return table.watermark.sql is not None and not any(
        table.columns[name].is_required for name in table.watermark.columns
    )


def sweeps(table: RemoteTable, before: State, today: date) -> bool:
    """Whether this run looks for changed rows before the watermark."""
    if not table.has_row_versions:
        return False
    return (
        table.watermark.kind == "none"
        or table.estimated_rows <= SWEEP_EACH_RUN_ROWS
        or before.swept_on != today
    )


def is_swept_whole(table: RemoteTable, before: State) -> bool:
    """Whether the sweep alone finds whatever is new: no column tells, and all was read once."""
    return table.watermark.kind == "none" and table.has_row_versions and before.is_complete


def changed(before: State) -> str:
    """SQL that is true for rows that may have been written since a moment.

    Numbers of 32 bits are compared by their distance from now, which is right across a wraparound.
    """
    oldest = f"'{before.oldest_running % 2**32}'::xid"
    return f"age(t.xmin) <= age({oldest})"


def _is_out_of_reach(before: State, at: Moment) -> bool:
    """Whether the server's numbers say nothing any more: another server, or too long ago."""
    distance = at.next_transaction - before.oldest_running
    return distance < 0 or distance > MAX_XID_DISTANCE or before.oldest_running % 2**32 < 3


def new_rows_condition(table: RemoteTable, before: State, today: date) -> str:
    """SQL that is true for rows that a run would read and may not know."""
    if sweeps(table, before, today):
        return changed(before)
    behind = f"{table.watermark.sql} > {literal(before.position or '')}"
    # A time that has not come yet is read again by every run, and known.
    return (
        behind
        if table.watermark.kind == "number"
        else f"{behind} and {table.watermark.sql} <= now()"
    )


def _swept(
    table: RemoteTable, before: State, at: Moment, today: date, low: str | None
) -> Iterator[Page]:
    """Rows at or before the watermark that were written since they were read."""
    rest = "true" if is_swept_whole(table, before) else f"({low}) is not true"
    if sweeps(table, before, today):
        after = replace(before, oldest_running=at.oldest_running, swept_on=today)
        yield Page(f"{rest} and {changed(before)}", after)
    elif not table.has_row_versions and _may_be_null(table):
        yield Page(f"{table.watermark.sql} is null", before)


def _low(table: RemoteTable, before: State, overlap_minutes: float) -> str:
    """SQL that is true for rows behind the watermark, the overlap among them."""
    if table.watermark.kind == "time":
        position = f"{literal(before.position or '')}::timestamptz"
        return f"{table.watermark.sql} > {position} - interval '{overlap_minutes} minutes'"
    if table.watermark.kind == "number":
        return f"{table.watermark.sql} > {int(before.position or 0) - OVERLAP_NUMBERS}"
    return f"{_tie(table)} > {literal(before.tie or '')}"


def _behind(session: Session, table: RemoteTable, state: State, low: str | None) -> Iterator[Page]:
    """Rows behind the watermark, in its order."""
    keys = [sql for sql in (table.watermark.sql, _tie(table)) if sql is not None]
    parts = [low] if low is not None else []
    if _may_be_null(table):
        parts.append(f"{table.watermark.sql} is not null")
    if not keys:
        yield Page("true", replace(state, is_complete=True))
        return
    key = ", ".join(keys)
    end = _end(session, table, parts)
    begin: Bound | None = None
    for bound in [*_bounds(session, table, parts), None]:
        within = list(parts)
        if begin is not None:
            within.append(f"({key}) > ({begin.sql})")
        if bound is not None:
            within.append(f"({key}) <= ({bound.sql})")
        reached = bound or end
        if reached is not None:
            state = replace(state, position=reached.position, tie=reached.tie)
        is_complete = state.is_complete or bound is None
        yield Page(" and ".join(within) or "true", replace(state, is_complete=is_complete))
        begin = bound


@dataclass(frozen=True, slots=True)
class Bound:
    """The key of a row, and the position that it stands for."""

    sql: str
    position: str | None
    tie: str | None


def _bound_columns(table: RemoteTable) -> str:
    """The key of a row; a time that has not come yet is no position to go on from."""
    tie = _tie(table) or "''"
    if table.watermark.sql is None:
        return f"null::text, null::text, false, {tie}"
    if table.watermark.kind == "number":
        return f"{table.watermark.sql}::text, {table.watermark.sql}::text, false, ''"
    past = f"least({table.watermark.sql}::timestamptz, now())"
    is_future = f"{table.watermark.sql}::timestamptz > now()"
    return f"{table.watermark.sql}::text, {past}::text, {is_future}, {tie}"


def _bound(table: RemoteTable, row: tuple[str | None, str | None, bool, str]) -> Bound:
    value, position, is_future, tie = row
    texts = [value] if value is not None else []
    if _tie(table) is not None:
        texts.append(tie)
    return Bound(", ".join(map(literal, texts)), position, "" if is_future else tie)


def _end(session: Session, table: RemoteTable, parts: list[str]) -> Bound | None:
    """The last row in the order of the key; None when there is none."""
    keys = [sql for sql in (table.watermark.sql, _tie(table)) if sql is not None]
    rows = session.rows(
        f"select {_bound_columns(table)} from {table.sql} as t "
        f"where {' and '.join(parts) or 'true'} "
        f"order by {', '.join(f'{sql} desc' for sql in keys)} limit 1"
    )
    return _bound(table, rows[0]) if rows else None


def _bounds(session: Session, table: RemoteTable, parts: list[str]) -> list[Bound]:
    """Keys that cut the rows into pages of about equal size, from a sample of the blocks."""
    if not table.blocks:
        return []
    percent = min(100.0, 100.0 * SAMPLED_BLOCKS / table.blocks)
    rows = PAGE_ROWS
    if not _is_indexed(session, table):
        rows = max(rows, table.estimated_rows // PAGES_WITHOUT_INDEX + 1)
    step = max(1, round(rows * percent / 100))
    keys = ", ".join(sql for sql in (table.watermark.sql, _tie(table)) if sql is not None)
    found = session.rows(
        "select v, p, f, k from ("
        f"select {_bound_columns(table)}, row_number() over (order by {keys}), count(*) over () "
        f"from {table.sql} as t tablesample system ({percent:.6f}) repeatable (1) "
        f"where {' and '.join(parts) or 'true'}"
        f") as s (v, p, f, k, n, rows) where n % {step} = 0 and n < rows order by n"
    )
    return [_bound(table, row) for row in found]


def _is_indexed(session: Session, table: RemoteTable) -> bool:
    if len(table.watermark.columns) != 1:
        return False
    return bool(
        session.rows(
            "select 1 from pg_index as i join pg_attribute as a "
            "on a.attrelid = i.indrelid and a.attnum = i.indkey[0] "
            f"where i.indrelid = {table.oid} and i.indisvalid and i.indpred is null "
            f"and a.attname = {literal(table.watermark.columns[0])}"
        )
    )


def _tie(table: RemoteTable) -> str | None:
    """What orders rows of one time; never NULL, and in the order of bytes."""
    if table.identity is None or table.watermark.kind == "number":
        return None
    return f"coalesce(t.{quoted(table.identity)}::text, '') collate \"C\""
