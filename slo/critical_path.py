"""The critical path of a request: which span the request was waiting for, at every moment of it.

The algorithm is that of Jaeger's trace page (jaeger-ui, `TraceTimelineViewer/CriticalPath`): from the end of a span
walk back to the child that finished last, from that child's start to the one that had finished last before it, and so
on; what lies between is the span's own time. Children are cut to their parent's time, and those outside it are left
out: nobody waited for them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from slo.span_tree import SpanTree, TraceSpan


@dataclass(frozen=True, slots=True)
class PathPiece:
    """A time [start_ns, end_ns) in which the request waited for *span* itself and for no span below it."""

    span: TraceSpan
    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns


def critical_path(tree: SpanTree) -> list[PathPiece]:
    """Return the pieces of the critical path by time: together they cover the request without gap or overlap."""
    pieces: list[PathPiece] = []
    pending = [(tree.request, tree.request.start_ns, tree.request.end_ns)]
    while pending:
        span, start, end = pending.pop()
        for child, child_start, child_end in _waited_for(tree.children(span), start, end):
            pending.append((child, child_start, child_end))
            _add(pieces, span, child_end, end)
            end = child_start
        _add(pieces, span, start, end)
    return sorted(pieces, key=lambda piece: piece.start_ns)


def own_times(tree: SpanTree) -> dict[str, int]:
    """Return the nanoseconds that each span on the critical path has there for itself, by span id."""
    found: defaultdict[str, int] = defaultdict(int)
    for piece in critical_path(tree):
        found[piece.span.span_id] += piece.duration_ns
    return dict(found)


def _waited_for(children: list[TraceSpan], start: int, end: int) -> Iterator[tuple[TraceSpan, int, int]]:
    """Yield the children on the critical path of a span in [start, end), last first, each cut to the span's time."""
    until = end
    for child in sorted(children, key=lambda each: min(each.end_ns, end), reverse=True):
        child_start, child_end = max(child.start_ns, start), min(child.end_ns, end)
        if child_start < child_end <= until:
            yield child, child_start, child_end
            until = child_start


def _add(pieces: list[PathPiece], span: TraceSpan, start: int, end: int) -> None:
    if start < end:
        pieces.append(PathPiece(span, start, end))
