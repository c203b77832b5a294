"""Is what a service sends usable: checks over what is stored of the last hour, each with evidence and a remedy.

The checks read a bounded part of the tables, so their numbers are those of the newest spans or of a sample of traces,
not of everything that was sent.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil

from storage import telemetry_identity as identity
from storage import telemetry_metrics as metrics
from storage import telemetry_spans as spans
from storage.client import Database
from storage.telemetry_finding import Finding, Row, Severity
from storage.times import whole

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(hours=1)
LATENESS = timedelta(minutes=2)  # a parent ends after its children, and arrives later
LONGEST_PARENT = timedelta(minutes=10)
CALL_LATENESS = timedelta(seconds=30)  # between the arrival of a call's two sides
MOST_SPANS = 2_000_000  # read by a check that needs a few small columns
MOST_ATTRIBUTED = 200_000  # read by a check that needs the attributes
MOST_SAMPLED = 100_000  # spans of the traces in which parents are looked for
MOST_NAMES = 20_000
MOST_SERIES = 10_000

_RANK: dict[Severity, int] = {"critical": 0, "warning": 1, "info": 2}
_READ_ROLLUPS = {
    "check_request_spans", "check_identity", "check_span_names", "check_folded", "check_histograms", "check_overflow",
    "check_series",
}  # fmt: skip
_READ_ATTRIBUTES = {"check_propagation": CALL_LATENESS, "check_sampling": timedelta(0), "check_old_names": timedelta(0)}
_JUDGES: dict[str, Callable[[Sequence[Row]], Iterator[Finding]]] = {
    "check_request_spans": identity.requests,
    "check_identity": identity.identity,
    "check_orphans": spans.orphans,
    "check_propagation": spans.propagation,
    "check_span_names": spans.span_names,
    "check_folded": spans.folded,
    "check_histograms": metrics.histograms,
    "check_sampling": spans.sampling,
    "check_clocks": spans.clocks,
    "check_overflow": metrics.overflow,
    "check_series": metrics.too_many,
    "check_old_names": spans.old_names,
    "check_dropped": spans.dropped,
}


def telemetry_checks(database: Database, *, now: datetime, service: str = "") -> list[Finding]:
    """Return what is wrong with the telemetry of the last hour, the worst first; of *service* when it is given."""
    spans_start, span_count = _reach(database, now, MOST_SPANS)
    attributes_start, _ = _reach(database, now, MOST_ATTRIBUTED)
    first_child = min(spans_start + LONGEST_PARENT, spans_start + (now - spans_start) / 6)
    parameters = {
        "service": service,
        "end": whole(now + MINUTE),
        "children_start": whole(first_child),
        "children_end": whole(now - LATENESS),
        "calls_end": whole(now - CALL_LATENESS),
        "one_in": max(1, ceil(span_count / MOST_SAMPLED)),
        "names_limit": MOST_NAMES,
        "series_limit": MOST_SERIES,
    }
    found: list[Finding] = []
    for query, judge in _JUDGES.items():
        start = now - WINDOW if query in _READ_ROLLUPS else spans_start
        if query in _READ_ATTRIBUTES:
            start = attributes_start - _READ_ATTRIBUTES[query]
        found += judge(database.rows(query, parameters | {"start": whole(start)}))
    return sorted(found, key=lambda item: (_RANK[item.severity], item.service, item.environment, item.check))


def _reach(database: Database, now: datetime, limit: int) -> tuple[datetime, int]:
    """Return from when on there are at most *limit* spans in the window, and about how many there are."""
    parameters = {"start": whole(now - WINDOW), "end": whole(now + MINUTE), "limit": limit}
    row = database.rows("check_window", parameters)[0]
    if row["all_spans"] <= limit:
        return now - WINDOW, row["all_spans"]
    if row["minutes"]:
        return row["reach"], limit
    return now - MINUTE * (limit / row["busiest_minute"]), limit
