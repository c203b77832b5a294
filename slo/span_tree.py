"""The spans below one request as a tree, whatever the senders did to them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

ANSWERING: Final = ("server", "consumer")  # the kinds of span that a called service sends


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """What is needed of a span to say who is to blame. No parent is "".

    `peer` names the service that a client span called, where the caller told it; else "".
    """

    span_id: str
    parent_id: str
    service: str
    operation: str
    kind: str
    start_ns: int
    duration_ns: int
    error: bool
    peer: str = ""

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class SpanTree:
    """A request's span and everything below it; each span stands in it once."""

    request: TraceSpan
    _children: dict[str, list[TraceSpan]]

    def children(self, span: TraceSpan) -> list[TraceSpan]:
        """Return the spans right below *span*, by start."""
        return self._children.get(span.span_id, [])

    def answered(self, span: TraceSpan) -> bool:
        """Whether the service that *span* called sent a span of its own."""
        return any(child.kind in ANSWERING for child in self.children(span))

    def __iter__(self) -> Iterator[TraceSpan]:
        """Yield every span, parents before children."""
        yield self.request
        for children in self._children.values():
            yield from children


def build_tree(request: TraceSpan, spans: Iterable[TraceSpan]) -> SpanTree:
    """Return the tree below *request* that its trace's *spans* make, in whatever order they come.

    Of several spans with one id the first to start is kept. A span that no chain of parents joins to the request
    (missing parents, cycles, its own parent) is left out. A server span that starts before its client span does or
    after that has ended comes from another clock: it is moved, with what lies below it, to the middle of its client
    span, as Jaeger's clock skew adjuster does.
    """
    below = _by_parent(request, spans)
    children: dict[str, list[TraceSpan]] = {}
    pending = [(request, 0)]
    while pending:
        parent, offset = pending.pop()
        found = below.get(parent.span_id)
        if found is None:
            continue
        placed = [_placed(parent, child, offset) for child in found]
        children[parent.span_id] = sorted((span for span, _ in placed), key=_order)
        pending.extend(placed)
    return SpanTree(request, children)


def _by_parent(request: TraceSpan, spans: Iterable[TraceSpan]) -> dict[str, list[TraceSpan]]:
    """Return the first span of each id by its parent. The request is nobody's child, so that no cycle can be walked."""
    seen = {request.span_id}
    below: defaultdict[str, list[TraceSpan]] = defaultdict(list)
    for span in sorted(spans, key=_order):
        if span.span_id not in seen:
            seen.add(span.span_id)
            below[span.parent_id].append(span)
    return dict(below)


def _order(span: TraceSpan) -> tuple[int, int, str, str, str, str, str, bool, str]:
    """Sort by start, the longer first; the rest only makes the order independent of how the spans arrived."""
    return (
        span.start_ns,
        -span.duration_ns,
        span.span_id,
        span.parent_id,
        span.service,
        span.operation,
        span.kind,
        span.error,
        span.peer,
    )


def _placed(parent: TraceSpan, child: TraceSpan, offset: int) -> tuple[TraceSpan, int]:
    """Return *child* by its parent's clock, and how far that moves what lies below it."""
    start = child.start_ns + offset
    called = parent.kind == "client" and child.kind == "server"
    if called and not parent.start_ns <= start <= parent.end_ns:
        start = parent.start_ns + max(parent.duration_ns - child.duration_ns, 0) // 2
    moved = start - child.start_ns
    return (replace(child, start_ns=start) if moved else child), moved
