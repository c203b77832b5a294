"""Requests with their charges: the spans of their traces read, the guilty one found, calls to the unseen named."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from slo.blame import Charge, Operation, cause_of, charge, charge_peer, own_times_by_operation
from slo.indicator import NotError
from slo.span_tree import TraceSpan
from storage.client import Database
from storage.request_selection import RequestSelection
from storage.request_spans import Request, peers, sample, with_spans

GOOD_SAMPLE: Final = 300
COMPARED_OPERATIONS: Final = 50  # their names are part of a query


@dataclass(frozen=True, slots=True)
class ChargedRequest:
    request: Request
    charge: Charge


def charge_requests(
    database: Database, selection: RequestSelection, requests: Sequence[Request]
) -> list[ChargedRequest]:
    """Charge bad *requests* of *selection*, each to one service and operation; fewer where their traces are huge.

    For an SLI of errors only failing spans are read, and those of called services. For any other, all of their spans,
    and those of up to GOOD_SAMPLE good requests besides, see `typical_own_times`.
    """
    good = selection.indicator.good
    failures_only = isinstance(good, NotError)
    causes = [cause_of(good, failed=request.span.error) for request in requests]
    typical = typical_own_times(database, selection, requests) if "latency" in causes else {}
    charged, unanswered = [], []
    for request, spans in with_spans(database, requests, failures_only=failures_only):
        cause = cause_of(good, failed=request.span.error)
        found = charge(request.span, spans, cause=cause, typical=typical)
        charged.append(ChargedRequest(request, found))
        if found.unanswered:
            unanswered += [(request.trace_id, call) for call in _named(found, request, spans)]
    return _with_peers(database, charged, unanswered)


def typical_own_times(
    database: Database, selection: RequestSelection, requests: Sequence[Request]
) -> Mapping[Operation, int]:
    """Return how long each operation usually works itself while a good request waits for it, in nanoseconds.

    That is the median over those of at most GOOD_SAMPLE good requests, of the same operations as the bad *requests*,
    that it was on the critical path of. The rollups (red_1m) would be cheaper and do not serve: they know how long a
    span took with all that it waited for, not its own time.
    """
    names = sorted({request.span.operation for request in requests})[:COMPARED_OPERATIONS]
    found: defaultdict[Operation, list[int]] = defaultdict(list)
    for request, spans in with_spans(database, sample(database, selection, good=True, limit=GOOD_SAMPLE, names=names)):
        for operation, nanoseconds in own_times_by_operation(request.span, spans).items():
            found[operation].append(nanoseconds)
    return {operation: median_low(times) for operation, times in found.items()}


def _named(found: Charge, request: Request, spans: Sequence[TraceSpan]) -> list[TraceSpan]:
    """Return the span with the charged id, as it is stored."""
    return [span for span in (request.span, *spans) if span.span_id == found.span_id][:1]


def _with_peers(
    database: Database, charged: Sequence[ChargedRequest], unanswered: Sequence[tuple[str, TraceSpan]]
) -> list[ChargedRequest]:
    """Name the callees of the guilty calls only: it takes the attributes, the widest column of all."""
    known = peers(database, unanswered)
    return [
        ChargedRequest(
            item.request, charge_peer(item.charge, known.get((item.request.trace_id, item.charge.span_id), ""))
        )
        for item in charged
    ]
