"""What a body that is no request of its signal may be instead: the hint that saves its sender an hour."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from collector.check.item_limit import refuse_too_many
from collector.check.parse import parse
from collector.errors import Refused

LOOKED_AT = 10
SPAN_ID_BYTES, TRACE_ID_BYTES = 8, 16


def hint(signal: str, body: bytes, item_limit: int) -> str:
    """Return the end of the message about a *body* that could not be parsed as *signal*; "" without an idea."""
    if body.lstrip()[:1] in {b"{", b"["}:
        return " The body looks like JSON; send it with Content-Type: application/json"
    if body[:2] == b"\x1f\x8b":
        return " The body looks like gzip; send it with Content-Encoding: gzip"
    other = signal_like(signal, body, item_limit)
    return f" The body looks like {other}; send it to /v1/{other}" if other else ""


def signal_like(signal: str, body: bytes, item_limit: int) -> str | None:
    """Return the other signal than *signal* of which *body* is a request, judged by its first items."""
    for other, evidence in _EVIDENCE.items():
        if other == signal:
            continue
        try:
            refuse_too_many(other, body, item_limit)
            request = parse(other, body)
        except Refused:
            continue
        if any(islice(evidence(request), LOOKED_AT)):
            return other
    return None


def _spans(request: Any) -> Iterator[bool]:
    for group in request.resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                yield (
                    len(span.trace_id) == TRACE_ID_BYTES
                    and len(span.span_id) == SPAN_ID_BYTES
                    and span.start_time_unix_nano > 0
                )


def _points(request: Any) -> Iterator[bool]:
    for group in request.resource_metrics:
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                points = getattr(metric, kind).data_points if kind else ()
                yield bool(metric.name) and any(point.time_unix_nano > 0 for point in points[:1])


def _records(request: Any) -> Iterator[bool]:
    for group in request.resource_logs:
        for scope in group.scope_logs:
            for record in scope.log_records:
                yield record.time_unix_nano > 0 or record.observed_time_unix_nano > 0


_EVIDENCE: dict[str, Callable[[Any], Iterator[bool]]] = {"traces": _spans, "metrics": _points, "logs": _records}
