"""Traces that show what went wrong in a window: bad requests, with the guilty span of each."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TypeAlias

from slo.blame import Charge
from slo.indicator import SpanIndicator
from storage.charged_request import ChargedRequest, charge_requests
from storage.client import Database
from storage.request_selection import select_requests
from storage.request_spans import Request, read_request
from storage.times import from_ns

Found: TypeAlias = tuple[str, Request]  # with its route


@dataclass(frozen=True, slots=True)
class ExemplarTrace:
    """A bad request. `route` is its operation where it has no http.route; `charge` names the guilty span below it."""

    trace_id: str
    span_id: str
    route: str
    started_at: datetime
    duration_ms: float
    error: bool
    charge: Charge


def exemplar_traces(
    database: Database, indicator: SpanIndicator, *, start: datetime, end: datetime, limit: int = 3
) -> list[ExemplarTrace]:
    """Return up to *limit* traces with bad requests of *indicator* in [start, end), each trace once.

    First one of each route, those with most bad requests first, then the next one of each. Of a route the slowest come
    first where good is a latency threshold, else the newest.
    """
    selection = select_requests(indicator, start=start, end=end)
    most = limit * limit
    rows = selection.rows(database, "exemplar_requests", slowest=selection.by_latency, limit=limit, most=most)
    by_route: defaultdict[str, list[Found]] = defaultdict(list)
    for row in rows:
        by_route[row["route"]].append((row["route"], read_request(row)))
    chosen: dict[str, Found] = {}
    for found in _in_turn(by_route.values()):
        chosen.setdefault(found[1].trace_id, found)
    picked = list(chosen.values())[:limit]
    charged = charge_requests(database, selection, [request for _, request in picked])
    return [_exemplar(route, item) for (route, _), item in zip(picked, charged, strict=False)]


def _in_turn(groups: Iterable[list[Found]]) -> Iterator[Found]:
    """Yield the first of each group, then the second of each, and so on."""
    for found in zip_longest(*groups):
        yield from (each for each in found if each is not None)


def _exemplar(route: str, item: ChargedRequest) -> ExemplarTrace:
    span = item.request.span
    return ExemplarTrace(
        trace_id=item.request.trace_id,
        span_id=span.span_id,
        route=route,
        started_at=from_ns(span.start_ns),
        duration_ms=span.duration_ns / 1e6,
        error=span.error,
        charge=item.charge,
    )
