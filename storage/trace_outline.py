"""The shape of one trace: what a picture of it needs, without attributes, events and links."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slo.span_tree import TraceSpan
from storage.client import Database
from storage.times import text
from storage.traces import SPAN_LIMIT


@dataclass(frozen=True, slots=True)
class TraceOutline:
    """Spans of one trace by start time, at most SPAN_LIMIT, between `start` and `end`."""

    trace_id: str
    start: datetime
    end: datetime
    spans: tuple[TraceSpan, ...]


def trace_outline(database: Database, trace_id: str) -> TraceOutline | None:
    """Return the shape of a trace, None when there is none."""
    found = database.rows("trace_bounds", {"trace_id": trace_id})
    if not found:
        return None
    start, end = found[0]["first_at"], found[0]["last_at"]
    parameters = {"trace_id": trace_id, "start": text(start), "end": text(end), "limit": SPAN_LIMIT}
    spans = tuple(_span(row) for row in database.rows("trace_outline", parameters))
    return TraceOutline(trace_id, start, end, spans)


def _span(row: dict[str, Any]) -> TraceSpan:
    return TraceSpan(
        span_id=row["span_id_hex"],
        parent_id=row["parent_id_hex"],
        service=row["service"],
        operation=row["name"],
        kind=row["kind_name"],
        start_ns=row["start_ns"],
        duration_ns=row["duration_ns"],
        error=row["error"],
    )
