"""Traces: search, and one trace with all its spans."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.attributes import key_values, merge
from storage.client import Database
from storage.times import from_ns, text, whole

SPAN_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class TraceSummary:
    trace_id: str
    started_at: datetime
    duration_ms: float
    service: str
    name: str
    spans: int
    errors: int
    services: list[str]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    name: str
    time_ns: int
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpanLink:
    trace_id: str
    span_id: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """One span as stored; times in nanoseconds since 1970, ids in lower-case hex, no parent is ''."""

    span_id: str
    parent_span_id: str
    service: str
    environment: str
    version: str
    name: str
    kind: str
    start_ns: int
    duration_ns: int
    status: str
    status_message: str
    error: bool
    scope: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[SpanEvent]
    links: list[SpanLink]


def search(
    database: Database,
    *,
    start: datetime,
    end: datetime,
    service: str = "",
    operation: str = "",
    errors_only: bool = False,
    min_duration_ms: float = 0,
    limit: int = 50,
) -> list[TraceSummary]:
    """Return the newest traces with a span in [start, end) that matches everything asked for."""
    parameters = {
        "start": whole(start),
        "end": whole(end),
        "service": service,
        "operation": operation,
        "errors_only": errors_only,
        "min_duration_ns": round(min_duration_ms * 1e6),
        "limit": limit,
    }
    return [_summary(row) for row in database.rows("trace_search", parameters)]


def spans_of(database: Database, trace_id: str) -> list[StoredSpan]:
    """Return the spans of one trace by start time, at most SPAN_LIMIT; none when there is no such trace."""
    found = database.rows("trace_bounds", {"trace_id": trace_id})
    if not found:
        return []
    parameters = {
        "trace_id": trace_id,
        "start": text(found[0]["first_at"]),
        "end": text(found[0]["last_at"]),
        "limit": SPAN_LIMIT,
    }
    return [_span(row) for row in database.rows("trace_spans", parameters)]


def _summary(row: dict[str, Any]) -> TraceSummary:
    services = sorted(row["service_names"])
    return TraceSummary(
        trace_id=row["trace_id_hex"],
        started_at=from_ns(row["start_ns"]),
        duration_ms=(row["end_ns"] - row["start_ns"]) / 1e6,
        service=row["root_service"] or services[0],
        name=row["root_name"] or "(root span missing)",
        spans=row["span_count"],
        errors=row["error_count"],
        services=services,
    )


def _span(row: dict[str, Any]) -> StoredSpan:
    return StoredSpan(
        span_id=row["span_id_hex"],
        parent_span_id=row["parent_id_hex"],
        service=row["service"],
        environment=row["environment"],
        version=row["version"],
        name=row["name"],
        kind=row["kind_name"],
        start_ns=row["start_ns"],
        duration_ns=row["duration_ns"],
        status=row["status_name"],
        status_message=row["message"],
        error=row["error"],
        scope=row["scope_name"],
        attributes=merge(*(row[f"attr_{kind}"] for kind in ("str", "int", "num", "bool", "raw_hex"))),
        resource=merge(*(row[f"resource_{kind}"] or {} for kind in ("str", "int", "num", "bool", "raw_hex"))),
        events=[
            SpanEvent(name, at, key_values(pairs))
            for name, at, pairs in zip(row["event_names"], row["event_ns"], row["event_attributes_hex"], strict=True)
        ],
        links=[
            SpanLink(trace, span, key_values(pairs))
            for trace, span, pairs in zip(
                row["link_traces"], row["link_spans"], row["link_attributes_hex"], strict=True
            )
        ],
    )
