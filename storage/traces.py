"""Traces: search, and one trace with all its spans."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.client import Database
from storage.origins import Origin, read_origins
from storage.stored_span import StoredSpan, read_span
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
class StoredTrace:
    """Spans by start time, at most SPAN_LIMIT; none when there is no such trace.

    `lost` more had been stored when an alert pinned the trace, and are gone: of a huge one only some were pinned.
    """

    spans: list[StoredSpan]
    lost: int


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


def toolkit_traces(database: Database, *, start: datetime, end: datetime, limit: int) -> list[str]:
    """Return the ids of the newest traces in [start, end) that a run of Chaos Toolkit left, by its tracing control."""
    parameters = {"start": whole(start), "end": whole(end), "limit": limit}
    return [row["trace_id_hex"] for row in database.rows("toolkit_traces", parameters)]


def read_trace(database: Database, trace_id: str) -> StoredTrace:
    """Return one trace: its raw spans, and where their retention is over, those that an alert pinned."""
    found = database.rows("trace_bounds", {"trace_id": trace_id})
    if not found:
        return StoredTrace([], 0)
    (bounds,) = found
    parameters = {
        "trace_id": trace_id,
        "start": text(bounds["first_at"]),
        "end": text(bounds["last_at"]),
        "limit": SPAN_LIMIT,
    }
    by_id = {row["span_id_hex"]: row for row in database.rows("trace_spans", parameters, spans="spans")}
    if bounds["pinned"]:
        pinned = database.rows("trace_spans", parameters, spans="pinned_spans")
        by_id = {row["span_id_hex"]: row for row in pinned} | by_id
    rows = sorted(by_id.values(), key=lambda row: (row["start_ns"], row["span_id_hex"]))[:SPAN_LIMIT]
    origins = read_origins(database, (row["origin"] for row in rows))
    spans = [read_span(row, origins.get(row["origin"], Origin())) for row in rows]
    return StoredTrace(spans, max(bounds["pinned_of"] - len(spans), 0) if bounds["pinned"] else 0)


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
