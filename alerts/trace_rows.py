"""Which spans of a trace fit on a telephone, and in which order."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from alerts.evidence import TraceSpan

MOST_ROWS: Final = 40
SHORT_TRACE: Final = 15  # rows that nobody has to search
VISIBLE: Final = 0.01  # of the longest span: a shorter one is no more than a dot


def choose_rows(spans: Sequence[TraceSpan], *, most: int = MOST_ROWS) -> tuple[TraceSpan, ...]:
    """Return at most *most* spans, parents before children and siblings by start.

    What leads to a guilty span stays, then errors, then the slowest; of a trace that is not short, no span that would
    be a dot. A span whose caller is not there is a root.
    """
    chosen = spans if len(spans) <= min(most, SHORT_TRACE) else _most_telling(spans, most)
    return tuple(span for span, _ in in_order(chosen))


def in_order(spans: Sequence[TraceSpan]) -> Iterator[tuple[TraceSpan, int]]:
    """Yield every span once with its depth; what a cycle keeps from every root comes last, as roots."""
    by_start = sorted(spans, key=lambda span: (span.offset_ms, -span.duration_ms, span.span_id))
    ids = {span.span_id for span in by_start}
    children: defaultdict[str, list[TraceSpan]] = defaultdict(list)
    for span in by_start:
        children[span.parent_span_id if span.parent_span_id in ids - {span.span_id} else ""].append(span)
    seen: set[str] = set()
    for root in (*children.pop("", []), *by_start):
        pending = [(root, 0)]
        while pending:
            span, depth = pending.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            yield span, depth
            pending.extend((child, depth + 1) for child in reversed(children.get(span.span_id, [])))


def _most_telling(spans: Sequence[TraceSpan], most: int) -> list[TraceSpan]:
    chosen = {span.span_id: span for guilty in spans if guilty.guilty for span in _upwards(spans, guilty)}
    longest = max(span.duration_ms for span in spans)
    seen = (span for span in spans if span.error or span.duration_ms >= VISIBLE * longest)
    rest = sorted(seen, key=lambda span: (not span.error, -span.duration_ms, span.span_id))
    return list((chosen | {span.span_id: span for span in rest if span.span_id not in chosen}).values())[:most]


def _upwards(spans: Sequence[TraceSpan], span: TraceSpan) -> Iterator[TraceSpan]:
    """Yield *span* and what called it, up to the root; a cycle ends where it closes."""
    by_id = {each.span_id: each for each in spans}
    seen: set[str] = set()
    found: TraceSpan | None = span
    while found is not None and found.span_id not in seen:
        seen.add(found.span_id)
        yield found
        found = by_id.get(found.parent_span_id)
