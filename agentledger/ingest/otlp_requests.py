"""One export request of OTLP, taken apart into its spans, log records and metric points.

Belongs here: stepping through the three kinds of requests and making of each member one flat record
of what may be kept. Does not belong here: which attributes may be kept (`otlp_attributes.py`),
columns (`otlp_formats.py`), files (`otlp_stage.py`).

Names of spans, bodies, events, links, status messages and exemplars may hold what people wrote:
of these only the names of records that tell of agents are kept. Source of the format: formats.md
section 8.1 of the shared documents.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentledger import privacy
from agentledger.ingest import otlp_attributes, otlp_texts, otlp_values

SIGNALS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "resourceSpans": ("otlp_spans", ("scopeSpans", "instrumentationLibrarySpans"), ("spans",)),
    "resourceLogs": (
        "otlp_logs", ("scopeLogs", "instrumentationLibraryLogs"), ("logRecords", "logs"),
    ),
    "resourceMetrics": (
        "otlp_metrics", ("scopeMetrics", "instrumentationLibraryMetrics"), ("metrics",),
    ),
}  # fmt: skip
"""Root member → raw table, names of the list of scopes, names of the list inside a scope."""

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
TEMPORALITIES = ("unspecified", "delta", "cumulative")
POINT_KINDS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")

_RESOURCE_NAMES = frozenset({"service.name", "service.version", "openinference.project.name"})
_CLAUDE_CODE = "claude_code."
_MAX_LENGTH_NAME = 128


@dataclass(frozen=True, slots=True)
class Part:
    """One member of a request."""

    table: str | None
    """Raw table; None for what is no object and gives no record."""
    record: dict[str, Any]
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class _Around:
    """What the resource and the scope tell of every record inside them."""

    service: str | None
    fields: dict[str, Any]
    identity: str
    """All attributes of the resource, as one text: never stored, only hashed."""
    unknown: Counter[str] = field(default_factory=Counter)


def parts(request: Mapping[str, Any], key: bytes, *, keeps_texts: bool = False) -> Iterator[Part]:
    """Take a request apart, in the order in which it was written.

    Args:
        request: The decoded request.
        key: Secret of the keyed hashes.
        keeps_texts: Add the private texts of spans and log records as `texts`, for the vault
            alone.
    """
    for root, (table, scope_names, member_names) in SIGNALS.items():
        for resource in _objects(request.get(root), root):
            if isinstance(resource, Part):
                yield resource
                continue
            around = _around(resource, key)
            for scope in _objects(_first(resource, scope_names), scope_names[0]):
                if isinstance(scope, Part):
                    yield scope
                    continue
                named = scope.get("scope") or scope.get("instrumentationLibrary")
                for member in _objects(_first(scope, member_names), member_names[0]):
                    if isinstance(member, Part):
                        yield member
                    else:
                        for part in _read(table, member, around, _name_of(named), key):
                            if keeps_texts:
                                _add_texts(part, member)
                            yield part
                        around.unknown = Counter()  # told once


def _add_texts(part: Part, member: Mapping[str, Any]) -> None:
    if part.table == "otlp_spans":
        part.record["texts"] = otlp_texts.texts_of_span(member)
    elif part.table == "otlp_logs":
        part.record["texts"] = otlp_texts.texts_of_log(
            member, part.record["name"], is_claude_code=part.record["isOwn"] == "true"
        )


def _objects(value: Any, what: str) -> Iterator[Any]:
    """The objects of a list; whatever else stands there is a part without a record."""
    if value is None:
        return
    if not isinstance(value, list):
        yield Part(None, {"what": what, "value": value})
        return
    for item in value:
        is_object = isinstance(item, dict)
        yield item if is_object else Part(None, {"what": what, "value": item})


def _first(holder: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((holder[name] for name in names if holder.get(name) is not None), None)


def _around(holder: Mapping[str, Any], key: bytes) -> _Around:
    resource = holder.get("resource")
    attributes = resource.get("attributes") if isinstance(resource, dict) else None
    values = dict(otlp_attributes.pairs(attributes))
    service = _kept(values.get("service.name"), "title", key)
    return _Around(
        service=service,
        fields={
            "service": service,
            "serviceVersion": _kept(values.get("service.version"), "name", key),
            "project": _kept(values.get("openinference.project.name"), "title", key),
        },
        identity=otlp_values.canonical(attributes),
        unknown=otlp_attributes.unknown_of_resource(attributes, _RESOURCE_NAMES),
    )


def _kept(value: Any, kind: str, key: bytes) -> str | None:
    found = otlp_attributes.kept_value(otlp_attributes.scalar(value), kind, key)
    return found if isinstance(found, str) else None


def _name_of(named: Any) -> str | None:
    text = named.get("name") if isinstance(named, dict) else None
    return _plain_name(text)


def _plain_name(text: Any) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return None
    found = otlp_attributes.kept_value(text[: _MAX_LENGTH_NAME + 1], "title", b"")
    return found if isinstance(found, str) else None


def _read(
    table: str, member: Mapping[str, Any], around: _Around, scope: str | None, key: bytes
) -> Iterator[Part]:
    reader = {"otlp_spans": _span, "otlp_logs": _log, "otlp_metrics": _points}[table]
    for found in reader(member, around, key):
        if isinstance(found, Part):
            yield found
            continue
        record, kept = found
        unknown = sorted((kept.unknown + around.unknown).elements())
        flags = ("unexpected_type",) if kept.has_odd_value else ()
        yield Part(
            table,
            {
                **around.fields,
                "scope": scope,
                **record,
                "attributes": kept.values,
                "unknown": unknown,
            },
            flags,
        )
        around.unknown = Counter()


def _allowed(around: _Around, name: Any) -> Mapping[str, str]:
    is_own = around.service == "claude-code" or (
        isinstance(name, str) and name.startswith(_CLAUDE_CODE)
    )
    return otlp_attributes.CLAUDE_CODE if is_own else otlp_attributes.GENERAL


def _span(
    span: Mapping[str, Any], around: _Around, key: bytes
) -> Iterator[tuple[dict[str, Any], otlp_attributes.Kept]]:
    name = span.get("name")
    kept = otlp_attributes.read(span.get("attributes"), _allowed(around, name), key)
    status = span.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    # The name of any other span may be a path or a query.
    tells_of_agents = kept.values or (isinstance(name, str) and name.startswith(_CLAUDE_CODE))
    yield (
        {
            "traceId": otlp_values.trace_part(span.get("traceId"), key),
            "spanId": otlp_values.trace_part(span.get("spanId"), key),
            "parentSpanId": otlp_values.trace_part(span.get("parentSpanId"), key),
            "name": _plain_name(name) if tells_of_agents else None,
            "kind": otlp_values.enum(span.get("kind"), "SPAN_KIND_", KINDS),
            "start": otlp_values.nanoseconds(span.get("startTimeUnixNano")),
            "end": otlp_values.nanoseconds(span.get("endTimeUnixNano")),
            "status": otlp_values.enum(code, "STATUS_CODE_", STATUSES),
        },
        kept,
    )


def _log(
    log: Mapping[str, Any], around: _Around, key: bytes
) -> Iterator[tuple[dict[str, Any], otlp_attributes.Kept]]:
    body = otlp_attributes.scalar(log.get("body"))
    own_name = body if isinstance(body, str) and body.startswith(_CLAUDE_CODE) else None
    kept = otlp_attributes.read(log.get("attributes"), _allowed(around, own_name), key)
    named = _plain_name(log.get("eventName")) or kept.values.get("event.name")
    named = named or _plain_name(own_name)
    severity = log.get("severityNumber")
    yield (
        {
            "name": named.removeprefix(_CLAUDE_CODE) if isinstance(named, str) else None,
            "isOwn": "true"
            if _allowed(around, own_name) is otlp_attributes.CLAUDE_CODE
            else "false",
            "time": otlp_values.nanoseconds(log.get("timeUnixNano")),
            "observed": otlp_values.nanoseconds(log.get("observedTimeUnixNano")),
            "severity": str(severity) if isinstance(severity, int) else None,
            "traceId": otlp_values.trace_part(log.get("traceId"), key),
            "spanId": otlp_values.trace_part(log.get("spanId"), key),
        },
        kept,
    )


def _points(
    metric: Mapping[str, Any], around: _Around, key: bytes
) -> Iterator[Part | tuple[dict[str, Any], otlp_attributes.Kept]]:
    name = metric.get("name")
    for kind in POINT_KINDS:
        data = metric.get(kind)
        if not isinstance(data, dict):
            continue
        for point in _objects(data.get("dataPoints"), "dataPoints"):
            if isinstance(point, Part):
                yield point
                continue
            kept = otlp_attributes.read(point.get("attributes"), _allowed(around, name), key)
            value = point.get("asDouble")
            yield (
                {
                    "name": _plain_name(name),
                    "unit": _plain_name(metric.get("unit")),
                    "kind": kind,
                    "temporality": otlp_values.enum(
                        data.get("aggregationTemporality"),
                        "AGGREGATION_TEMPORALITY_",
                        TEMPORALITIES,
                    ),
                    "monotonic": otlp_values.flag(data.get("isMonotonic")),
                    "start": otlp_values.nanoseconds(point.get("startTimeUnixNano")),
                    "time": otlp_values.nanoseconds(point.get("timeUnixNano")),
                    "value": otlp_values.number(point.get("asInt") if value is None else value),
                    "count": otlp_values.number(point.get("count")),
                    "sum": otlp_values.number(point.get("sum")),
                    # Series differ by attributes that are not kept, too.
                    "series": privacy.keyed_hash(
                        key,
                        "\x1f".join(
                            (around.identity, otlp_values.canonical(point.get("attributes")))
                        ),
                    )[:32],
                },
                kept,
            )


def foreign_format(value: Any) -> str | None:
    """What a document is that looks like traces but is no OTLP, and what to do about it."""
    if not isinstance(value, dict):
        return None
    context = value.get("context")
    if isinstance(context, dict) and "trace_id" in context:
        return (
            "this is the output of a console exporter, not OTLP/JSON; send the spans to a "
            "collector with a file exporter"
        )
    data = value.get("data")
    if isinstance(data, list) and any(
        isinstance(item, dict) and "traceID" in item and "spans" in item for item in data
    ):
        return "this is a Jaeger export, not OTLP/JSON; let a collector write OTLP to a file"
    if "traceID" in value and "spans" in value:
        return "this is a Jaeger trace, not OTLP/JSON; let a collector write OTLP to a file"
    return None
