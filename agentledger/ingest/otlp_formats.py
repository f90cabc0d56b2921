"""Spans, log records and metric points of OTLP as raw columns.

Belongs here: the columns of the three raw tables and how a request is told. Does not belong here:
taking requests apart (`otlp_requests.py`), which attributes may be kept (`otlp_attributes.py`).

What arrives here was judged already, value by value: the columns only name it.
"""

from collections.abc import Mapping

from agentledger.ingest import private_texts
from agentledger.ingest.event_format import EventFormat, texts
from agentledger.ingest.otlp_requests import SIGNALS

REQUESTS = EventFormat(
    name="otlp_requests",
    told_by=tuple(frozenset({name}) for name in SIGNALS),
    fields={},
    columns={},
    identity="null",
    must_have="true",
)
"""What a file holds. It has no table: its members have."""

_COMMON = {
    "service_name": "x.service",
    "service_version": "x.serviceVersion",
    "named_scope": "x.scope",
}
_COMMON_FIELDS = {
    **texts("service", "serviceVersion", "project", "scope"),
    "attributes": "JSON",
    "unknown": ["VARCHAR"],
}
_UNKNOWN = "case when len(x.unknown) > 0 then x.unknown end"
_ATTRIBUTES = "cast(nullif(x.attributes, '{}') as varchar)"

OTLP_SPANS = EventFormat(
    name="otlp_spans",
    told_by=(),
    fields={
        **_COMMON_FIELDS,
        **texts("traceId", "spanId", "parentSpanId", "name", "kind", "start", "end", "status"),
    },
    columns={
        "trace_id": "x.traceId",
        "span_id": "x.spanId",
        "parent_span_id": "x.parentSpanId",
        "span_name": "x.name",
        "span_kind": "x.kind",
        "started_ns": "x.start",
        "ended_ns": 'x."end"',
        "status_code": "x.status",
        **_COMMON,
        "openinference_project": "x.project",
        "attributes": _ATTRIBUTES,
    },
    identity="(trace_id || ':' || span_id)",
    must_have="true",
    unknown_inside=_UNKNOWN,
    texts=private_texts.OTLP_SPAN,
    json_texts=frozenset(private_texts.OTLP_SPAN),
    vault_fields=frozenset({"texts"}),
)

OTLP_LOGS = EventFormat(
    name="otlp_logs",
    told_by=(),
    fields={
        **_COMMON_FIELDS,
        **texts("name", "isOwn", "time", "observed", "severity", "traceId", "spanId"),
    },
    columns={
        "event_name": "x.name",
        "is_claude_code": "x.isOwn",
        "time_ns": 'x."time"',
        "observed_ns": "x.observed",
        "severity": "x.severity",
        "trace_id": "x.traceId",
        "span_id": "x.spanId",
        "session_id": """x.attributes ->> '$."session.id"'""",
        "event_sequence": """x.attributes ->> '$."event.sequence"'""",
        **_COMMON,
        "attributes": _ATTRIBUTES,
    },
    # Alone, a sequence number is begun again by a session that is resumed.
    identity="(session_id || ':' || event_sequence || ':' || coalesce(event_name, '') || ':' "
    "|| coalesce(time_ns, ''))",
    must_have="true",
    unknown_inside=_UNKNOWN,
    texts=private_texts.OTLP_LOG,
    json_texts=frozenset(private_texts.OTLP_LOG),
    vault_fields=frozenset({"texts"}),
)

OTLP_METRICS = EventFormat(
    name="otlp_metrics",
    told_by=(),
    fields={
        **_COMMON_FIELDS,
        **texts(
            "name", "unit", "kind", "temporality", "monotonic", "start", "time", "value", "count",
            "sum", "series",
        ),
    },
    columns={
        "metric_name": "x.name",
        "unit": "x.unit",
        "point_kind": "x.kind",
        "temporality": "x.temporality",
        "is_monotonic": "x.monotonic",
        "started_ns": 'x."start"',
        "time_ns": 'x."time"',
        "value": 'x."value"',
        "point_count": 'x."count"',
        "point_sum": 'x."sum"',
        "series": "x.series",
        **_COMMON,
        "attributes": _ATTRIBUTES,
    },
    identity="(series || ':' || coalesce(named_scope, '') || ':' || coalesce(metric_name, '') "
    "|| ':' || coalesce(started_ns, '') || ':' || time_ns)",
    must_have="true",
    unknown_inside=_UNKNOWN,
)  # fmt: skip

OTLP_FORMATS: Mapping[str, EventFormat] = {
    item.name: item for item in (REQUESTS, OTLP_SPANS, OTLP_LOGS, OTLP_METRICS)
}
