"""Requests of one SLI with the spans of their traces, read by the order of the table of spans.

That table is ordered by five minutes and trace id, and one query asks for exactly those pairs: it reads one granule or
two of each part (8,192 rows, 9 narrow columns) for each of them, whatever else is stored. The pairs come from the
request's own span: no look-up in the trace index, no scan of a time range.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slo.span_tree import TraceSpan
from storage.client import Database
from storage.request_selection import RequestSelection

BUCKET_S: Final = 300
SKEW_NS: Final = 60_000_000_000  # how far the clocks of services that work on one request may differ
LONGEST_BUCKETS: Final = 12  # spans that start more than an hour after their request are not looked for
SPANS_A_TRACE: Final = 20_000
FIRST_TRACES: Final = 20  # in the first batch, when nothing is known of how large traces are
SPANS_A_BATCH: Final = 50_000
TRACES_A_BATCH: Final = 1_000  # their places are part of a URL: 48 kB, of calls 56 kB
SPAN_BUDGET: Final = 500_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request's own span in its trace, and how many requests it stands for."""

    trace_id: str
    span: TraceSpan
    weight: int


def sample(
    database: Database, selection: RequestSelection, *, good: bool, limit: int, names: Iterable[str] = ()
) -> list[Request]:
    """Return at most *limit* good or bad requests, the same ones each time; with *names*, of these operations only."""
    rows = selection.rows(database, "request_sample", good=good, limit=limit, names=sorted(set(names)))
    return [read_request(row) for row in rows]


def with_spans(
    database: Database, requests: Sequence[Request], *, failures_only: bool = False
) -> Iterator[tuple[Request, list[TraceSpan]]]:
    """Yield *requests* with the spans of their traces, of each trace at most SPANS_A_TRACE.

    Stops after SPAN_BUDGET spans, so that huge traces cost a smaller sample and not memory. *failures_only* leaves out
    what `slo.blame.charge` does not need to charge an error.
    """
    by_trace: defaultdict[str, list[Request]] = defaultdict(list)
    for request in requests:
        by_trace[request.trace_id].append(request)
    pending, read, traces, size = list(by_trace), 0, 0, FIRST_TRACES
    while pending and read < SPAN_BUDGET:
        batch, pending = pending[:size], pending[size:]
        spans = _read(database, [request for trace in batch for request in by_trace[trace]], failures_only)
        for trace in batch:
            for request in by_trace[trace]:
                yield request, spans.get(trace, [])
        read += sum(len(found) for found in spans.values())
        traces += len(batch)
        size = max(1, min(TRACES_A_BATCH, SPANS_A_BATCH * traces // max(read, 1)))


def peers(database: Database, calls: Iterable[tuple[str, TraceSpan]]) -> dict[tuple[str, str], str]:
    """Return whom the client spans *calls* (trace id, span) called, by trace and span id; "" where they do not say."""
    places = sorted({f"{_bucket(span.start_ns):08x}{trace}{span.span_id}" for trace, span in calls})
    found: dict[tuple[str, str], str] = {}
    for first in range(0, len(places), TRACES_A_BATCH):
        rows = database.rows("span_peers", {"places": "".join(places[first : first + TRACES_A_BATCH])})
        found |= {(row["trace_id_hex"], row["span_id_hex"]): row["peer"] for row in rows}
    return found


def read_request(row: dict[str, Any]) -> Request:
    """Return a row of `queries/request_sample.sql`."""
    return Request(row["trace_id_hex"], _span(row), row["weight"])


def _read(database: Database, requests: list[Request], failures_only: bool) -> dict[str, list[TraceSpan]]:
    places = sorted({place for request in requests for place in _places(request)})
    parameters = {"places": "".join(places), "failures_only": failures_only, "limit": SPANS_A_TRACE}
    found: defaultdict[str, list[TraceSpan]] = defaultdict(list)
    for row in database.rows("request_spans", parameters):
        found[row["trace_id_hex"]].append(_span(row))
    return dict(found)


def _places(request: Request) -> Iterator[str]:
    """Yield where in the table spans below *request* lie: each five minutes in which one may have started."""
    first = _bucket(max(request.span.start_ns - SKEW_NS, 0))
    last = _bucket(request.span.end_ns + SKEW_NS)
    for bucket in range(first, min(last, first + LONGEST_BUCKETS * BUCKET_S) + 1, BUCKET_S):
        yield f"{bucket:08x}{request.trace_id}"


def _bucket(nanoseconds: int) -> int:
    return nanoseconds // (BUCKET_S * 10**9) * BUCKET_S


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
