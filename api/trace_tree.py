"""A trace's spans in tree order."""

from collections.abc import Iterator, Sequence

from api import models as m
from storage.stored_span import SpanEvent, StoredSpan
from storage.times import from_ns


def trace_of(trace_id: str, spans: Sequence[StoredSpan], *, lost: int = 0) -> m.Trace:
    """Return the trace of *spans* (at least one): parents before children, siblings by start.

    A span whose parent is missing counts as a root; a cycle is cut where it is first met, so every span comes once.
    """
    start_ns = min(span.start_ns for span in spans)
    end_ns = max(span.start_ns + span.duration_ns for span in spans)
    ordered = [_span(span, depth, start_ns) for span, depth in _in_tree_order(spans)]
    return m.Trace(
        trace_id=trace_id,
        started_at=from_ns(start_ns),
        duration_ms=(end_ns - start_ns) / 1e6,
        services=sorted({span.service for span in spans}),
        errors=sum(span.error for span in spans),
        spans=ordered,
        lost_spans=lost,
    )


def _in_tree_order(spans: Sequence[StoredSpan]) -> Iterator[tuple[StoredSpan, int]]:
    """Yield (span, depth). Without recursion: a trace may be deeper than Python's stack."""
    by_start = sorted(spans, key=lambda span: (span.start_ns, -span.duration_ns, span.span_id))
    ids = {span.span_id for span in by_start}
    children: dict[str, list[StoredSpan]] = {}
    roots: list[StoredSpan] = []
    for span in by_start:
        if span.parent_span_id in ids and span.parent_span_id != span.span_id:
            children.setdefault(span.parent_span_id, []).append(span)
        else:
            roots.append(span)
    seen: set[str] = set()
    for root in (*roots, *by_start):  # what a cycle keeps from every root comes last, as roots
        stack = [(root, 0)]
        while stack:
            span, depth = stack.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            yield span, depth
            stack.extend((child, depth + 1) for child in reversed(children.get(span.span_id, [])))


def _span(span: StoredSpan, depth: int, trace_start_ns: int) -> m.Span:
    return m.Span(
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        service=span.service,
        environment=span.environment,
        version=span.version,
        name=span.name,
        kind=span.kind,
        started_at=from_ns(span.start_ns),
        offset_ms=(span.start_ns - trace_start_ns) / 1e6,
        duration_ms=span.duration_ns / 1e6,
        depth=depth,
        status=span.status,
        status_message=span.status_message,
        error=span.error,
        attributes=span.attributes,
        attribute_types=span.attribute_types,
        dropped_attributes=span.dropped_attributes,
        events=[_event(event, trace_start_ns) for event in span.events],
        dropped_events=span.dropped_events,
        links=[m.SpanLink.model_validate(link, from_attributes=True) for link in span.links],
        dropped_links=span.dropped_links,
        trace_state=span.trace_state,
        flags=span.flags,
        weight=span.weight,
        quarantined=span.quarantined,
        resource=span.origin.resource,
        resource_types=span.origin.resource_types,
        schema_url=span.origin.schema_url,
        scope=span.origin.scope,
        scope_version=span.origin.scope_version,
        scope_attributes=span.origin.scope_attributes,
        scope_schema_url=span.origin.scope_schema_url,
    )


def _event(event: SpanEvent, trace_start_ns: int) -> m.SpanEvent:
    return m.SpanEvent(
        name=event.name,
        offset_ms=(event.time_ns - trace_start_ns) / 1e6,
        attributes=event.attributes,
        dropped_attributes=event.dropped_attributes,
    )
