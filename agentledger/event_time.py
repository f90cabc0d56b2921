"""When an event happened, as the staging models read it, in the SQL of ingest.

Belongs here: the temporary macros with which retention tells the age of a raw row whose time is
still text. Does not belong here: what is too old (`retention.py`), times in numbers (`models/`).

This repeats `dbt_project/macros/timestamps.sql` and `zones.sql`, because a row may have to go
before any model is built. A test compares the two over every spelling.
"""

from collections.abc import Mapping, Sequence

import duckdb

EARLIEST_PLAUSIBLE = "2015-01-01 00:00:00+00"
"""As the models' variable `earliest_plausible_at`: an earlier time is not believed, so its record
is of unknown age."""

EVENT_TIME_COLUMNS: dict[str, tuple[str, ...]] = {
    "skill_usage": ("invoked_at",),
    "intent_events": ("ts",),
    "intent_executions": ("ts",),
    "chat_events": ("ts",),
    # A run that has no beginning has perhaps an end.
    "workflow_executions": ("started_at", "completed_at"),
    "ledger_reads": ("ts",),
    "usage_events": ("ts",),
    "suggestion_feedback": ("ts",),
    "agent_changes": ("ts",),
    "pattern_judgements": ("ts",),
    "agent_telemetry": ("ts",),
    "claude_code_lines": ("ts",),
    "claude_code_blocks": ("ts",),
    "otlp_spans": ("started_ns", "ended_ns"),
    "otlp_logs": ("time_ns", "observed_ns"),
    "otlp_metrics": ("time_ns", "started_ns"),
    "codex_lines": ("ts",),
    "langfuse_observations": ("started_at", "ended_at"),
}
"""Raw table of records → columns that tell when; the first that can be read counts."""

WHOLE_FILE_TABLES = frozenset({"codex_lines"})
"""Raw tables whose lines mean something only after the lines before them in their file, such as
counters that grow: the newest line of a file tells the age of all of them."""

_MACROS = (
    r"""
    event_time_tidied(t) as replace(upper(
        regexp_replace(t, '^(.{10}[T ][0-9]{2}:[0-9]{2}):60', '\1:59')), ',', '.')""",
    r"""
    event_time_leap(t) as to_seconds(
        case when regexp_matches(t, '^.{10}[T ][0-9]{2}:[0-9]{2}:60') then 1 else 0 end)""",
    """
    event_time_stated(t) as coalesce(try_cast(t as timestamptz),
        try_cast(event_time_tidied(t) as timestamptz) + event_time_leap(t))""",
    """
    event_time_wall(t) as coalesce(try_cast(t as timestamp),
        try_cast(event_time_tidied(t) as timestamp) + event_time_leap(t))""",
    # Seconds, milliseconds, microseconds, nanoseconds, told by their size.
    """
    event_time_epoch(n) as make_timestamptz(try_cast(trunc(case
        when abs(n) < 100000000000 then cast(n as decimal(30, 9)) * 1000000
        when abs(n) < 100000000000000 then cast(n as decimal(30, 9)) * 1000
        when abs(n) < 100000000000000000 then n
        when abs(n) < 9000000000000000000000 then n / 1000
    end) as bigint))""",
    # With the offset that held four hours before: an hour shown twice means its first showing.
    """
    event_time_earlier(w, z) as make_timestamptz(epoch_us(w)
        - epoch_us(timezone(z, timezone(z, w) - interval 4 hour))
        + epoch_us(timezone(z, w) - interval 4 hour))""",
    """
    event_time_read(w, z) as case
        when timezone(z, event_time_earlier(w, z)) = w
            then least(event_time_earlier(w, z), timezone(z, w))
        else timezone(z, w)
    end""",
    # With an offset, by two characters for the usual ones; a wall clock; a number; an offset after
    # all. One case, so that each condition is asked once: a filter shares nothing.
    r"""
    event_time(t, z) as case
        when substr(trim(t), 5, 1) = '-' and length(trim(t)) > 15
            and (right(trim(t), 1) = 'Z' or substr(trim(t), -6, 1) in ('+', '-'))
            then event_time_stated(trim(t))
        when regexp_full_match(trim(t), '[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.,]*)?')
            then case when z = 'UTC' then timezone('UTC', event_time_wall(trim(t)))
                else event_time_read(event_time_wall(trim(t)), z) end
        when regexp_full_match(trim(t), '[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?')
            then event_time_epoch(try_cast(trim(t) as decimal(38, 9)))
        when regexp_matches(trim(t), '^[+-]?[0-9]') then event_time_stated(trim(t))
    end""",
    # NULL when it is not believed, in one evaluation: greatest() passes over a NULL.
    f"""
    usable_event_time(t, z) as nullif(
        greatest(event_time(t, z), timestamptz '{EARLIEST_PLAUSIBLE}' - interval 1 microsecond),
        timestamptz '{EARLIEST_PLAUSIBLE}' - interval 1 microsecond)""",
)


def define(connection: duckdb.DuckDBPyConnection, zones: Mapping[str, str]) -> None:
    """Give a connection the macros and the zones of its sources.

    Args:
        connection: The warehouse.
        zones: Source id → IANA zone of its times without an offset, as of this run; what is not
            named here is looked up in `raw.sources`.
    """
    for macro in _MACROS:
        connection.execute(f"create or replace temp macro {macro}")
    connection.execute(
        "create or replace temp table event_time_zones as select source_id, zone from raw.sources"
    )
    for source_id, zone in zones.items():
        connection.execute("delete from event_time_zones where source_id = ?", [source_id])
        connection.execute("insert into event_time_zones values (?, ?)", [source_id, zone])


def usable_time(columns: Sequence[str], row: str, zones: str) -> str:
    """SQL for the instant of a record, NULL when none can be read or believed.

    Args:
        columns: Columns of the row that tell when, the first that can be read counts.
        row: Alias of the row.
        zones: Alias of `event_time_zones`, joined on the source id.
    """
    zone = f"coalesce({zones}.zone, 'UTC')"
    times = ", ".join(f"usable_event_time({row}.{column}, {zone})" for column in columns)
    return f"coalesce({times})"


def usable_record_time(table: str, row: str, zones: str) -> str:
    """SQL for the instant that tells the age of a row of a raw table.

    Args:
        table: One of `EVENT_TIME_COLUMNS`.
        row: Alias of the row.
        zones: Alias of `event_time_zones`, joined on the source id.
    """
    own = usable_time(EVENT_TIME_COLUMNS[table], row, zones)
    if table not in WHOLE_FILE_TABLES:
        return own
    return f"max({own}) over (partition by {row}.file_id)"
