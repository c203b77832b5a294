"""Traces that alerts refer to, kept when the retention of raw spans is over."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from slo.span_tree import TraceSpan
from storage.client import Database, load_query
from storage.times import text, whole
from storage.trace_outline import TraceOutline

SPANS_A_TRACE: Final = 2_000


def pin_trace(
    database: Database, outline: TraceOutline, *, now: datetime, guilty: str = "", limit: int = SPANS_A_TRACE
) -> int:
    """Keep the spans of *outline* for 400 days and return how many; doing it again changes nothing.

    Of more than *limit* those that `most_telling` names are kept.
    """
    chosen = most_telling(outline.spans, guilty, limit)
    parameters = {
        "trace_id": outline.trace_id,
        "start": text(outline.start),
        "end": text(outline.end),
        "chosen": ",".join(chosen) if len(chosen) < len(outline.spans) else "",
        "spans": len(outline.spans),
        "now": whole(now),
    }
    if chosen:
        database.command(load_query("pin_spans"), parameters)
    return len(chosen)


def most_telling(spans: Sequence[TraceSpan], guilty: str, limit: int) -> list[str]:
    """Return the ids of at most *limit* spans: the way from the root to the *guilty* one, errors, then the slowest."""
    by_id = {span.span_id: span for span in spans}
    way = list(_upwards(by_id, guilty))
    errors = (span.span_id for span in spans if span.error)
    slowest = (span.span_id for span in sorted(spans, key=lambda span: (-span.duration_ns, span.span_id)))
    return _first(limit, (*way, *errors, *slowest))


def _upwards(by_id: dict[str, TraceSpan], span_id: str) -> Iterable[str]:
    """Yield the span and what called it, up to the root; a cycle ends where it closes."""
    seen: set[str] = set()
    while span_id in by_id and span_id not in seen:
        seen.add(span_id)
        yield span_id
        span_id = by_id[span_id].parent_id


def _first(limit: int, ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))[:limit]
