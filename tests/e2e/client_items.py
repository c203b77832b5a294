"""Spans, points, exemplars and log records of OTLP requests, in the words of our API: one side of every comparison.

They are read with the official message classes, not with any code of ours.
"""

import base64
import math
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

Item = dict[str, Any]

EXACT_IN_A_DOUBLE = 2**53
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
TEMPORALITIES = ("unspecified", "delta", "cumulative")


def plain(value: AnyValue) -> Any:
    """Return *value* as the API shows it: bytes as base64, not a number and infinities as text."""
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return pairs(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "double_value" if not math.isfinite(value.double_value):
            return str(value.double_value)
    return getattr(value, kind)


def pairs(attributes: Any) -> Item:
    return {pair.key: plain(pair.value) for pair in attributes}


def types(attributes: Any) -> dict[str, str]:
    """Return the types that JSON does not show."""
    found = {}
    for pair in attributes:
        kind = pair.value.WhichOneof("value")
        number = pair.value.double_value
        if kind == "bytes_value" or (kind == "double_value" and (not math.isfinite(number) or number.is_integer())):
            found[pair.key] = kind.removesuffix("_value")
    return found


def spans(request: Message) -> list[Item]:
    return [_span(span) | origin for span, origin in _walk(request, "resource_spans", "scope_spans", "spans")]


def logs(request: Message) -> list[Item]:
    return [_log(log) | origin for log, origin in _walk(request, "resource_logs", "scope_logs", "log_records")]


def points(request: Message) -> list[Item]:
    return [
        series | origin | _point(series["type"], point)
        for metric, origin in _walk(request, "resource_metrics", "scope_metrics", "metrics")
        for series, point in _series(metric)
    ]


def exemplars(request: Message) -> list[Item]:
    """Return all exemplars, each with the series that it belongs to."""
    return [
        {"series": series, "service": origin["resource"]["service.name"]} | _exemplar(exemplar)
        for metric, origin in _walk(request, "resource_metrics", "scope_metrics", "metrics")
        for series, point in _series(metric)
        for exemplar in point.exemplars
    ]


def _series(metric: Any) -> Iterator[tuple[Item, Any]]:
    """Yield every point with what makes its series."""
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    for point in data.data_points:
        yield (
            {
                "metric": metric.name,
                "type": kind,
                "unit": metric.unit,
                "description": metric.description,
                "temporality": TEMPORALITIES[getattr(data, "aggregation_temporality", 0)],
                "monotonic": getattr(data, "is_monotonic", False),
                "attributes": pairs(point.attributes),
            },
            point,
        )


def _walk(request: Message, groups: str, scopes: str, items: str) -> Iterator[tuple[Any, Item]]:
    """Yield every item with what its resource and scope say."""
    for group in getattr(request, groups):
        for scoped in getattr(group, scopes):
            origin = {
                "resource": pairs(group.resource.attributes),
                "schema_url": group.schema_url,
                "scope": scoped.scope.name,
                "scope_version": scoped.scope.version,
                "scope_attributes": pairs(scoped.scope.attributes),
                "scope_schema_url": scoped.schema_url,
            }
            for item in getattr(scoped, items):
                yield item, origin


def _span(span: Any) -> Item:
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex(),
        "trace_state": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": KINDS[span.kind],
        "start_ns": span.start_time_unix_nano,
        "end_ns": span.end_time_unix_nano,
        "status": STATUSES[span.status.code],
        "status_message": span.status.message,
        "attributes": pairs(span.attributes),
        "attribute_types": types(span.attributes),
        "dropped_attributes": span.dropped_attributes_count,
        "events": [
            {
                "name": event.name,
                "time_ns": event.time_unix_nano,
                "attributes": pairs(event.attributes),
                "dropped_attributes": event.dropped_attributes_count,
            }
            for event in span.events
        ],
        "dropped_events": span.dropped_events_count,
        "links": [
            {
                "trace_id": link.trace_id.hex(),
                "span_id": link.span_id.hex(),
                "trace_state": link.trace_state,
                "flags": link.flags,
                "attributes": pairs(link.attributes),
                "dropped_attributes": link.dropped_attributes_count,
            }
            for link in span.links
        ],
        "dropped_links": span.dropped_links_count,
    }


def _log(log: Any) -> Item:
    return {
        "time_ns": log.time_unix_nano or log.observed_time_unix_nano,
        "observed_ns": log.observed_time_unix_nano,
        "trace_id": log.trace_id.hex(),
        "span_id": log.span_id.hex(),
        "flags": log.flags,
        "severity_number": log.severity_number,
        "severity_text": log.severity_text,
        "event_name": log.event_name,
        "body": plain(log.body),
        "attributes": pairs(log.attributes),
        "attribute_types": types(log.attributes),
        "dropped_attributes": log.dropped_attributes_count,
    }


def _point(kind: str, point: Any) -> Item:
    found = {"start_ns": point.start_time_unix_nano, "time_ns": point.time_unix_nano}
    if kind in {"gauge", "sum"}:
        return found | {"value": _number(point)}
    found |= {"count": point.count}
    found |= {name: getattr(point, name) if point.HasField(name) else None for name in ("sum", "min", "max")}
    if kind == "histogram":
        return found | {"bounds": list(point.explicit_bounds), "counts": list(point.bucket_counts)}
    return found | {
        "scale": point.scale,
        "zero_count": point.zero_count,
        "zero_threshold": point.zero_threshold,
        "positive": [point.positive.offset, list(point.positive.bucket_counts)],
        "negative": [point.negative.offset, list(point.negative.bucket_counts)],
    }


def _exemplar(exemplar: Any) -> Item:
    return {
        "value": _number(exemplar),
        "time_ns": exemplar.time_unix_nano,
        "trace_id": exemplar.trace_id.hex(),
        "span_id": exemplar.span_id.hex(),
        "attributes": pairs(exemplar.filtered_attributes),
    }


def _number(point: Any) -> float:
    """Return the value of a point: a double, or an integer where no double holds it."""
    value = getattr(point, point.WhichOneof("value"))
    return value if abs(value) > EXACT_IN_A_DOUBLE else float(value)
