"""Which spans of a trace fit on a telephone, and in which order."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from alerts.evidence import TraceSpan

MOST_ROWS: Final = 40


def choose_rows(spans: Sequence[TraceSpan], *, most: int = MOST_ROWS) -> tuple[TraceSpan, ...]:
    """Return at most *most* spans, parents before children and siblings by start.

    What leads to a guilty span stays, then errors, then the slowest. A span whose caller is not there is a root.
    """
    if len(spans) > most:
        spans = _most_telling(spans, most)
    return tuple(span for span, _ in in_order(spans))


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
    by_id = {span.span_id: span for span in spans}
    chosen: dict[str, TraceSpan] = {}
    for guilty in (span for span in spans if span.guilty):
        found: TraceSpan | None = guilty
        while found is not None and found.span_id not in chosen:
            chosen[found.span_id] = found
            found = by_id.get(found.parent_span_id)
    rest = sorted(spans, key=lambda span: (not span.error, -span.duration_ms, span.span_id))
    chosen |= {span.span_id: span for span in rest if span.span_id not in chosen}
    return list(chosen.values())[:most]
