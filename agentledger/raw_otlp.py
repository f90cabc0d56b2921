"""The raw tables of OpenTelemetry.

Belongs here: their DDL and what a row of each is. Does not belong here: how they are filled
(`ingest/otlp_stage.py`), the other tables (`raw_tables.py`).
"""

_MEMBER_COLUMNS = """
        record_key uuid not null, content_hash uuid not null,
        file_id bigint not null, line_no bigint not null, byte_offset bigint not null,
        ordinal integer not null,
        source_id varchar not null, project_id varchar not null, host_id varchar not null,
        run_id varchar not null, ingested_at timestamptz not null, load_seq bigint not null,
        flags varchar, service_name varchar, service_version varchar, named_scope varchar,
        attributes varchar,
"""
"""`ordinal` counts the members of the requests of a line; `attributes` is a JSON object of those
that may be kept, as text, under the names that the producer gave them."""

OTLP_TABLES: dict[str, str] = {
    # One row per span of a request (formats.md 8.1); no events, no links, no messages.
    "otlp_spans": _MEMBER_COLUMNS
    + """
        trace_id varchar, span_id varchar, parent_span_id varchar, span_name varchar,
        span_kind varchar, started_ns varchar, ended_ns varchar, status_code varchar,
        openinference_project varchar
    """,
    # One row per log record; of its body only the name of an event of Claude Code's.
    "otlp_logs": _MEMBER_COLUMNS
    + """
        event_name varchar, is_claude_code varchar, time_ns varchar, observed_ns varchar,
        severity varchar, trace_id varchar, span_id varchar, session_id varchar,
        event_sequence varchar
    """,
    # One row per point of a metric; `series` is a keyed hash of all attributes, kept or not.
    "otlp_metrics": _MEMBER_COLUMNS
    + """
        metric_name varchar, unit varchar, point_kind varchar, temporality varchar,
        is_monotonic varchar, started_ns varchar, time_ns varchar, value varchar,
        point_count varchar, point_sum varchar, series varchar
    """,
}
"""Merged into `RAW_TABLES`."""
