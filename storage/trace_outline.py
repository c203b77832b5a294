"""The shape of one trace: what a picture of it needs, without attributes, events and links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slo.span_tree import TraceSpan
from storage.client import Database
from storage.times import text
from storage.traces import SPAN_LIMIT


@dataclass(frozen=True, slots=True)
class TraceOutline:
    """Spans of one trace by start time, at most SPAN_LIMIT, between `start` and `end`.

    `messages` is what spans said of their status, by span id, where they said anything.
    """

    trace_id: str
    start: datetime
    end: datetime
    spans: tuple[TraceSpan, ...]
    messages: Mapping[str, str]


def trace_outline(database: Database, trace_id: str) -> TraceOutline | None:
    """Return the shape of a trace, None when there is none."""
    found = database.rows("trace_bounds", {"trace_id": trace_id})
    if not found:
        return None
    start, end = found[0]["first_at"], found[0]["last_at"]
    parameters = {"trace_id": trace_id, "start": text(start), "end": text(end), "limit": SPAN_LIMIT}
    rows = database.rows("trace_outline", parameters)
    messages = {row["span_id_hex"]: row["message"] for row in rows if row["message"]}
    return TraceOutline(trace_id, start, end, tuple(map(_span, rows)), messages)


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
